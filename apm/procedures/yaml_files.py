"""Templates as YAML: for people who keep them in files, and for other hospitals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from marshmallow import ValidationError

from apm.core.i18n import _l
from apm.procedures.documents import Document
from apm.procedures.files import BadFile, Flaw
from apm.procedures.schema import DocumentIn, flat

FORMAT = "apm-templates/1"
MOST_NESTING = 20
DEFAULTS: Document = {
    "mandatory": True, "photo": False, "on_fail": "repair", "note": None, "unit": None,
    "at": None, "at_unit": None, "tolerance": None, "source": None, "trust": None,
    "minutes": None, "tools": [], "spares": [], "metrology": [], "absorbs": [], "parts": [],
}  # fmt: skip
Path = tuple[str | int, ...]


def to_yaml(documents: list[Document]) -> bytes:
    """Return templates as YAML; what is as usual is left out."""
    plain = [
        {**_short(document), "steps": [_short(step) for step in document["steps"]]}
        for document in documents
    ]
    text: str = yaml.dump(
        {"format": FORMAT, "templates": plain},
        Dumper=_Whole,
        allow_unicode=True,
        sort_keys=False,
        width=98,
    )
    return text.encode()


class _Whole(yaml.SafeDumper):
    """Writes what two steps share twice: a reader need not look for it elsewhere."""

    def ignore_aliases(self, data: Any) -> bool:
        """Know no aliases."""
        return True


def _short(plain: Document) -> Document:
    return {
        name: value
        for name, value in plain.items()
        if name not in DEFAULTS or value != DEFAULTS[name]
    }


def from_yaml(text: str) -> list[Document]:
    """Return the templates of a file, or raise `BadFile` naming each line that is wrong."""
    try:
        _refuse_tricks(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        plain = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadFile([_damaged(error)]) from error
    lines, twice = _lines(root)
    if twice:
        raise BadFile(twice)
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        says = _l("The file must begin with “format: %(format)s”.", format=FORMAT)
        raise BadFile([Flaw("", 1, "format", says)])
    entries = plain.get("templates")
    if not isinstance(entries, list) or not entries:
        raise BadFile([Flaw("", 1, "templates", _l("The file holds no templates."))])
    return _loaded(plain, entries, lines)


def _loaded(plain: Document, entries: list[Any], lines: dict[Path, int]) -> list[Document]:
    documents: list[Document] = []
    flaws = []
    for position, entry in enumerate(entries):
        try:
            documents.append(DocumentIn().load(entry))
        except ValidationError as error:
            for path, message in flat(error.messages):
                at = ("templates", position, *path)
                flaws.append(Flaw("", _line(lines, at), _name(plain, at), message))
    if flaws:
        raise BadFile(flaws)
    return documents


class _Trick(yaml.YAMLError):
    """What a list of templates never needs."""

    def __init__(self, problem_mark: Any) -> None:
        super().__init__()
        self.problem_mark = problem_mark


def _refuse_tricks(text: str) -> None:
    """Raise for what a list of templates never needs: aliases (they multiply), tags, nesting."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None):
            raise _Trick(problem_mark=event.start_mark)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_NESTING:
            raise _Trick(problem_mark=event.start_mark)


def _damaged(error: Exception) -> Flaw:
    mark = getattr(error, "problem_mark", None)
    says = (
        _l("Write the file without anchors (&), aliases (*), tags (!) and deep nesting.")
        if isinstance(error, _Trick)
        else _l("This is no YAML that can be read. Correct it here: check indents and quotes.")
    )
    return Flaw("", mark.line + 1 if mark else 1, "", says)


def _lines(root: yaml.Node | None) -> tuple[dict[Path, int], list[Flaw]]:
    """Return the line of each value by its path, and the keys that are there twice."""
    lines: dict[Path, int] = {}
    twice: list[Flaw] = []
    waiting: list[tuple[Path, yaml.Node]] = [((), root)] if root else []
    while waiting:
        path, node = waiting.pop()
        lines[path] = node.start_mark.line + 1
        for key, inner in _inside(node):
            if (*path, key) in lines:
                says = _l("“%(key)s” is there twice. Delete one of them.", key=key)
                twice.append(Flaw("", inner.start_mark.line + 1, str(key), says))
            lines[*path, key] = inner.start_mark.line + 1
            waiting.append(((*path, key), inner))
    return lines, twice


def _inside(node: yaml.Node) -> Iterator[tuple[str | int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((str(key.value), value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from enumerate(node.value)


def _line(lines: dict[Path, int], path: Path) -> int:
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _name(plain: Any, path: Path) -> str:
    """Return where that is, in words: `VENT / steps / vt / unit`."""
    words: list[str] = []
    here = plain
    for key in path:
        try:
            here = here[key]
        except (LookupError, TypeError):  # what is missing cannot be entered
            here = None
        known = (here.get("code") or here.get("id")) if isinstance(here, dict) else None
        words.append(str(known) if isinstance(key, int) and known else str(key))
    return " / ".join(words[1:])
