"""Pages and their files travel compressed; what carries a version does not."""

import gzip

from tests.apm.hospital import make_asset

ASKED = {"Accept-Encoding": "gzip, deflate"}


def test_a_page_is_sent_small_and_is_the_same_page(client, as_):
    address = f"/a/{make_asset(as_('wang')).code}"

    plain, small = client.get(address), client.get(address, headers=ASKED)

    assert plain.headers.get("Content-Encoding") is None
    assert small.headers["Content-Encoding"] == "gzip"
    assert len(small.data) < len(plain.data) / 2
    whole = gzip.decompress(small.data).decode()
    assert whole.lstrip().startswith("<!doctype html>")
    assert "Accept-Encoding" in small.headers["Vary"]


def test_a_file_is_sent_small_and_then_not_again(client):
    first = client.get("/static/apm.css", headers=ASKED)

    assert first.headers["Content-Encoding"] == "gzip"
    kept = {**ASKED, "If-None-Match": first.headers["ETag"]}
    assert client.get("/static/apm.css", headers=kept).status_code == 304


def test_the_version_of_a_row_survives(client, bearer, as_):
    address = f"/api/v1/assets/{make_asset(as_('wang')).code}"

    answer = client.get(address, headers={**bearer(), **ASKED})

    assert answer.headers["ETag"] == '"1"'
    held = {**bearer(), **ASKED, "If-Match": answer.headers["ETag"]}
    assert client.patch(address, json={"note": "Seen"}, headers=held).status_code == 200
