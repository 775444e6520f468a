"""What nobody should send, and where it could be put: for the tests that nothing breaks on it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SCRIPT = "<script>alert('x')</script>"
LONG = "长" * 1000


def cursor(plain: object) -> str:
    """A well-formed cursor that says something the list cannot know."""
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


CURSORS = [
    *(cursor(row) for row in ([], {}, [None], [None, None], [True, 1], [[1], [2]], [{}, {}])),
    *(cursor([value]) for value in (1, "x", "a\x00", "\ud800", 2**70, 1e308, {"t": "2026"})),
    *(cursor([value] * 2) for value in (1, "x", 2**70, {"d": "9999-12-31"}, {"t": "x"})),
    cursor([True, {"t": "2026-01-01T00:00:00"}, 1]),
    cursor([True, {"t": "0001-01-01T00:00:00+14:00"}, 1]),
    cursor([1, {"t": "2026-01-01T00:00:00+00:00"}, "x"]),
    cursor({"t": 1}),
    base64.urlsafe_b64encode(b"[" * 2000).decode(),
    "9" * 200,
]
TEXTS = [
    "", "\x00", "a\x00b", "²", "٣", "-1", "1e400", "NaN", "9" * 30, "9" * 5000, "0001-01-01",
    "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30", SCRIPT,
    "'\"`;--", "%(name)s", "//elsewhere.example", "http://[", "/\\elsewhere.example",
    "a\r\nSet-Cookie: x=1", "👩🏽\u200d⚕️", "\u202eabc", "\ufffe\U0010ffff", LONG,
]  # fmt: skip
ODDEST = ["a\x00b", "9" * 30, "9" * 5000, "²", "-1", "0001-01-01", "9999-12-31", SCRIPT]
"""The texts that have broken something."""
STORED = ["a\x00b", "9" * 30, "9999-12-31", LONG]
"""Of those and `LONG`, what PostgreSQL refuses to keep: zero characters, too large, too long."""
JSONS: list[Any] = [
    *ODDEST, "", LONG, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "\ud800",
    "\udfff\ud800", None, True, 0, -1, 1.5, 2**63, -(2**70), 1e308, [], [None], {}, {"a": {}},
    [{"x": "\x00"}],
]  # fmt: skip
JSONS_STORED: list[Any] = [
    *STORED, "9999-12-31T23:59:59-14:00", "\ud800", True, 2**63, -(2**70), 1e308, [None], {}, None,
    [{"x": "\x00"}],
]  # fmt: skip
"""Of `JSONS`, what PostgreSQL may refuse where SQLite keeps it."""
BODIES = [
    b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff\xfe", b"{}" * 2, b"[" * 100_000, b"\x00",
    b'{"a":' * 50_000, b'{"n": ' + b"9" * 5000 + b"}", b'{"a": NaN}', b'{"a": 1e999}',
    b'{"\\ud800": "\\ud800"}', b'{"\\u0000": 1}',
]  # fmt: skip
"""Bodies said to be JSON."""


def odd_for(good: Any, values: list[Any]) -> list[Any]:
    """Values to send where `good` is expected: all of its kind, and one of each other kind."""
    kinds = [str, (bool, int, float), list, dict, type(None)]
    groups = [[value for value in values if isinstance(value, kind)] for kind in kinds]
    return [
        value
        for kind, group in zip(kinds, groups, strict=True)
        for value in (group if isinstance(good, kind) else group[:1])
    ]


def names_in_addresses() -> set[str]:
    """Every parameter that a page reads from its address by name, found in the code."""
    read = re.compile(r"""args(?:\.get|\.getlist)?[(\[]["'](\w+)""")
    return {n for path in (ROOT / "apm").rglob("*.py") for n in read.findall(path.read_text())}


def names_in_page(page: str) -> set[str]:
    """Every field of the forms of a page as it was sent."""
    return set(re.findall(r"""<(?:input|select|textarea|button)[^>]*\bname="([^"]+)\"""", page))


def forms_in_page(page: str) -> Iterator[tuple[str, set[str]]]:
    """Every form of a page that sends something: where to, and its fields."""
    for start, inside in re.findall(r"<form([^>]*)>(.*?)</form>", page, re.DOTALL):
        names = names_in_page(inside)
        for target in re.findall(r'\b(?:form)?action="([^"?]*)', start + inside):
            yield target, names


def example(schema: dict[str, Any], spec: dict[str, Any], known: dict[str, Any], name: str) -> Any:
    """A value that fits a schema of the API's description; `known` values by field name."""
    if name in known:
        return known[name]
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return schema["enum"][0]
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    match kind:
        case "object":
            properties = schema.get("properties", {})
            return {n: example(s, spec, known, n) for n, s in properties.items()}
        case "array":
            return [example(schema.get("items", {}), spec, known, "")]
        case "string":
            days = {"date": "2026-05-01", "date-time": "2026-05-01T08:00:00+00:00"}
            return days.get(schema.get("format", ""), "abc")
    return {"integer": 1, "number": 1.5, "boolean": True}.get(kind)


def operations(spec: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each operation of the API: method, path, description."""
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                yield method, path, operation
