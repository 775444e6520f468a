"""The cast and the stage.

Two hospitals.  North has nurse Lin (reports), technician Chen (works), engineer Wang (triages
and works), manager Zhao (closes, reads costs) and administrator Amy.  South has engineer Qin,
who must never see anything of North.

A test that takes `sessions`, `as_` or `client` gets a database of its own: a copy of one made by
the migrations.  Marked `database`, it runs on SQLite and again on PostgreSQL.
"""

from __future__ import annotations

import gc
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as how_hypothesis_tries
from sqlalchemy import Engine, create_engine, event, make_url, select, text
from sqlalchemy.orm import sessionmaker
from sqlalchemy.util import LRUCache

from apm import database
from apm.accounts import passwords
from apm.accounts.commands import add_hospital, add_token, add_user
from apm.accounts.identity import COOKIE
from apm.accounts.model import Grant, Hospital, SignInSession
from apm.accounts.queries import actor_of, grants_of, system_actor, user_by_email
from apm.core.clock import utc_now
from apm.core.codes import new_token, token_digest
from apm.core.command import Actor, Context
from apm.core.db import ApmSession, make_engine, make_sessions
from apm.core.i18n import speak
from apm.core.permissions import Role
from apm.core.settings import Settings
from apm.factory import create_app, load_pages

