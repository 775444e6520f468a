"""What the demo is made of, piece by piece."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import sessionmaker

from apm import database
from apm.cli.demo import make_demo_app
from apm.core.db import ApmSession, make_engine, make_sessions
from apm.core.errors import Conflict
from apm.core.settings import Settings
from apm.demo.address import free_port, terminal_qr, urls
from apm.demo.desk import Desk, Login, read_desk
from apm.demo.signals import DAY, HOUR, SIGNALS, origin_of
from apm.demo.simulator import tick_readings
from apm.demo.stories import SILENT, stories
from predict.anomaly import SeasonalDetector
from seed.demo.building import begin
from seed.demo.keeping import Files, build, ready_desk, remove

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
ORIGIN = origin_of(NOW)
LOGINS = (
    Login("lin@north.example", "a password", "reporter", "Lin Xia", "林夏"),
    Login("chen@north.example", "a password", "technician", "Chen Bo", "陈博"),
    Login("wang@north.example", "a password", "engineer", "Wang Lei", "王磊"),
    Login("zhao@north.example", "a password", "manager", "Zhao Min", "赵敏"),
)
DESK = Desk(LOGINS, "apm_token", NOW)


class Stopped(Exception):
    """The power went."""


def stop_at(share: float) -> object:
    def watch(done: int, total: int) -> None:
        if done >= share * total:
            raise Stopped

    return watch


def deeds(path: Path, now: datetime) -> list[tuple[object, ...]]:
    engine = make_engine(f"sqlite:///{path}")
    database.upgrade(engine)
    building = begin(make_sessions(engine), now=now)
    building.session.close()
    engine.dispose()
    units = [
        (unit.registered_at, unit.code, unit.serial, unit.cost) for unit in building.world.units
    ]
    return [*units, *((deed.at, deed.actor.name, deed.name) for deed in building.diary.deeds)]


def test_the_same_seed_makes_the_same_hospital(tmp_path: Path) -> None:
    first = deeds(tmp_path / "a.db", NOW)

    assert deeds(tmp_path / "b.db", NOW) == first
    assert deeds(tmp_path / "c.db", NOW + timedelta(days=30)) != first


def test_a_demo_that_was_cut_off_is_built_anew(tmp_path: Path) -> None:
    files = Files(tmp_path)
    with pytest.raises(Stopped):
        build(files, now=NOW, watch=stop_at(0.05))  # type: ignore[arg-type]

    assert files.draft.exists()
    assert not files.database.exists()
    assert ready_desk(files) is None
    remove(files)
    assert not list(tmp_path.iterdir())


def test_logins_without_their_database_or_torn_ones_are_not_used(tmp_path: Path) -> None:
    files = Files(tmp_path)
    DESK.save(files.desk)
    assert read_desk(files.desk) == DESK
    assert ready_desk(files) is None

    files.desk.write_text('{"logins": [')
    assert read_desk(files.desk) is None


def test_a_database_of_real_hospitals_is_left_alone(tmp_path: Path, database_url: str) -> None:
    files = Files(tmp_path / "demo")
    files.folder.mkdir()
    real = Path(database_url.removeprefix("sqlite:///"))
    files.database.write_bytes(real.read_bytes())
    DESK.save(files.desk)

    with pytest.raises(Conflict, match="not a demo"):
        ready_desk(files)


def test_a_busy_port_is_passed_over() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]

        assert free_port("127.0.0.1", port) > port
    with pytest.raises(OSError, match=r"."):
        free_port("192.0.2.1", 8000)


def test_only_a_server_for_everybody_has_an_address_for_phones() -> None:
    assert urls("127.0.0.1", 8000) == ("http://127.0.0.1:8000", None)
    assert urls("0.0.0.0", 8000)[0] == "http://127.0.0.1:8000"
    assert terminal_qr("http://127.0.0.1:8000/a/0123ABCD").count("\n") < 25


@pytest.mark.parametrize("hour", [0, 13, 20])
@pytest.mark.parametrize("code", [code for code, one in SIGNALS.items() if not one.drift])
def test_an_undisturbed_sensor_raises_nothing_whenever_the_demo_is_built(
    code: str, hour: int
) -> None:
    signal, detector, built = SIGNALS[code], SeasonalDetector(), ORIGIN + hour * HOUR
    past = np.arange(ORIGIN - 50 * DAY, built, 600.0)
    live = np.arange(built, built + DAY / 2, 10.0)
    later = np.arange(built + DAY / 2, built + 30 * DAY, 600.0)

    found = [
        episode
        for at in (past, live, later)
        for episode in detector.update(at, signal.values(at, ORIGIN)).episodes
    ]

    assert found == []


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_each_story_is_found_within_two_minutes_once(turn: int) -> None:
    told = {story.sensor: story for story in stories(turn)}
    detectors = {code: SeasonalDetector() for code in told}
    for code, detector in detectors.items():
        past = np.arange(NOW.timestamp() - 50 * DAY, NOW.timestamp(), 600.0)
        detector.update(past, SIGNALS[code].values(past, ORIGIN))

    raised: dict[str, set[float]] = {code: set() for code in told}
    for tick in range(300):
        at = NOW + timedelta(seconds=2 * tick)
        for reading in tick_readings(at, 2.0 * tick, tick, told, origin=ORIGIN):
            if detector := detectors.get(reading["sensor"]):
                scores = detector.update([at.timestamp()], [reading["value"]])
                raised[reading["sensor"]] |= {e.raised_at for e in scores.episodes}

    assert all(len(found) == 1 for found in raised.values())
    latest = max(at for found in raised.values() for at in found)
    assert latest - NOW.timestamp() < 110


def test_one_sensor_falls_silent_and_comes_back() -> None:
    def sends(elapsed: float) -> bool:
        return any(
            r["sensor"] == SILENT for r in tick_readings(NOW, elapsed, 0, {}, origin=ORIGIN)
        )

    assert [sends(10), sends(120), sends(500)] == [True, False, True]


@pytest.fixture
def browser(sessions: sessionmaker[ApmSession]) -> FlaskClient:
    """A demo server that was wrongly given a database of real hospitals."""
    app: Flask = make_demo_app(sessions, replace(Settings.from_env()), DESK)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    made = app.test_client()
    made.environ_base["HTTP_ORIGIN"] = "http://localhost"
    return made


def test_nobody_signs_in_to_a_real_hospital_with_one_click(browser: FlaskClient) -> None:
    for email in ("wang@north.example", "qin@south.example", "nobody@demo.apm"):
        answer = browser.post("/demo/sign-in", data={"email": email})

        assert answer.status_code == 404
        assert browser.get_cookie("apm_session") is None


def test_an_ordinary_server_has_no_demo_pages(client: FlaskClient) -> None:
    assert client.get("/tour").status_code == 404
    assert client.post("/demo/sign-in", data={"email": "x"}).status_code == 404
    assert "a password" not in client.get("/sign-in").text
