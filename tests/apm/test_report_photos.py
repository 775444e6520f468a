"""Photos: whatever is sent, what is kept is a small clean JPEG, or nothing."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from apm.core.errors import Invalid
from apm.core.pictures import LONGEST_SIDE, MOST_BYTES, clean_picture
from tests.apm.hospital import jpeg


def opened(data):
    return Image.open(io.BytesIO(data))


def png(width, height, rows=b""):
    """A PNG that claims a size, with whatever rows come along."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )  # fmt: skip


@pytest.mark.parametrize("size", [(640, 480), (6000, 4000), (100, 5000)])
def test_it_is_made_small_and_keeps_its_shape(size):
    kept = clean_picture(jpeg(*size))
    image = opened(kept.jpeg)
    assert image.format == "JPEG"
    assert image.size == (kept.width, kept.height)
    assert max(image.size) <= LONGEST_SIDE
    assert image.width / image.height == pytest.approx(size[0] / size[1], rel=0.03)


def test_place_camera_comment_and_appended_bytes_are_gone():
    exif = Image.Exif()
    exif[0x010F] = "CAMERA-MAKER"
    exif.get_ifd(0x8825)[1] = "N"
    sent = jpeg(exif=exif.tobytes(), comment=b"PATIENT-NAME") + b"<script>TRAILER</script>"
    kept = clean_picture(sent).jpeg
    for secret in (b"CAMERA-MAKER", b"PATIENT-NAME", b"TRAILER", b"Exif"):
        assert secret in sent
        assert secret not in kept


def test_a_photo_taken_sideways_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    kept = clean_picture(jpeg(800, 400, exif=exif.tobytes()))
    assert (kept.width, kept.height) == (400, 800)


MODES = {
    "PNG": ["RGB", "RGBA", "L", "P", "LA", "I;16"],
    "WEBP": ["RGB", "RGBA", "L", "P"],
    "JPEG": ["RGB", "L", "CMYK"],
}


@pytest.mark.parametrize(("kind", "mode"), [(k, m) for k, modes in MODES.items() for m in modes])
def test_kinds_of_pictures_that_phones_and_screens_make(kind, mode):
    out = io.BytesIO()
    Image.new(mode, (40, 30)).save(out, kind)
    assert opened(clean_picture(out.getvalue()).jpeg).mode == "RGB"


def bomb():
    return png(50_000, 50_000)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"MZ\x90\x00 a program", id="a program called photo.jpg"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", id="svg"),
        pytest.param(b"GIF89a" + b"\x00" * 50, id="gif"),
        pytest.param(b"%PDF-1.7", id="pdf"),
        pytest.param(jpeg()[:400], id="half a photo"),
        pytest.param(png(640, 480), id="a PNG without its rows"),
        pytest.param(bomb(), id="2,500 million pixels"),
        pytest.param(png(9_000, 9_000), id="81 million pixels"),
        pytest.param(b"\xff\xd8" + b"\x00" * MOST_BYTES, id="16 MB"),
    ],
)
def test_what_is_no_photo_is_refused(data):
    with pytest.raises(Invalid) as refused:
        clean_picture(data)
    assert "photos" in refused.value.fields


def test_a_small_file_that_unpacks_to_600_mb_is_refused_before_it_is_unpacked():
    rows = (b"\x00" + b"\x00" * 8_000 * 3) * 8_000
    with pytest.raises(Invalid, match="too many pixels"):
        clean_picture(png(8_000, 8_000, rows))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_photos_are_refused_or_read_never_a_crash(data):
    whole = bytearray(jpeg(64, 48))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        kept = clean_picture(bytes(whole))
    except Invalid:
        return
    assert opened(kept.jpeg).format == "JPEG"
