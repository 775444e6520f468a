"""Result files as tables: rows of named texts, whether the file is CSV, a workbook or XML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from apm.assets.spreadsheet import read_sheets, text_of
from apm.assets.workbook import Unreadable
from apm.core.errors import Invalid
from apm.core.i18n import _l

MOST_BYTES = 10 * 1024 * 1024
MOST_ROWS = 50_000
DEEPEST = 40
HEAD_WITHIN = 40
"""Rows in which the heads of a CSV file are looked for."""
XML = re.compile(rb"\s*<(?:\?xml|[A-Za-z_])")
ZIP = b"PK\x03\x04"
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its number as people count it, and its texts by column."""

    row: int
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds, before anybody says what it means."""

    columns: list[str]
    records: list[Record]
    is_xml: bool = False


@dataclass(slots=True)
class Node:
    """One element of an XML file."""

    name: str
    line: int
    attributes: dict[str, str]
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)
    text: str = ""


def refused(message: object, code: str = "not_a_result_file") -> Invalid:
    """Return the refusal of a whole file."""
    return Invalid(message, fields={"file": [message]}, code=code)


def is_xml(data: bytes) -> bool:
    """Tell whether a file means to be XML."""
    for mark in BOMS[1:]:
        if data.startswith(mark):
            return b"<\x00" in data[:8] or b"\x00<" in data[:8]
    return XML.match(data.removeprefix(BOMS[0])) is not None


def xml_tree(data: bytes) -> Node:
    """Return the root of an XML file; entities and document types are refused, not followed.

    Raises:
        Invalid: it is no XML, too deep or too large.
    """
    parser = expat.ParserCreate()
    root = Node("", 0, {})
    here = [root]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(here) > DEEPEST or count > MOST_ROWS * 20:
            raise refused(_l("This file is nested too deeply or too long. Export it in parts."))
        plain = name.rpartition(":")[2]
        node = Node(plain, parser.CurrentLineNumber, attributes, here[-1])
        here[-1].children.append(node)
        here.append(node)

    def end(_name: str) -> None:
        here.pop()

    def text(chunk: str) -> None:
        here[-1].text += chunk

    def forbid(*_parts: object) -> None:
        raise refused(
            _l("This XML file defines a document type, which is not read. Export it plainly.")
        )

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = forbid
    try:
        parser.Parse(data, True)  # noqa: FBT003  (expat's own signature: this is all of it)
    except expat.ExpatError as error:
        raise refused(
            _l("This XML file is damaged in line %(line)s. Export it anew.", line=error.lineno)
        ) from error
    except (UnicodeError, ValueError) as error:
        raise refused(_l("This XML file cannot be read. Export it anew as UTF-8.")) from error
    return root


def xml_table(root: Node, record: str) -> Table:
    """Return each element called `record` as a row: what stands in it and what stands around."""
    found = [node for node in _walk(root) if node.name == record]
    if len(found) > MOST_ROWS:
        raise refused(_l("This file has too many rows. Export it in parts."))
    rows = [Record(node.line, _texts(node, record)) for node in found]
    columns = dict.fromkeys(name for row in rows for name in row.texts)
    return Table(list(columns), rows, is_xml=True)


def element_names(root: Node) -> list[str]:
    """Return the names of the elements of an XML file, each once."""
    return list(dict.fromkeys(node.name for node in _walk(root) if node.name))


def _walk(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(reversed(here.children))


def _texts(node: Node, record: str) -> dict[str, str]:
    """Return the texts of a record by path: its own, then those of what it stands in."""
    texts: dict[str, str] = {}
    _leaves(node, node.name, texts, within=None)
    above: Node | None = node.parent
    below = node
    while above is not None:
        for child in above.children:
            if child is not below and child.name != record:
                _leaves(child, child.name, texts, within=record)
        for name, value in above.attributes.items():
            texts.setdefault(f"{above.name}@{name}", value.strip())
        below = above
        above = above.parent
    return texts


def _leaves(node: Node, path: str, texts: dict[str, str], *, within: str | None) -> None:
    """Collect texts of `node` and what is in it, except of elements called `within`."""
    for name, value in node.attributes.items():
        texts.setdefault(f"{path}@{name}", value.strip())
    if node.text.strip():
        texts.setdefault(path, node.text.strip())
    for child in node.children:
        if child.name != within:
            _leaves(child, f"{path}/{child.name}", texts, within=within)


def sheet_rows(data: bytes) -> dict[int, list[str]]:
    """Return the first sheet of a CSV file or workbook as rows of texts by number.

    Raises:
        Invalid: it is neither, or cannot be read; the message says why.
    """
    shift, lead = 0, b""
    if not data.startswith(ZIP):
        # The first line decides what parts the cells, and may be a mere title: we give it one.
        data = data.removeprefix(BOMS[0])
        shift, lead = 1, _delimiter(data) * 4 + b"\n"
    try:
        sheet = next((s for s in read_sheets(lead + data) if s.rows), None) if data else None
    except Unreadable as error:
        problem = error.problem
        raise refused(problem.message, str(problem.code)) from error
    if sheet is None:
        raise refused(_l("The file is empty. Choose the file the instrument exported."))
    if len(sheet.rows) > MOST_ROWS:
        raise refused(_l("This file has too many rows. Export it in parts."))
    return {
        number - shift: [text_of(cell) for cell in cells] for number, cells in sheet.rows.items()
    }


def _delimiter(data: bytes) -> bytes:
    """Return what parts the cells: what comes most often in one of the first lines."""
    lines = data.split(b"\n", HEAD_WITHIN)[:HEAD_WITHIN]
    return max((b"\t", b";", b","), key=lambda sign: max(line.count(sign) for line in lines))


def sheet_table(rows: dict[int, list[str]], is_head: Iterable[set[str]]) -> Table:
    """Return rows as a table: its heads are the first row that holds one name of each set.

    Where no row does, the row with the most texts counts, so that it can be shown.
    """
    wanted = [{plain(name) for name in names} for names in is_head]
    numbers = list(rows)[:HEAD_WITHIN]
    best = max(numbers, key=lambda n: sum(bool(c) for c in rows[n]), default=0)
    head = next(
        (n for n in numbers if all(names & {plain(c) for c in rows[n]} for names in wanted)), best
    )
    columns = rows.get(head, [])
    above = {
        cells[0].rstrip(":： "): cells[1]
        for n in numbers
        if n < head and len(cells := [c for c in rows[n] if c]) == 2
    }
    records = [
        Record(number, {**above, **dict(zip(columns, cells, strict=False))})
        for number, cells in rows.items()
        if number > head
    ]
    return Table([c for c in (*columns, *above) if c], records)


def plain(name: str) -> str:
    """Return a column's name as it is compared: small letters, single blanks, no unit.

    >>> plain("Reading  (mA)"), plain("DUT/EquipmentNumber")
    ('reading', 'dut/equipmentnumber')
    """
    return " ".join(re.sub(r"[(（].*?[)）]", " ", name).lower().split())
