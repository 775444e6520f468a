"""Templates in and out of files: what a file is, is decided by its content."""

from __future__ import annotations

from apm.core.command import Context
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.procedures.commands import import_documents
from apm.procedures.documents import Document
from apm.procedures.files import MOST_BYTES, BadFile, Flaw
from apm.procedures.model import HospitalTemplate
from apm.procedures.sheet_reading import from_xlsx
from apm.procedures.yaml_files import from_yaml


def read_file(data: bytes) -> list[Document]:
    """Return the templates of a YAML file or a workbook.

    Raises:
        BadFile: it is none, or something in it is wrong.
    """
    if len(data) > MOST_BYTES:
        raise BadFile([Flaw("", 1, "", _l("The file is too large. Send a smaller one."))])
    if not data.strip():
        raise BadFile([Flaw("", 1, "", _l("The file is empty. Choose another one."))])
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return from_xlsx(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        says = _l("The text cannot be read in this line. Save the file as UTF-8.")
        raise BadFile([Flaw("", line, "", says)]) from error
    documents = from_yaml(text)
    codes = [document["code"] for document in documents]
    for code in codes:
        if codes.count(code) > 1:
            says = _l("This template is there twice. Delete one of them.")
            raise BadFile([Flaw("", 1, code, says)])
    return documents


def import_file(ctx: Context, data: bytes) -> list[HospitalTemplate]:
    """Take the templates of a file as drafts: all of them or none.

    Raises:
        BadFile: something in it is wrong; nothing was stored.
    """
    documents = read_file(data)
    try:
        return import_documents(ctx, documents=documents)
    except Invalid as error:
        flaws = [
            Flaw("", 1, name, message) for name, texts in error.fields.items() for message in texts
        ]
        raise BadFile(flaws or [Flaw("", 1, "", str(error))]) from error
