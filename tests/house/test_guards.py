"""The guards hold whatever a feature's author forgets."""

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import aliased, joinedload
from sqlalchemy.orm.exc import StaleDataError

from apm.accounts.model import Hospital
from apm.accounts.queries import system_actor
from apm.assets.commands import create_asset
from apm.assets.model import Asset, Department
from apm.core.audit import AuditEntry, AuditHead, WriteOutsideCommand
from apm.core.command import COMMANDS, Context, command
from apm.core.db import RawStatement
from apm.core.errors import NotAllowed
from apm.core.events import Event, Outbox
from apm.core.hospital_scope import ScopeViolation
from apm.core.permissions import Permission
from apm.notify.model import Notification

pytestmark = pytest.mark.database


@pytest.fixture
def ventilator(as_) -> Asset:
    """An asset of North."""
    return create_asset(as_("wang"), number="V-1", name="Ventilator", category="VENT")


@pytest.fixture(autouse=True)
def noise(as_):
    """South has an asset too: it must not come back."""
    create_asset(as_("qin"), number="V-1", name="Ventilator of South", category="VENT")


def test_nothing_is_written_outside_a_command(as_):
    ctx = as_("wang")
    ctx.session.add(Department(name="Sneaked in"))
    with pytest.raises(WriteOutsideCommand):
        ctx.session.commit()


@pytest.mark.parametrize(
    "statement",
    [update(Asset).values(name="?"), delete(Asset), insert(Department).values(name="?")],
    ids=["update", "delete", "insert"],
)
def test_no_bulk_write_escapes_the_trail(as_, ventilator, statement):
    ctx = as_("wang")
    with pytest.raises((WriteOutsideCommand, ScopeViolation)):
        ctx.session.execute(statement)
    with pytest.raises((WriteOutsideCommand, ScopeViolation)), ctx.writing("test"):
        ctx.session.execute(statement)


def test_nobody_writes_the_trail_itself(as_, ventilator):
    ctx = as_("wang")
    entry = ctx.session.scalars(select(AuditEntry)).first()
    with pytest.raises(WriteOutsideCommand), ctx.writing("test"):
        entry.actor = "somebody else"
    with pytest.raises(WriteOutsideCommand), ctx.writing("test"):
        ctx.session.execute(delete(AuditHead))


def test_no_query_shape_shows_another_hospital(as_, ventilator):
    session = as_("qin").session
    other = aliased(Asset)
    [own] = session.scalars(select(Asset)).all()
    assert own.name == "Ventilator of South"
    assert session.get(Asset, ventilator.id) is None
    assert session.scalars(select(other)).all() == [own]
    assert session.scalar(select(func.count(Asset.id))) == 1
    assert session.scalar(select(func.count()).select_from(Asset)) == 1
    assert session.execute(select(Asset.id, Department.name).join(Department)).all() == []
    assert session.scalars(select(Asset).options(joinedload(Asset.department))).all() == [own]
    assert not session.scalar(select(select(Asset.id).where(Asset.id == ventilator.id).exists()))
    assert session.scalars(select(Asset.id).union(select(Asset.id))).all() == [own.id]
    assert session.query(Asset).count() == 1
    lateral = select(Asset.id).where(Asset.id == ventilator.id).scalar_subquery()
    assert session.scalars(select(Asset).where(Asset.id.in_(lateral))).all() == []
    cte = select(Asset).cte()
    assert len(session.execute(select(cte.c.id).join(Asset, Asset.id == cte.c.id)).all()) == 1


def test_a_bulk_update_stays_at_home(as_):
    users = {}
    for who in ("wang", "qin"):
        ctx = as_(who)
        users[who] = ctx.actor.user_id
        with ctx.writing("test"):
            ctx.session.add(
                Notification(
                    user_id=ctx.actor.user_id,
                    event_id=1,
                    kind="test",
                    params={},
                    url="/",
                    at=ctx.now(),
                )
            )
    qin = as_("qin")
    with qin.writing("test"):
        qin.session.execute(update(Notification).values(read_at=qin.now()))
    assert as_("wang").session.scalar(select(Notification)).read_at is None


@pytest.mark.parametrize("raw", [text("select * from asset"), select(Asset.__table__)])
def test_raw_sql_is_refused(as_, raw):
    with pytest.raises(RawStatement):
        as_("qin").session.execute(raw)


def test_the_system_sees_all_hospitals(sessions, ventilator):
    with sessions() as session:
        ctx = Context(session, system_actor(None))
        assert ctx.session.scalar(select(func.count(Asset.id))) == 2


def test_nobody_sees_nothing(client, ventilator):
    for path in (f"/assets/{ventilator.code}", "/assets", "/api/v1/assets"):
        assert client.get(path).status_code in {303, 401}


