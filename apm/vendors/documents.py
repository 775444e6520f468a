"""Files a vendor hands in: a service report or photos, believed only for what is in them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from io import BytesIO

from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.pictures import clean_picture

MOST_BYTES = 10 * 1024 * 1024
PDF, JPEG = "application/pdf", "image/jpeg"
MAGIC = b"%PDF-"
BROKEN = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError,
          OverflowError, AssertionError, OSError)  # fmt: skip
"""What pypdf raises, beside errors of its own, on a file that is not what it says."""
logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # a broken file is the sender's news


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it is kept."""

    content: bytes
    media_type: str


def read_report(data: bytes) -> Document:
    """Return a service report: a PDF as it came, or a picture made anew.

    Raises:
        Invalid: neither of the two, damaged, locked with a password, or too large; field `report`.
    """
    if len(data) > MOST_BYTES:
        raise _refused(_l("The file is larger than 10 MB. Send a smaller one."))
    if data.startswith(MAGIC):
        _check_pdf(data)
        return Document(data, PDF)
    try:
        return Document(clean_picture(data).jpeg, JPEG)
    except Invalid as error:
        raise _refused(
            _l("This file is no PDF and no picture. Send the report as a PDF.")
        ) from error


def _check_pdf(data: bytes) -> None:
    from pypdf import PdfReader  # noqa: PLC0415  (seconds, which few starts need)
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    try:
        reader = PdfReader(BytesIO(data), strict=False)
        is_locked = reader.is_encrypted
        pages = 0 if is_locked else len(reader.pages)
    except (PyPdfError, *BROKEN) as error:
        raise _refused(_l("This PDF is damaged. Save it anew and send it again.")) from error
    if is_locked:
        raise _refused(_l("This PDF is locked with a password. Send one that opens without."))
    if pages == 0:
        raise _refused(_l("This PDF has no page. Save it anew and send it again."))


def _refused(message: object) -> Invalid:
    return Invalid(message, fields={"report": [message]}, code="not_a_report")