PASSWORD = "correct horse"
CAST = {
    "lin": ("NORTH", Role.REPORTER, "Lin Xia", "林夏"),
    "chen": ("NORTH", Role.TECHNICIAN, "Chen Bo", "陈博"),
    "wang": ("NORTH", Role.ENGINEER, "Wang Lei", "王磊"),
    "zhao": ("NORTH", Role.MANAGER, "Zhao Min", "赵敏"),
    "amy": ("NORTH", Role.ADMIN, "Amy Admin", None),
    "qin": ("SOUTH", Role.ENGINEER, "Qin Yue", "秦月"),
}
POSTGRES = os.environ.get("APM_TEST_DATABASE_URL")
load_pages()
# A slow machine is no failure: speed has its benches.
how_hypothesis_tries.register_profile(
    "apm", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
how_hypothesis_tries.load_profile("apm")
# The real cost of a password (64 MiB, a third of a second) is tried once, in test_sign_in.py.
passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


PILES = (
    ("browser/test_every_page", "browser/test_pictures", "browser/test_daily_work"),
    (
        "apm/test_demo", "apm/test_parts_demo", "house/test_no_500", "house/test_matrix",
        "apm/test_forecasts", "apm/test_due_property", "apm/test_transitions",
    ),
    (
        "apm/test_reading_kill", "apm/test_kill", "apm/test_collect_mqtt",
        "apm/test_collect_outage", "apm/test_notify_kill", "apm/test_collect_polled",
        "apm/test_collect_encrypted", "apm/test_whole_loop", "apm/test_worker", "browser/",
    ),
)  # fmt: skip
"""How the files begin that take long.  What shares something dear to make lies on one pile: a
furnished house, the demo, Chromium.  The third waits much for programs it starts, and leaves its
core to the others meanwhile: two that wait at once would leave a core idle."""


def _file(item: pytest.Item) -> str:
    return f"{item.path.parent.name}/{item.path.stem}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the tests, let each begin with a pile of long ones.

    Each gets an equal part in order, and one that is done takes from the end of another's.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    piles: list[list[pytest.Item]] = []
    rest = list(items)
    for names in PILES:
        first = {
            id(i): k for i in rest for k, name in enumerate(names) if _file(i).startswith(name)
        }
        piles.append(sorted((i for i in rest if id(i) in first), key=lambda i: first[id(i)]))
        rest = [item for item in rest if id(item) not in first]
    n = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    ordered: list[pytest.Item] = []
    for k in range(n):
        begun = len(ordered)
        ordered += [item for pile in piles[k::n] for item in pile]
        room = max((len(items) - begun) // (n - k) - (len(ordered) - begun), 0)
        ordered += rest[:room]
        del rest[:room]
    items[:] = [*ordered, *rest]


def pytest_collection_finish() -> None:
    """Let the collector of garbage rest more: that saves a twelfth of the time.

    What is loaded by now stays, so it need not look through that again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run `database` tests on both databases where a PostgreSQL was started for us."""
    if "engine" in metafunc.fixturenames:
        twice = POSTGRES and metafunc.definition.get_closest_marker("database")
        metafunc.parametrize(
            "engine", ["sqlite", "postgresql"] if twice else ["sqlite"], indirect=True
        )


def move_in(engine: Engine) -> None:
    """Migrate, and let the cast move in."""
    database.upgrade(engine)
    with make_sessions(engine)() as session:
        top = Context(session, system_actor(None))
        ids = {
            code: add_hospital(top, code=code, name=name, name_zh=zh, phone="8120").id
            for code, name, zh in [
                ("NORTH", "North Hospital", "北方医院"),
                ("SOUTH", "South Hospital", "南方医院"),
            ]
        }
        for who, (code, role, name, name_zh) in CAST.items():
            ctx = Context(session, system_actor(ids[code]))
            email = f"{who}@{code.lower()}.example"
            add_user(ctx, email=email, name=name, name_zh=name_zh, role=role, password=PASSWORD)


def sqlite_filled(path: Path, fill: Callable[[Engine], None]) -> Path:
    """Fill a SQLite file, and leave it as one file that can be copied."""
    engine = make_engine(f"sqlite:///{path}")
    fill(engine)
    engine.dispose()
    with sqlite3.connect(path) as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    plain.close()
    return path


@contextmanager
def postgres_database(template: str = "template1") -> Iterator[str]:
    """A copy of a PostgreSQL database, by its name; gone afterwards."""
    assert POSTGRES
    name = f"test_{uuid4().hex[:12]}"
    admin = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
    yield name
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def postgres_filled(name: str, fill: Callable[[Engine], None]) -> str:
    """Fill a PostgreSQL database, and let go of it, so that it can be copied."""
    engine = make_engine(_named(name))
    fill(engine)
    engine.dispose()
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file made once, which each test copies."""
    return sqlite_filled(tmp_path_factory.mktemp("db") / "template.db", move_in)


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    """A PostgreSQL database made once, which each test copies."""
    with postgres_database() as name:
        yield postgres_filled(name, move_in)


def _named(database_name: str) -> str:
    assert POSTGRES
    return make_url(POSTGRES).set(database=database_name).render_as_string(hide_password=False)


def _template(request: pytest.FixtureRequest, database: str) -> Any:
    """What a test copies: the two plain hospitals, or for a test that takes `world` more."""
    kind = "world" if "world" in request.fixturenames else "template"
    return request.getfixturevalue(f"{database}_{kind}")


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A filled SQLite database of the test's own."""
    path = tmp_path / "test.db"
    path.write_bytes(_template(request, "sqlite").read_bytes())
    return f"sqlite:///{path}"


_SHARED: dict[str, tuple[Any, LRUCache[Any, Any]]] = {}


def _share_compiled_statements(engine: Engine) -> None:
    """Let the engines of all tests use one dialect and one cache: compiling takes most time."""
    if engine.dialect.name not in _SHARED:
        engine.connect().close()  # a dialect learns from its own engine's first connection alone
        _SHARED[engine.dialect.name] = (engine.dialect, LRUCache(1000))
    dialect, cache = _SHARED[engine.dialect.name]
    engine.dialect = engine.pool._dialect = dialect
    engine.update_execution_options(compiled_cache=cache)


def _without_waiting_for_the_disk(connection: Any, _record: object) -> None:
    # What survives a power cut is tried by the tests that kill a real server.
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An open database of the test's own, with real commits."""
    if request.param == "sqlite":
        made = make_engine(request.getfixturevalue("database_url"))
        event.listen(made, "connect", _without_waiting_for_the_disk)
        _share_compiled_statements(made)
        yield made
        made.dispose()
        return
    with postgres_database(_template(request, "postgres")) as name:
        made = make_engine(_named(name))
        _share_compiled_statements(made)
        yield made
        made.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[ApmSession]:
    """Sessions on the test's own database."""
    return make_sessions(engine)


@pytest.fixture(autouse=True)
def english() -> None:
    """Every test starts in English."""
    speak("en")


As = Callable[..., Context]


@pytest.fixture
def as_(sessions: sessionmaker[ApmSession]) -> Iterator[As]:
    """`as_("wang")` is a context acting as Wang; `as_("system")` the worker for North."""
    opened: list[ApmSession] = []

    def act(name: str, **clock: object) -> Context:
        session = sessions()
        opened.append(session)
        actor = actor_named(session, name)
        session.rollback()  # who it is was read in a snapshot that the test must not be held to
        return Context(session, actor, **clock)

    yield act
    for session in opened:
        session.close()


def actor_named(session: ApmSession, name: str) -> Actor:
    """Return the actor somebody of the cast is."""
    session.info["actor"] = system_actor(None)
    if name == "system":
        return system_actor(session.scalar(select(Hospital.id).where(Hospital.code == "NORTH")))
    person = user_by_email(session, f"{name}@{CAST[name][0].lower()}.example")
    assert person
    [grant] = grants_of(session, person.id, utc_now())
    return actor_of(grant)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that touch nothing but the test's own folder."""
    return Settings(
        database_url="sqlite://",
        secret_key="only for tests",
        base_url="http://localhost",
        uploads=tmp_path / "uploads",
    )


class Stage:
    """Where the one application of all tests gets its sessions: each test puts its own here."""

    def __init__(self) -> None:
        self.sessions: sessionmaker[ApmSession] | None = None

    def __call__(self) -> ApmSession:
        assert self.sessions
        return self.sessions()


@pytest.fixture(scope="session")
def built() -> tuple[Flask, Stage]:
    """The application, built once: building it takes longer than most tests."""
    stage = Stage()
    settings = Settings("sqlite://", "only for tests", "http://localhost", Path())
    made = create_app(stage, settings)
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made, stage


@pytest.fixture
def app(
    built: tuple[Flask, Stage], sessions: sessionmaker[ApmSession], settings: Settings
) -> Flask:
    """The web application on the test's own database."""
    made, stage = built
    stage.sessions = sessions
    made.config["APM_SETTINGS"] = settings
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser nobody has signed in with; like every browser it says where a form came from."""
    browser = app.test_client()
    browser.environ_base["HTTP_ORIGIN"] = "http://localhost"
    return browser


Login = Callable[..., FlaskClient]


@pytest.fixture
def login(app: Flask, sessions: sessionmaker[ApmSession]) -> Login:
    """`login("wang")` is a browser Wang is signed in with (without the slow password check)."""

    def sign_in(name: str) -> FlaskClient:
        with sessions() as session:
            actor = actor_named(session, name)
            ctx = Context(session, actor)
            [grant] = [g for g in session.query(Grant).all() if g.user_id == actor.user_id]
            token = new_token()
            with ctx.writing("test.sign_in"):
                session.add(
                    SignInSession(
                        token_hash=token_digest(token),
                        grant_id=grant.id,
                        created_at=utc_now(),
                        last_seen_at=utc_now(),
                        expires_at=utc_now() + timedelta(days=365),
                        browser="test",
                    )
                )
        browser = app.test_client()
        browser.environ_base["HTTP_ORIGIN"] = "http://localhost"
        browser.set_cookie(COOKIE, token)
        return browser

    return sign_in


Api = Callable[..., dict[str, str]]


@pytest.fixture
def bearer(as_: As) -> Api:
    """`bearer(Role.ENGINEER)` are the headers of a program with a token of North."""

    def make(role: Role = Role.ENGINEER, who: str = "amy") -> dict[str, str]:
        ctx = as_("system") if who == "amy" else as_(who)
        admin = Context(ctx.session, system_actor(ctx.actor.hospital_id))
        token = add_token(admin, name=f"{role}-test-{uuid4().hex[:6]}", role=role)
        return {"Authorization": f"Bearer {token}"}

    return make
