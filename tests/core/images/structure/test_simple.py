"""Formats that state all in a header."""

from __future__ import annotations

import struct

from core.errors import UnreadableCode
from tests.core.images.pictures import code_of


def run_length_bmp(side: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 0, 0, 0, 256, 0)
    start = 14 + len(header) + 1024
    runs = (b"\xff\1" * (side // 255 + 1) + b"\0\0") * side + b"\0\1"
    return (
        b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + header + bytes(1024) + runs
    )


def test_run_lengths_are_decoded_up_to_a_bound() -> None:
    """Pillow decodes them in Python: 100 megapixels took two minutes."""
    assert code_of(run_length_bmp(255)) is None
    assert code_of(run_length_bmp(2500)) is UnreadableCode.TOO_LARGE
