"""The blocks of a GIF."""

from __future__ import annotations

from core.errors import UnreadableCode
from core.images.decode import open_image
from tests.core.images.pictures import SIZE, code_of, encoded


def test_a_gif_without_a_trailer_is_whole() -> None:
    """Many programs leave it out."""
    assert code_of(encoded("GIF")[:-1]) is None


def test_comments_of_a_gif_are_not_kept() -> None:
    """Pillow takes 44 bytes for each byte of them."""
    content = encoded("GIF")
    comment = b"\x21\xfe" + (b"\xff" + b"x" * 255) * 8000 + b"\0"
    place = 13 + (3 << ((content[10] & 7) + 1))
    assert open_image(content[:place] + comment + content[place:], min_side=64).size == SIZE


def test_a_gif_of_endless_tiny_blocks_is_refused() -> None:
    content = encoded("GIF")
    comment = b"\x21\xfe" + b"\1x" * 1_600_000 + b"\0"
    place = 13 + (3 << ((content[10] & 7) + 1))
    assert code_of(content[:place] + comment + content[place:]) is UnreadableCode.TOO_LARGE
