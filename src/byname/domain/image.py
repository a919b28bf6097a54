"""Which bytes are a raster image: pictures that hold no script, so that pages may show them (A11)."""

from __future__ import annotations

IMAGE_MARK_BYTES = 16

_MARKS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def image_type(beginning: bytes) -> str | None:
    """The media type that the first bytes show; None for all but PNG, JPEG, GIF and WebP."""
    for mark, kind in _MARKS:
        if beginning.startswith(mark):
            return kind
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "image/webp"
    return None