def test_no_row_is_written_into_another_hospital(as_, ventilator):
    ctx = as_("qin")
    with pytest.raises(ScopeViolation), ctx.writing("test"):
        ctx.session.add(Department(name="Planted", hospital_id=ventilator.hospital_id))
    with pytest.raises(ScopeViolation), ctx.writing("test"):
        message = {"user_id": 1, "event_id": 1, "kind": "x", "params": {}, "url": "/"}
        planted = {**message, "at": ctx.now(), "hospital_id": ventilator.hospital_id}
        ctx.session.execute(insert(Notification), [planted])


def test_the_system_must_say_whose_row_it_writes(sessions):
    with sessions() as session:
        ctx = Context(session, system_actor(None))
        with pytest.raises(ScopeViolation), ctx.writing("test"):
            session.add(Department(name="Nobody's"))


def test_a_session_without_an_actor_reads_nothing(sessions):
    with sessions() as session, pytest.raises(KeyError):
        session.scalars(select(Asset)).all()


def test_a_failed_command_leaves_nothing(as_):
    ctx = as_("wang")
    with pytest.raises(ZeroDivisionError), ctx.writing("test"):
        ctx.session.add(Department(name="Half done"))
        ctx.session.flush()
        raise ZeroDivisionError
    after = as_("wang").session
    assert after.scalar(select(func.count(Department.id))) == 0
    assert after.scalars(select(AuditEntry).where(AuditEntry.command == "test")).all() == []


class Rang(Event):
    """A fact only this test knows."""

    kind = "test.rang"


def test_an_event_lives_and_dies_with_its_change(as_):
    ctx = as_("wang")
    with pytest.raises(ZeroDivisionError), ctx.writing("test"):
        ctx.emit(Rang())
        raise ZeroDivisionError
    with ctx.writing("test"):
        pass
    assert ctx.session.scalars(select(Outbox).where(Outbox.kind == "test.rang")).all() == []
    with ctx.writing("test"):
        ctx.emit(Rang())
    assert len(ctx.session.scalars(select(Outbox).where(Outbox.kind == "test.rang")).all()) == 1


def test_two_people_one_winner(as_, ventilator):
    first, second = as_("wang"), as_("zhao")
    mine = first.session.get(Asset, ventilator.id)
    theirs = second.session.get(Asset, ventilator.id)
    with first.writing("test"):
        mine.note = "No power"
    with pytest.raises(StaleDataError), second.writing("test"):
        theirs.note = "Smells burnt"


def test_a_command_asks_for_its_permission(as_):
    with COMMANDS.trial():

        @command("test.only_here", Permission.USER_ADMIN)
        def only_admins(ctx: Context) -> str:
            """Do nothing."""
            return "done"

    with pytest.raises(NotAllowed):
        only_admins(as_("chen"))
    assert only_admins(as_("amy")) == "done"


def test_a_nested_command_is_named_in_the_trail(as_):
    ctx = as_("wang")
    with ctx.writing("outer"):
        ctx.session.add(Department(name="First"))
        with ctx.writing("inner"):
            ctx.session.add(Department(name="Second"))
        ctx.session.add(Department(name="Third"))
    query = select(AuditEntry.command).where(AuditEntry.entity == "Department")
    assert ctx.session.scalars(query.order_by(AuditEntry.seq)).all() == ["outer", "inner", "outer"]


def test_the_trail_says_who_when_what_old_and_new(as_, ventilator):
    ctx = as_("zhao")
    asset = ctx.session.get(Asset, ventilator.id)
    with ctx.writing("test.rename"):
        asset.name = "Ventilator 2"
    entry = ctx.session.scalars(
        select(AuditEntry).where(AuditEntry.entity == "Asset").order_by(AuditEntry.seq.desc())
    ).first()
    assert (entry.actor, entry.command) == ("zhao@north.example", "test.rename")
    assert (entry.entity_id, entry.user_id) == (ventilator.id, ctx.actor.user_id)
    assert entry.changes["name"] == ["Ventilator", "Ventilator 2"]


def test_secrets_stay_out_of_the_trail(as_):
    ctx = as_("amy")
    for entry in ctx.session.scalars(select(AuditEntry).where(AuditEntry.entity == "User")):
        assert "argon2" not in str(entry.changes)
        assert entry.changes["password_hash"] == ["***", "***"]


def test_hospitals_are_told_apart_by_their_own_chains(as_, ventilator):
    ctx = as_("wang")
    [north, south] = ctx.session.scalars(select(Hospital.id).order_by(Hospital.id)).all()
    chains = set(ctx.session.scalars(select(AuditEntry.chain)))
    assert {north, south} <= chains
