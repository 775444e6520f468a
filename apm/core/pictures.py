"""Photos of a fault: read, checked, made small and written anew.

Nothing of the sender's file survives but the image itself: no place, no camera, no trailing bytes.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from threading import Lock

from PIL import Image, ImageOps

from apm.core.errors import Invalid
from apm.core.i18n import _l

LONGEST_SIDE = 1920
MOST_PIXELS = 64_000_000
"""A phone's largest photo has about 50 million; a decompression bomb has billions."""
MOST_PIXELS_UNPACKED = 25_000_000
"""Of PNG and WebP, which cannot be decoded small: 8 kB may say 64 million and take 600 MB."""
MOST_BYTES = 15 * 1024 * 1024
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP")
BROKEN = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, MemoryError)
"""What Pillow raises on a file that is not what it says."""
_one_at_a_time = Lock()
"""So that many large photos sent at once take no more memory than one."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A clean JPEG, at most `LONGEST_SIDE` pixels a side."""

    jpeg: bytes
    width: int
    height: int


def clean_picture(data: bytes) -> Picture:
    """Return the photo in `data`, re-encoded.

    Raises:
        Invalid: it is no picture we read, damaged, or too large; field `photos`.
    """
    if len(data) > MOST_BYTES:
        raise _refused(_l("The photo is larger than 15 MB. Send a smaller one."))
    try:
        with warnings.catch_warnings():
            # Pillow warns from its own limit on; ours below decides, before anything is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=FORMATS)
        most = MOST_PIXELS if image.format == "JPEG" else MOST_PIXELS_UNPACKED
        if image.width * image.height > most:
            raise _refused(_l("The photo has too many pixels. Send a smaller one."))
        with _one_at_a_time:
            return _encoded(image)
    except Image.DecompressionBombError as error:
        raise _refused(_l("The photo has too many pixels. Send a smaller one.")) from error
    except BROKEN as error:
        raise _refused(
            _l("This file is not a photo we can read. Send a JPEG, PNG or WebP picture.")
        ) from error


def _encoded(image: Image.Image) -> Picture:
    image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is then decoded small at once
    upright = ImageOps.exif_transpose(image)
    if upright.mode not in {"RGB", "RGBA", "L"}:
        upright = upright.convert("RGBA")
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    upright = upright.convert("RGBA")
    clean = Image.new("RGB", upright.size, "white")  # a new image: no metadata can come along
    clean.paste(upright, mask=upright.getchannel("A"))
    out = BytesIO()
    clean.save(out, "JPEG", quality=QUALITY, optimize=True)
    return Picture(out.getvalue(), clean.width, clean.height)


def _refused(message: object) -> Invalid:
    return Invalid(message, fields={"photos": [message]}, code="not_a_picture")
