"""Who gets in where: every endpoint and every role, and one hospital's door for the other."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from apm.accounts.commands import add_user
from apm.accounts.queries import system_actor
from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.core.permissions import ROLES, Role
from apm.requests.model import Comment
from apm.stocktake.model import Scan
from tests.conftest import CAST, PASSWORD
from tests.house.world import endpoints, path_of
from tests.house.worlds import Worlds

SECRET = "Northern-Lights"
PEOPLE = {role: name for name, (place, role, *_) in CAST.items() if place == "NORTH"}
R, T, E, M, A, D = (
    Role.REPORTER, Role.TECHNICIAN, Role.ENGINEER, Role.MANAGER, Role.ADMIN, Role.DEVICE,
)  # fmt: skip
SENSITIVE: dict[str, set[Role]] = {
    "GET /": {R, T, E, M, A, Role.VENDOR},
    "GET /admin": {A},
    "GET /admin/audit": {M, A},
    "GET /admin/channels": {A},
    "POST /admin/channels/<int:channel_id>/test": {A},
    "POST /api/v1/webhooks": {A},
    "POST /admin/tokens/<int:token_id>/revoke": {A},
    "GET /analytics": {E, M, A},
    "GET /environment": {T, E, M, A},
    "POST /environment/alarms/<int:alarm_id>/acknowledge": {E, A},
    "POST /environment/excursions/<int:report_id>/sign": {E, M, A},
    "POST /environment/<place>/checks": {R, T, E, M, A},
    "POST /environment/<place>/record": {E, M, A},
    "POST /environment/plans": {E, M, A},
    "GET /energy": {E, M, A},
    "GET /assets/<code>/use": {T, E, M, A},
    "POST /energy/terms": {E, M, A},
    "POST /meter-breaks/<int:break_id>": {E, A},
    "POST /sensors/<code>/use": {E, A},
    "POST /sensors/<code>/edit": {E, A},
    "GET /assets": {R, T, E, M, A},
    "GET /assets/export.<any(csv, xlsx):kind>": {E, M, A},
    "POST /assets/import": {E, M, A},
    "POST /assets/<code>/edit": {E, M, A},
    "GET /analytics/causes": {E, M, A},
    "GET /analytics/satisfaction": {E, M, A},
    "POST /analytics/satisfaction/silence": {A},
    "POST /requests/<no>/gather": {E, M, A},
    "POST /requests/<no>/harm": {R, T, E, M, A},
    "POST /requests/<no>/quarantine": {E, M, A},
    "GET /work-orders/<no>/cause": {T, E, M, A},
    "POST /work-orders/<no>/cause/confirm": {E, A},
    "POST /api/v1/work-orders/<no>/cause/confirm": {E, A},
    "GET /api/v1/forecasts": {T, E, M, A},
    "GET /api/v1/assets/<code>/forecast": {T, E, M, A},
    "GET /api/v1/assets/<code>/forecast/why": {T, E, M, A},
    "POST /api/v1/device-events": {E, A, D},
    "POST /assets/<code>/log": {E, A, D},
    "GET /recalls": {T, E, M, A},
    "POST /recalls/new": {E, M, A},
    "POST /recalls/<int:notice_id>/assets/<code>": {E, M, A},
    "POST /recalls/<int:notice_id>/orders": {E, M, A},
    "PUT /api/v1/recalls/<int:notice_id>/assets/<code>": {E, M, A},
    "POST /work-orders/<no>/vendor-links": {E, M, A},
    "POST /work-orders/<no>/vendor-links/<int:link_id>/revoke": {E, M, A},
    "GET /api/v1/work-orders/<no>/vendor-links": {E, M, A},
    "POST /work-orders/<no>/visits": {T, E, M, A},
    "GET /work-orders/<no>/vendor-files/<int:file_id>": {T, E, M, A},
    "GET /requests/<no>/photos/<int:photo_id>.jpg": {R, T, E, M, A},
    "GET /work-orders/<no>": {T, E, M, A},
    "POST /work-orders/<no>/results": {T, E, A},
    "GET /parts": {T, E, M, A},
    "POST /parts/new": {E, M, A},
    "POST /parts/<int:part_id>/receive": {E, M, A},
    "POST /parts/lots/<int:lot_id>/quarantine": {E, M, A},
    "POST /work-orders/<no>/parts": {T, E, M, A},
    "GET /vendors": {E, M, A},
    "POST /api/v1/parts": {E, M, A},
    "POST /plans/<int:plan_id>/stop": {E, M, A},
    "POST /alarms/<int:alarm_id>/clear": {E, A},
    "POST /alarms/<int:alarm_id>/shelve": {E, A},
    "POST /alarms/<int:alarm_id>/out-of-service": {M, A},
    "POST /api/v1/alarms/<int:alarm_id>/in-service": {M, A},
    "GET /alarms/figures": {T, E, M, A},
    "POST /sensors/<code>/rules/<key>": {E, A},
    "GET /fleet": {T, E, M, A},
    "GET /analytics/forecasts": {E, M, A},
    "GET /fleet/models/<any(life, trend, soon):kind>/<int:version>": {T, E, M, A},
    "POST /fleet/models/<any(life, trend, soon):kind>/<int:version>/state": {E, A},
    "POST /fleet/models/<any(life, trend, soon):kind>/<int:version>/train": {E, A},
    "POST /fleet/records/<int:record_id>/as-found": {E, M, A},
    "GET /assets/<code>/forecast": {T, E, M, A},
    "GET /assets/<code>/forecast/why": {T, E, M, A},
    "POST /fleet/forecasts/<int:record_id>/dismiss": {E, M, A},
    "POST /fleet/forecasts/<int:record_id>/schedule": {E, M, A},
    "GET /rounds": {T, E, M, A},
    "POST /rounds/<template>/<int:department_id>": {T, E, A},
    "POST /rounds/<template>/<int:department_id>/approval": {E, M, A},
    "POST /stocktakes/<no>/finish": {T, E, M, A},
    "POST /api/v1/readings": {E, A, D},
    "GET /api/v1/sensors/<code>/readings": {T, E, M, A},
    "GET /connections": {E, A},
    "POST /connections/<int:connection_id>/edit": {E, A},
    "POST /connections/<int:connection_id>/test": {E, A},
    "POST /api/v1/connections": {E, A},
    "POST /api/v1/work-orders": {E, M, A},
    "POST /api/v1/assets": {E, M, A},
    "PUT /api/v1/work-orders/<no>/results/<step>": {T, E, A},
}
"""Written out once by hand, so that a slip in the table of permissions is seen too."""


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    """North, with its name in every text."""
    return Worlds(SECRET)


@pytest.fixture
def browsers(as_, login, monkeypatch) -> dict[Role, Any]:
    """One signed-in browser a role; a device has only its token."""
    system = as_("system")
    add_user(system, email="vera@north.example", name="Vera", role=Role.VENDOR, password=PASSWORD)
    monkeypatch.setitem(CAST, "vera", ("NORTH", Role.VENDOR, "Vera", None))
    return {role: login(name) for role, name in {**PEOPLE, Role.VENDOR: "vera"}.items()}


def knock(browser: Any, method: str, path: str, **options: Any) -> Any:
    """Send as little as possible; JSON to the API."""
    sent = {"json": {}} if path.startswith("/api/") and method != "GET" else {}
    return browser.open(path, method=method, **sent, **options)


@pytest.mark.parametrize("role", [*PEOPLE, Role.VENDOR])
def test_each_role_gets_in_where_the_table_says(app, world, browsers, role):
    for method, rule, permission in endpoints(app):
        is_allowed = permission in ROLES[role]
        if permission is None or (is_allowed and method != "GET"):
            continue  # a step of somebody else's work may be refused later
        status = knock(browsers[role], method, path_of(rule, world)).status_code
        if is_allowed:
            assert status not in {401, 403}, f"{role}: {method} {rule}"
        else:
            assert status == 403, f"{role} got in: {method} {rule}"


@pytest.mark.parametrize("role", Role)
def test_a_token_gets_in_where_the_table_says(app, client, world, bearer, role):
    headers = bearer(role)
    for method, rule, permission in endpoints(app):
        is_allowed = permission in ROLES[role]
        if permission is None or (is_allowed and not (method == "GET" and "/api/" in rule)):
            continue
        answer = knock(client, method, path_of(rule, world), headers=headers)
        if not is_allowed:
            assert answer.status_code == 403, f"{role} got in: {method} {rule}"
        else:
            assert answer.status_code in {200, 404, 422}, f"{role} was kept out: {method} {rule}"


def test_nobody_gets_in_without_a_name(app, client, world):
    for method, rule, permission in endpoints(app):
        if permission is None:
            continue
        answer = knock(client, method, path_of(rule, world))
        to_the_door = method == "GET" and not rule.startswith("/api/")
        assert answer.status_code == (303 if to_the_door else 401), f"{method} {rule}"
        assert not to_the_door or answer.location.startswith("/sign-in?next="), rule


@pytest.mark.parametrize("endpoint", SENSITIVE)
def test_the_table_says_what_was_meant(app, endpoint):
    needed = {f"{method} {rule}": permission for method, rule, permission in endpoints(app)}
    assert {role for role in Role if needed[endpoint] in ROLES[role]} == SENSITIVE[endpoint]


@pytest.fixture
def south(as_, login, monkeypatch) -> Any:
    """The administrator of South: everything is permitted, nothing of North is to be seen."""
    system = Context(as_("qin").session, system_actor(as_("qin").actor.hospital_id))
    add_user(system, email="sam@south.example", name="Sam", role=Role.ADMIN, password=PASSWORD)
    monkeypatch.setitem(CAST, "sam", ("SOUTH", Role.ADMIN, "Sam", None))
    return login("sam")


OF_NOBODY = ("/r/<token>", "/v/<token>", "/templates", "/api/v1/templates", "/risk/categories",
             "/api/v1/risk/categories", "/alarms/rules")  # fmt: skip
"""A link lets its holder in, whoever that is; templates and the like are everybody's."""


