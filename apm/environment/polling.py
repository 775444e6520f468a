"""Answers to a page that keeps asking what is new."""

from __future__ import annotations

from flask import Response


def with_key(answer: Response, key: str) -> Response:
    """Name an answer by what it shows, so that the page that asks again is told of changes only.

    It stays out of every cache: the page compares by itself.
    """
    answer.headers["ETag"] = f'W/"{key}"'
    return answer
