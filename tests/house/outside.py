"""Somebody of another company in the world of the tests: a link, a visit, papers."""

from __future__ import annotations

from typing import Any

from apm.core.codes import new_token
from apm.core.command import Context
from apm.core.pictures import clean_picture
from apm.vendors.documents import JPEG, Document
from apm.vendors.links import Company, create_link, held_link
from apm.vendors.working import come, hand_in
from tests.apm.hospital import jpeg


def invite(as_: Any, no: str, name: str) -> dict[str, Any]:
    """A vendor of this name who has come to an order and handed something in."""
    token, wang = new_token(), as_("wang")
    company = Company(name=name[:80])
    link = create_link(wang, no=no, company=company, token=token, client_key=new_token())
    held = held_link(wang, link.id)
    assert held
    vendor = Context(as_("system").session, held.actor)
    come(vendor, link_id=link.id, person=name[:80], client_key=new_token())
    photo = clean_picture(jpeg())
    report = Document(photo.jpeg, JPEG)
    hand_in(
        vendor,
        link_id=link.id,
        text=name,
        photos=[photo],
        report=report,
        client_key=new_token(),
    )
    return {"v": token, "vendor-links": link.id, "vendor-files": 1, "files": 1}
