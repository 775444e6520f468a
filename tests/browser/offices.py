"""Papers and outsiders of the furnished hospital: certificates, vendors, channels, prints."""

from __future__ import annotations

from apm.assets.model import Asset
from apm.core.codes import new_token
from apm.core.command import Context
from apm.core.sealing import seal
from apm.core.settings import Settings
from apm.metrology.certificates import decide_subject, record_certificate
from apm.metrology.instruments import Details, add_instrument, calibrate
from apm.metrology.model import AppliedPart, Method, ProtectionClass
from apm.metrology.safety import describe_safety
from apm.notify.channel_commands import Details as ChannelDetails
from apm.notify.channel_commands import add_channel
from apm.notify.topics import ChannelKind
from apm.reports.commands import issue
from apm.risk.commands import score_asset, score_category
from apm.vendors.links import Company, create_link
from tests.apm.hospital import jpeg
from tests.apm.metrology import issued
from tests.browser.house import House

NOWHERE = "http://127.0.0.1:9/"


def keep_papers(wang: Context, vent: Asset, closed_no: str, pages: dict[str, list[str]]) -> str:
    """Certificates, an instrument, scores, a printed record; return where the print is proved."""
    decide_subject(wang, asset=vent.code, is_subject=True, reason="强制检定目录")
    said = {"number": "检定-0001", "body": "计量院", "note": "合格"}
    record_certificate(wang, asset=vent.code, issued=issued(wang, **said), data=jpeg())
    describe_safety(
        wang, asset=vent.code, protection=ProtectionClass.I, parts=[AppliedPart.BF],
        method=Method.DIRECT,
    )  # fmt: skip
    tool = add_instrument(wang, details=Details("FL-1", "Flow analyser", name_zh="气流分析仪"))
    calibrate(wang, instrument_id=tool.id, issued=issued(wang, **said))
    score_category(wang, category="VENT", inputs={"upkeep": 4}, reason="本院经验")
    score_asset(wang, asset=vent.code, inputs={"upkeep": 3}, reason="使用少")
    report = issue(wang, no=closed_no, language="both")
    pages |= {
        "metrology.assets.show": [f"/metrology/assets/{vent.code}"],
        "metrology.instruments.show": [f"/metrology/instruments/{tool.id}"],
        "risk.category_page": ["/risk/categories/VENT"],
        "risk.asset_page": [f"/risk/assets/{vent.code}"],
    }
    return f"/verify/{report.code}"


def let_in(wang: Context, no: str, pages: dict[str, list[str]]) -> str:
    """A link for a vendor's engineer; return where it leads."""
    token = new_token()
    company = Company(name="安捷医疗")
    create_link(wang, no=no, company=company, token=token, client_key=new_token())
    pages["vendors.order.show"] = [f"/work-orders/{no}/vendor"]
    return f"/v/{token}"


def open_ways(house: House, pages: dict[str, list[str]]) -> None:
    """A channel that leads nowhere."""
    settings = Settings.from_env(house.env)
    with house.acting("amy") as amy:
        sealed = seal(settings.secret_key, {"url": NOWHERE})
        details = ChannelDetails("设备科群", {}, ["report", "urgent"], "zh", sealed, "")
        channel = add_channel(amy, kind=ChannelKind.WEBHOOK, details=details)
        pages["notify.channels.channel"] = [f"/admin/channels/{channel.id}"]
