"""The house keeps its own rules: what every endpoint, command, setting and text must have."""

import ast
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from apm.core.command import COMMANDS
from apm.core.events import SUBSCRIBERS, Event
from apm.core.jobs import JOBS
from apm.core.permissions import ROLES, VENDOR_LINK, VISITOR, Permission, Role
from apm.core.settings import BadSetting, Settings
from apm.labels import LABELS

ROOT = Path(__file__).parents[2]
OPEN_TO_ALL = {
    "accounts.sign_in",
    "accounts.sign_out",
    "api-docs.openapi_json",
    "notify.calendar.feed",
    "operations.api_docs",
    "operations.healthz",
    "operations.metrics",
    "operations.readyz",
    "static",
    "requests.public.comment",
    "requests.public.join",
    "requests.public.label",
    "requests.public.photo",
    "requests.public.reopen",
    "requests.public.report",
    "requests.public.tracking",
    "requests.public.verify",
    "reports.verify",
    "vendors.link.act",
    "vendors.link.answer",
    "vendors.link.come",
    "vendors.link.file",
    "vendors.link.hand_in",
    "vendors.link.show",
    "work.shell.manifest",
    "work.shell.offline",
    "work.shell.service_worker",
}


def test_every_endpoint_names_its_permission(app):
    views = app.view_functions
    assert [name for name, view in views.items() if "permission" not in vars(view)] == []


def test_only_these_endpoints_are_open_to_all(app):
    opened = {n for n, view in app.view_functions.items() if vars(view)["permission"] is None}
    assert opened == OPEN_TO_ALL


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_says_what_it_does(command):
    assert command.handler.__doc__
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", command.name)


@pytest.mark.parametrize("one", JOBS.values(), ids=JOBS)
def test_every_job_says_what_it_does(one):
    assert one.work.__doc__


def test_every_event_has_somebody_who_hears_it():
    ours = {event.kind for event in Event.__subclasses__() if event.__module__.startswith("apm.")}
    assert len(ours) > 10
    assert ours <= SUBSCRIBERS.keys()


def test_permissions_are_alphabetical_and_each_is_held_by_somebody():
    names = [permission.value for permission in Permission]
    assert names == sorted(names)
    held = frozenset().union(*ROLES.values(), VISITOR, VENDOR_LINK)
    assert set(Permission) - held == {Permission.SYSTEM_RUN}
    assert set(ROLES) == set(Role)


def test_every_setting_is_documented():
    text = (ROOT / "docs" / "settings.md").read_text()
    for field in fields(Settings):
        name = "PORT" if field.name == "port" else f"APM_{field.name.upper()}"
        assert f"`{name}`" in text


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"APM_DATABSE_URL": "x"}, "no setting of apm"),
        ({"PORT": "eighty"}, "number from 0"),
        ({"APM_BASE_URL": "apm.example"}, "https://"),
        ({"APM_LANGUAGE": "fr"}, "en, zh"),
        ({"APM_COMPUTE": "cluster"}, "dask://"),
        ({"APM_SECRET_KEY": "a", "APM_SECRET_KEY_FILE": "b"}, "not both"),
        ({"APM_SECRET_KEY_FILE": "/nowhere"}, "cannot read"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_says_why(environ, says):
    with pytest.raises(BadSetting, match=re.escape(says)):
        Settings.from_env(environ)


def test_a_secret_may_come_from_a_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    environ = {"APM_SECRET_KEY_FILE": str(file), "APM_DATABASE_URL": "sqlite://"}
    assert Settings.from_env(environ).secret_key == "from a file"


def test_no_style_or_script_stands_in_a_template():
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|<script(?![^>]*src=)", text), (
            path
        )


def test_every_file_keeps_to_one_subject():
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in ("apm", "predict", "seed")
        for path in (ROOT / folder).rglob("*.py")
        if "versions" not in path.parts and (lines := len(path.read_text().splitlines())) > 300
    }
    assert long == {}


