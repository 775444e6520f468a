"""How result files are read: what is known of makers' files, and what this hospital saved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlalchemy import select

from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.core.settings import ROOT
from apm.core.shipped import read_yaml
from apm.metrology.catalogue import safety_tests
from apm.metrology.result_model import ResultProfile
from apm.metrology.tables import (
    Node,
    Table,
    element_names,
    is_xml,
    plain,
    refused,
    sheet_rows,
    sheet_table,
    xml_table,
    xml_tree,
)

FILE = ROOT / "seed" / "result_files.yaml"
FIELDS = ("asset", "serial", "test", "value", "unit", "at", "instrument", "result")
"""What a file may tell; `test`, `value` and one of the first two it must."""
NEEDED = ("test", "value")
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Profile:
    """How one maker's files are read; see `seed/result_files.yaml`."""

    name: str
    columns: dict[str, tuple[str, ...]]
    tests: dict[str, str]
    record: str | None = None
    signs: tuple[str, ...] = ()

    def column(self, field: str, table: Table) -> str | None:
        """Return the file's column for a field: the first of its names that is there.

        A name fits a path that ends with it: `Value` is found as `TestResult/Measurement/Value`.
        """
        for name in self.columns.get(field, ()):
            wanted = plain(name)
            for column in table.columns:
                said = plain(column)
                if said == wanted or (table.is_xml and said.endswith("/" + wanted)):
                    return column
        return None

    def step_key(self, test: str) -> str | None:
        """Return our step for a maker's name of a test; it may say more behind the name."""
        said = plain(test)
        fitting = [name for name in self.tests if said.startswith(name)]
        if fitting:
            return self.tests[max(fitting, key=len)]
        return said if said in safety_tests() else None

    def missing(self, table: Table) -> list[str]:
        """Return the fields that must be there and are not."""
        lost = [field for field in NEEDED if self.column(field, table) is None]
        if not (self.column("asset", table) or self.column("serial", table)):
            lost.insert(0, "asset")
        return lost


@cache
def known_profiles() -> dict[str, Profile]:
    """Return what the program knows of makers' files, by name."""
    plain_text = read_yaml(FILE)
    return {
        entry["name"]: Profile(
            name=entry["name"],
            columns={field: tuple(names) for field, names in entry["columns"].items()},
            tests={plain(name): key for name, key in entry["tests"].items()},
            record=entry.get("record"),
            signs=tuple(entry["signs"]),
        )
        for entry in plain_text["profiles"]
    }


def profiles_of(ctx: Context) -> dict[str, Profile]:
    """Return the hospital's own profiles, then those the program knows, by name."""
    rows = ctx.session.scalars(select(ResultProfile).order_by(ResultProfile.name))
    own = {
        row.name: Profile(
            name=row.name,
            columns={field: (name,) for field, name in row.columns.items()},
            tests={plain(name): key for name, key in row.tests.items()},
            record=row.record,
        )
        for row in rows
    }
    return {**own, **{name: p for name, p in known_profiles().items() if name not in own}}


def saved_profiles(ctx: Context) -> list[ResultProfile]:
    """Return the hospital's own profiles, by name."""
    return list(ctx.session.scalars(select(ResultProfile).order_by(ResultProfile.name)))


@command("result_profile.save", Permission.METROLOGY_EDIT)
def save_profile(
    ctx: Context,
    *,
    name: str,
    columns: dict[str, str],
    tests: dict[str, str],
    record: str | None = None,
) -> ResultProfile:
    """Keep how one maker's files are read; one of this name is replaced.

    Raises:
        Conflict: the program itself knows files by this name.
        Invalid: a column that is needed is not named, or a test leads to no step of ours.
    """
    if name in known_profiles():
        raise Conflict(_l("The program has a profile of this name. Give yours another one."))
    wrong: dict[str, list[object]] = {
        field: [_l("Name the column of the file.")] for field in NEEDED if not columns.get(field)
    }
    if not (columns.get("asset") or columns.get("serial")):
        wrong["asset"] = [_l("Name the column of the number or that of the serial number.")]
    if unknown := sorted(set(tests.values()) - set(safety_tests())):
        wrong["tests"] = [
            _l("There is no step %(keys)s. Choose from the list.", keys=", ".join(unknown))
        ]
    if wrong:
        raise Invalid(_l("The profile cannot be used like this."), fields=wrong)
    found = ctx.session.scalar(select(ResultProfile).where(ResultProfile.name == name))
    row = found or ResultProfile(name=name)
    row.columns = {field: text for field, text in columns.items() if field in FIELDS and text}
    row.tests, row.record, row.saved_by = tests, record, ctx.actor.name
    ctx.session.add(row)
    ctx.session.flush()
    return row


@command("result_profile.remove", Permission.METROLOGY_EDIT)
def remove_profile(ctx: Context, *, profile_id: int) -> None:
    """Forget a profile; what was read with it stays."""
    found = ctx.session.scalar(select(ResultProfile).where(ResultProfile.id == profile_id))
    if found is None:
        raise NotFound(_l("There is no such profile. Reload the page."))
    ctx.session.delete(found)


def table_for(
    data: bytes, chosen: Profile | None, all_of: dict[str, Profile]
) -> tuple[Profile, Table]:
    """Return a file as a table, and the profile it is read by: `chosen`, else the one that fits.

    Raises:
        Invalid: it cannot be read, or is another maker's; the message says what was found.
    """
    if not data.strip():
        raise refused(_l("The file is empty. Choose the file the instrument exported."))
    read = _reader(data)
    tries = [chosen] if chosen else list(all_of.values())
    for profile in tries:
        table = read(profile)
        if table is not None and not profile.missing(table) and table.records:
            return profile, table
    raise _foreign(data, chosen, all_of, read)


class _reader:  # noqa: N801  (used as a function that remembers the file)
    """Reads one file by different profiles, parsing it once."""

    def __init__(self, data: bytes) -> None:
        self.root: Node | None = xml_tree(data) if is_xml(data) else None
        self.rows = {} if self.root else sheet_rows(data)

    def __call__(self, profile: Profile) -> Table | None:
        """Return the file as this profile sees it; None: it is of another kind."""
        if self.root is not None:
            return xml_table(self.root, profile.record) if profile.record else None
        if profile.record:
            return None
        needed = [set(profile.columns.get(field, ())) for field in NEEDED]
        return sheet_table(self.rows, needed)

    def names(self) -> list[str]:
        """Return what there is in the file, for somebody who wonders what it is."""
        if self.root is not None:
            return element_names(self.root)
        return sheet_table(self.rows, [{""}]).columns


def _foreign(
    data: bytes, chosen: Profile | None, all_of: dict[str, Profile], read: _reader
) -> Invalid:
    """Say what a file that does not fit holds, and what to do."""
    found = ", ".join(read.names()[:SHOWN])
    if chosen is not None:
        for other in all_of.values():
            table = read(other)
            if other.name != chosen.name and table and table.records and not other.missing(table):
                return refused(
                    _l(
                        "This is no file of %(chosen)s; it looks like one of %(other)s. Choose"
                        " that profile. Found: %(found)s",
                        chosen=chosen.name,
                        other=other.name,
                        found=found,
                    ),
                    "other_maker",
                )
    return refused(
        _l(
            "No profile fits this file. Found: %(found)s. Save a profile that says which of these"
            " are the number of the equipment, the test and the value.",
            found=found or "–",
        ),
        "unknown_maker",
    )