def test_the_other_hospital_sees_nothing(app, login, world, south):
    amy = login("amy")
    shown = 0
    for method, rule, _permission in endpoints(app):
        if method != "GET" or rule.startswith(("/r/", "/v/")):
            continue
        path = path_of(rule, world)
        answer = south.get(path)
        assert SECRET.encode() not in answer.data, path
        assert world["code"].encode() not in answer.data or answer.status_code == 404, path
        if "<" in rule and "export" not in rule and not rule.startswith(OF_NOBODY):
            assert answer.status_code == 404, path
        shown += SECRET.encode() in amy.get(path).data
    assert shown >= 15  # the same pages do show it to whom it belongs


def test_the_other_hospital_changes_nothing(app, as_, world, south):
    system = as_("system")
    before = what_north_has(system)
    for method, rule, _permission in endpoints(app):
        if method == "GET" or rule.startswith(("/r/", "/v/")) or rule == "/sign-out":
            continue
        path = path_of(rule, world)
        data = {"asset": world["code"], "code": world["code"], "symptom": "alarm", "no": "R-1"}
        sent = {"json": data} if rule.startswith("/api/") else {"data": data}
        answer = south.open(path, method=method, **sent)
        if "<" in rule and "<action>" not in rule:
            assert answer.status_code in {404, 422}, path
    system.session.rollback()
    assert what_north_has(system) == before


def what_north_has(ctx: Context) -> list[int | None]:
    """How many changes, remarks and scans North counts."""
    trail = select(func.count(AuditEntry.id)).where(AuditEntry.chain == ctx.actor.hospital_id)
    rows = [select(func.count(model.id)) for model in (Comment, Scan)]
    return [ctx.session.scalar(query) for query in (trail, *rows)]
