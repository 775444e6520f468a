"""A plain webhook: the message as JSON to an address of the hospital's own."""

from __future__ import annotations

from apm.notify.outside import post_json
from apm.notify.sending import Parcel


def send(parcel: Parcel) -> None:
    """POST `{"id", "title", "text", "link"}`; any 2xx is an acceptance."""
    words = parcel.words
    body = {"id": parcel.delivery, "title": words.title, "text": words.body, "link": words.link}
    post_json(parcel.secret["url"], body, reach=parcel.reach)
