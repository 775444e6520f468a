"""What the demo knows beside its database: logins, the devices' token, how often it ran."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Login:
    """How one of the demo's people signs in."""

    email: str
    password: str
    role: str
    name: str
    name_zh: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Kept in a file that only its owner may read."""

    logins: tuple[Login, ...]
    device_token: str
    built_at: datetime
    """The instant the demo's history ends at."""
    turn: int = 0
    """How often the demo was started before."""

    def save(self, path: Path) -> None:
        """Write the file whole or not at all, readable by its owner alone."""
        plain = {**asdict(self), "built_at": self.built_at.isoformat()}
        draft = path.with_suffix(".making")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(plain, file, ensure_ascii=False, indent=1)
        draft.replace(path)

    def started_again(self) -> Desk:
        """Return the same for the next start."""
        return replace(self, turn=self.turn + 1)


def read_desk(path: Path) -> Desk | None:
    """Return what was saved, None where there is nothing that can be read."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return Desk(
            logins=tuple(Login(**entry) for entry in plain["logins"]),
            device_token=plain["device_token"],
            built_at=datetime.fromisoformat(plain["built_at"]),
            turn=plain["turn"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