def test_labels_of_states_are_complete():
    from apm.assets.model import AssetState, Availability, Condition, Risk
    from apm.maintenance.model import PlanMode
    from apm.requests.states import RequestState
    from apm.work.states import CostKind, Priority, WorkState, WorkType

    for kind, states in {
        "lifecycle": AssetState,
        "availability": Availability,
        "condition": Condition,
        "risk": Risk,
        "work_order": WorkState,
        "work_type": WorkType,
        "request": RequestState,
        "priority": Priority,
        "cost": CostKind,
        "plan_mode": PlanMode,
        "role": Role,
    }.items():
        assert {state.value for state in states} <= set(LABELS[kind]), kind


def test_make_demo_starts_the_demo():
    said = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.rstrip().endswith("python app.py demo")


def test_a_start_loads_no_library_that_few_starts_need():
    heavy = (
        "sklearn", "statsmodels", "pandas", "scipy.stats", "scipy.optimize", "skops", "pypdf",
        "joblib", "openpyxl",
    )  # fmt: skip
    program = (
        "import sys; from apm.factory import load_pages; load_pages(); "
        f"print(*[name for name in {heavy} if name in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == []


HALF_FILLED = """
import apm
from importlib import import_module
from pkgutil import walk_packages
from apm.core.command import COMMANDS
from apm.core.jobs import JOBS
from apm.core.registry import NotLoaded, TooLate
from apm.factory import load_features, load_pages
from apm.forecasts.histories import LOGS

for one in (JOBS, LOGS, COMMANDS):
    try:
        print(sorted(one))
    except NotLoaded as error:
        print(error)
load_features()
print(sorted(LOGS), "worker.tidy" in JOBS)
load_pages()
for module in walk_packages(apm.__path__, "apm."):
    if not module.name.startswith("apm.migrations") and module.name != "apm.__main__":
        import_module(module.name)
try:
    LOGS.add("late", None)
except TooLate as error:
    print(error)
"""


def test_what_features_register_is_all_there_before_it_can_be_read():
    """Before, reading it is refused; afterwards importing the rest of the program adds nothing."""
    said = subprocess.run(
        [sys.executable, "-c", HALF_FILLED], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert said[:2] == [
        f"{what} would be read half-filled: call apm.factory.load_features() first"
        for what in ("jobs", "logs")
    ]
    assert "call apm.factory.load_pages() first" in said[2]
    assert said[3] == "['alarms', 'errors'] True"
    assert "after load_features()" in said[4]


CACHES = {
    ("apm/core/registry.py", "_loaded"),
    ("apm/core/units.py", "_LOOSELY"),
    ("apm/notify/ways/wechat.py", "_tokens"),
}
"""Empty at first because they remember what was done: no feature registers with them."""


def test_nothing_but_a_registry_is_filled_by_import():
    """An empty dict or list of a module, or one that a module changes, may be read half-filled."""
    found = set()
    for path in (ROOT / "apm").rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        for line in ast.parse(path.read_text()).body:
            if (owner := _filled_by_import(line)) and (name, owner) not in CACHES:
                found.add(f"{name}:{line.lineno} {owner}")
    assert found == set()


def _filled_by_import(line):
    """Return the name of what a statement of a module makes empty, or puts something into."""
    match line:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=owner))]):
            return owner
        case ast.Expr(ast.Call(ast.Attribute(value=ast.Name(id=owner), attr=how))):
            return owner if how in {"append", "extend", "insert", "update", "setdefault"} else None
        case (
            ast.Assign(targets=[ast.Name(id=owner)], value=made)
            | ast.AnnAssign(target=ast.Name(id=owner), value=made)
        ):
            return owner if _is_empty(made) else None
    return None


def _is_empty(made):
    match made:
        case ast.Dict(keys=[]) | ast.List(elts=[]):
            return True
        case ast.Call(func=ast.Name(id="defaultdict")):
            return len(made.args) < 2
        case ast.Call(func=ast.Name(id="dict" | "list" | "set" | "deque"), args=[], keywords=[]):
            return True
    return False
