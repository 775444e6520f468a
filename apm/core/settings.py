"""Settings, from the environment alone, strict: an unknown or malformed one stops the start."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from apm.core.i18n import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent.parent


TARGETS = ("none", "private", "all")
"""Where messages and webhooks may go besides public addresses; see `apm.notify.targets`."""


class BadSetting(Exception):
    """A setting cannot be used; the message says which, why, and what would do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; `docs/settings.md` explains each one."""

    database_url: str
    secret_key: str
    base_url: str
    uploads: Path
    compute: str = "local"
    language: str = "en"
    metrics_token: str | None = None
    allow_private_targets: str = "private"
    port: int = 8000

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read `APM_*` and `PORT`; `APM_NAME_FILE` names a file that holds the value."""
        env = os.environ if environ is None else environ
        _refuse_unknown(env)
        port = _port(env.get("PORT") or "8000")
        return cls(
            database_url=_value(env, "DATABASE_URL") or _default_database(),
            secret_key=_value(env, "SECRET_KEY") or _kept_secret(),
            base_url=_base_url(_value(env, "BASE_URL") or f"http://127.0.0.1:{port}"),
            uploads=Path(_value(env, "UPLOADS") or ROOT / "instance" / "uploads"),
            compute=_compute(_value(env, "COMPUTE") or "local"),
            language=_language(_value(env, "LANGUAGE") or "en"),
            metrics_token=_value(env, "METRICS_TOKEN"),
            allow_private_targets=_targets(_value(env, "ALLOW_PRIVATE_TARGETS") or "private"),
            port=port,
        )


OTHERS = frozenset({"APM_TEST_DATABASE_URL", "APM_NO_APT", "APM_DATA", "APM_PICTURES"})
"""Variables of the tests and of set-up, which the program itself does not read."""


def _refuse_unknown(env: Mapping[str, str]) -> None:
    known = {f"APM_{f.name.upper()}" for f in fields(Settings) if f.name != "port"}
    for name in sorted(env):
        plain = name.removesuffix("_FILE")
        if name.startswith("APM_") and plain not in known and name not in OTHERS:
            raise BadSetting(f"{name} is no setting of apm. Known: {', '.join(sorted(known))}.")


def _value(env: Mapping[str, str], name: str) -> str | None:
    direct, file = env.get(f"APM_{name}"), env.get(f"APM_{name}_FILE")
    if direct and file:
        raise BadSetting(f"Set APM_{name} or APM_{name}_FILE, not both.")
    if not file:
        return direct or None
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise BadSetting(f"APM_{name}_FILE: cannot read {file}: {error.strerror}.") from error


def _port(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) < 65536:
        raise BadSetting(f"PORT is {text!r}; give a number from 0 to 65535.")
    return int(text)


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise BadSetting(f"APM_BASE_URL is {text!r}; give one like https://apm.hospital.example.")
    return text.rstrip("/")


def _compute(text: str) -> str:
    if text != "local" and not text.startswith("dask://"):
        raise BadSetting(f"APM_COMPUTE is {text!r}; give local or dask://host:port.")
    return text


def _language(text: str) -> str:
    if text not in LANGUAGES:
        raise BadSetting(f"APM_LANGUAGE is {text!r}; give one of {', '.join(LANGUAGES)}.")
    return text


def _targets(text: str) -> str:
    if text not in TARGETS:
        raise BadSetting(
            f"APM_ALLOW_PRIVATE_TARGETS is {text!r}; give one of {', '.join(TARGETS)}."
        )
    return text


def _default_database() -> str:
    (ROOT / "instance").mkdir(exist_ok=True)
    return f"sqlite:///{ROOT / 'instance' / 'apm.db'}"


def _kept_secret() -> str:
    """Return the secret of this installation, made once and readable by its owner alone."""
    path = ROOT / "instance" / "secret"
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()
