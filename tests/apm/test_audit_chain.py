"""`apm audit verify` proves that nobody edited the trail."""

import subprocess
import sys

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, select, text

from apm.assets.model import Department
from apm.cli import cli
from apm.core.audit import AuditEntry, verify_chain


@pytest.fixture
def history(as_):
    """Three changes in the trail of North."""
    ctx = as_("wang")
    for name in ("ICU", "OR", "Ward"):
        with ctx.writing("test.add"):
            ctx.session.add(Department(name=name))
    return ctx


def chain_of(ctx):
    return verify_chain(ctx.session, ctx.actor.hospital_id)


@pytest.mark.database
def test_an_untouched_trail_is_whole(history):
    report = chain_of(history)
    assert report.broken_at is None
    assert report.entries >= 3


@pytest.mark.database
@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ("UPDATE audit_entry SET actor = 'nobody' WHERE seq = 2", "its content was changed"),
        ("UPDATE audit_entry SET changes = '{}' WHERE seq = 2", "its content was changed"),
        ("DELETE FROM audit_entry WHERE seq = 2", "an entry is missing"),
    ],
)
def test_a_changed_or_removed_entry_is_named(history, engine, harm, reason):
    with engine.begin() as connection:
        connection.execute(text(f"{harm} AND chain = {history.actor.hospital_id}"))
    history.session.expire_all()
    report = chain_of(history)
    assert (report.broken_at, report.reason) == (2, reason)


@pytest.mark.database
def test_entries_cut_off_at_the_end_are_missed(history, engine):
    before = chain_of(history).entries
    history.session.rollback()
    own = f"chain = {history.actor.hospital_id}"
    with engine.begin() as connection:
        connection.execute(text(f"DELETE FROM audit_entry WHERE seq = {before} AND {own}"))
    history.session.expire_all()
    assert chain_of(history).broken_at == before


@pytest.mark.database
def test_an_entry_recomputed_alone_breaks_the_next(history, engine):
    own = f"chain = {history.actor.hospital_id}"
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE audit_entry SET hash = 'f' WHERE seq = 2 AND {own}"))
    history.session.expire_all()
    assert chain_of(history).broken_at == 2


@pytest.mark.database
def test_the_trail_tells_of_what_was_kept_and_of_nothing_else(history):
    before = chain_of(history).entries
    session = history.session
    with history.writing("test.add"):
        session.add(Department(name="Kept before"))
        session.flush()
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            session.add(Department(name="Undone"))
            session.flush()
            raise ZeroDivisionError
        with session.begin_nested():
            session.add(Department(name="Kept in a savepoint"))
        session.add(Department(name="Kept after"))
    with pytest.raises(ZeroDivisionError), history.writing("test.add"):
        session.add(Department(name="Undone too"))
        session.flush()
        raise ZeroDivisionError
    with history.writing("test.add"):
        session.add(Department(name="Left behind"))
        session.flush()
        session.close()  # the transaction is over, and nobody has rolled it back

    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(3)).all()
    names = [entry.changes["name"][1] for entry in reversed(entries)]
    assert names == ["Kept before", "Kept in a savepoint", "Kept after"]
    report = chain_of(history)
    assert (report.entries, report.broken_at) == (before + 3, None)


def test_the_command_exits_with_one_and_names_the_entry(history, engine, monkeypatch):
    url = engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("APM_DATABASE_URL", url)
    good = CliRunner().invoke(cli, ["audit", "verify"])
    assert good.exit_code == 0
    assert "NORTH: ok" in good.output
    with create_engine(url).begin() as connection:
        own = f"chain = {history.actor.hospital_id}"
        connection.execute(text(f"UPDATE audit_entry SET entity = 'X' WHERE seq = 3 AND {own}"))
    run = subprocess.run(
        [sys.executable, "-m", "apm", "audit", "verify", "--hospital", "NORTH"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "entry 3 is bad" in run.stdout
    assert "tampered" in run.stderr
