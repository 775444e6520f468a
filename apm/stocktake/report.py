"""The result of a count: four lists, and the same as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from apm.assets.exporting import guarded
from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.i18n import _, choose
from apm.labels import label
from apm.stocktake.model import Found, Scan, Stocktake
from apm.stocktake.queries import Counts, counts_of, missing_from, scans_of

MARK = "\ufeff"
"""Without it spreadsheet programs take UTF-8 for something else."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a count found: scans by kind, and the assets that were not seen."""

    counts: Counts
    found: list[Scan]
    missing: list[Asset]
    unexpected: list[Scan]
    unknown: list[Scan]


def report_of(ctx: Context, stocktake: Stocktake) -> Report:
    """Return everything a count found, in two lists' worth of queries."""
    scans = scans_of(ctx, stocktake)
    by_kind = {kind: [s for s in scans if s.found is kind] for kind in Found}
    return Report(
        counts=counts_of(ctx, [stocktake])[stocktake.id],
        found=by_kind[Found.EXPECTED],
        missing=missing_from(ctx, stocktake),
        unexpected=by_kind[Found.UNEXPECTED],
        unknown=by_kind[Found.UNKNOWN],
    )


def csv_of(report: Report) -> str:
    """Return a report as CSV in the language spoken; cells cannot act as formulas."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(
        [
            _("Result"), _("Code"), _("Asset number"), _("Name"), _("Department"),
            _("Location"), _("Scanned by"), _("Scanned at"),
        ]
    )  # fmt: skip
    for asset in report.missing:
        writer.writerow([label("stocktake", "missing"), asset.code, *_place(asset), "", ""])
    for scan in (*report.unexpected, *report.unknown, *report.found):
        place = _place(scan.asset) if scan.asset else ["", "", "", ""]
        who = [guarded(scan.scanned_by), scan.scanned_at.isoformat(timespec="seconds")]
        writer.writerow([label("stocktake", scan.found.value), guarded(scan.code), *place, *who])
    return MARK + out.getvalue()


def _place(asset: Asset) -> list[str]:
    department, location = asset.department, asset.location
    cells = [
        asset.number,
        choose(asset.name, asset.name_zh),
        choose(department.name, department.name_zh) if department else "",
        choose(location.name, location.name_zh) if location else "",
    ]
    return [guarded(cell) for cell in cells]
