"""Links and visits of vendors as JSON."""

from __future__ import annotations

from typing import Any

from apm.core.codes import new_token
from apm.core.http import context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.vendors.link_model import VendorLink, VendorVisit
from apm.vendors.link_schema import (
    LinkForm,
    LinkOut,
    LinkPage,
    NewVisit,
    VisitOut,
    VisitPage,
)
from apm.vendors.links import Company, create_link, links_of, revoke_link
from apm.vendors.visits import Visited, record_visit, visits_of
from apm.work.queries import work_order

api = Blueprint("vendors_api", __name__, url_prefix="/api/v1")


@api.get("/work-orders/<no>/vendor-links")
@api.response(200, LinkPage)
@requires(Permission.WORK_ASSIGN)
def list_links(no: str) -> dict[str, Any]:
    """The links of vendors to one order, newest first."""
    ctx = context()
    return {"items": links_of(ctx, work_order(ctx, no)), "next": None}


@api.post("/work-orders/<no>/vendor-links")
@api.arguments(LinkForm)
@api.response(201, LinkOut)
@requires(Permission.WORK_ASSIGN)
def make_link(said: dict[str, Any], no: str) -> dict[str, Any]:
    """Make a link to one order for a vendor; `link` is told only now."""
    token = new_token()
    company = Company(said["vendor"], said["company"], said["phone"])
    # A repeat with the same Idempotency-Key never comes here: it is answered from what was kept.
    made = create_link(
        context(),
        no=no,
        company=company,
        token=token,
        client_key=new_token(),
        days=said["days"],
    )
    told = {name: getattr(made, name) for name in LinkOut().fields if name != "link"}
    return {**told, "link": f"/v/{token}"}


@api.post("/work-orders/<no>/vendor-links/<int:link_id>/revoke")
@api.response(200, LinkOut)
@requires(Permission.WORK_ASSIGN)
def end_link(no: str, link_id: int) -> VendorLink:
    """End a link at once."""
    return revoke_link(context(), no=no, link_id=link_id)


@api.get("/work-orders/<no>/visits")
@api.response(200, VisitPage)
@requires(Permission.WORK_READ)
def list_visits(no: str) -> dict[str, Any]:
    """The visits of other companies for one order, newest first."""
    ctx = context()
    return {"items": visits_of(ctx, work_order(ctx, no)), "next": None}


@api.post("/work-orders/<no>/visits")
@api.arguments(NewVisit)
@api.response(201, VisitOut)
@requires(Permission.WORK_READ)
def add_visit(said: dict[str, Any], no: str) -> VendorVisit:
    """Write down a visit that came by no link."""
    visited = Visited(
        Company(said["vendor"], said["company"], said["phone"]),
        said["person"],
        said["arrived_at"],
        said["left_at"],
        said["done"],
    )
    return record_visit(context(), no=no, visited=visited, client_key=new_token())
