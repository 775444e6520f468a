"""Metrology and risk of the world: one of each thing, with the world's name in every text."""

from __future__ import annotations

from typing import Any

from apm.assets.model import Asset
from apm.metrology.certificates import decide_subject, record_certificate
from apm.metrology.instruments import Details, add_instrument, calibrate
from apm.metrology.model import AppliedPart, Method, ProtectionClass
from apm.metrology.naming import name_instrument
from apm.metrology.profiles import save_profile
from apm.metrology.result_storing import import_file
from apm.metrology.safety import describe_safety
from apm.risk.commands import decide_interval, review_schedule, score_asset, score_category
from apm.risk.model import Schedule
from tests.apm.hospital import jpeg
from tests.apm.metrology import issued
from tests.apm.result_files import ansur


def measure_up(as_: Any, name: str, asset: Asset, no: str) -> dict[str, Any]:
    """Certificates, an instrument that is named on work order `no`, results, scores."""
    wang, code, short = as_("wang"), asset.code, name[:100]
    decide_subject(wang, asset=code, is_subject=True, reason=name)
    said = {"number": short, "body": short, "note": name}
    made = record_certificate(wang, asset=code, issued=issued(wang, **said), data=jpeg())
    parts = [AppliedPart.CF]
    describe_safety(
        wang, asset=code, protection=ProtectionClass.I, parts=parts, method=Method.DIRECT
    )
    tool = add_instrument(wang, details=Details(short, short, name_zh=short, model=short))
    calibrate(wang, instrument_id=tool.id, issued=issued(wang, **said))
    name_instrument(as_("amy"), no=no, instrument_id=tool.id)
    columns = {"asset": short, "test": short, "value": short}
    profile = save_profile(wang, name=short, columns=columns, tests={short.lower(): "es1"})
    import_file(wang, data=ansur("V-1"), name=short)
    score_category(wang, category="VENT", inputs={"upkeep": 4}, reason=name)
    score_asset(wang, asset=code, inputs={"upkeep": 3}, reason=name)
    review_schedule(wang, category="VENT", schedule=Schedule.OEM, reason=name)
    decide_interval(wang, category="VENT", months=3, is_approved=False, reason=name)
    return {
        "certificates": made.id, "instruments": tool.id, "profiles": profile.id,
        "categories": "VENT",
    }  # fmt: skip
