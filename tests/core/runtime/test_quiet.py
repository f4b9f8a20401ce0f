"""What native libraries print about broken files is dropped; what catdog prints is not."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.runtime.quiet import quiet_native_stderr
from tests.conftest import Draw


def broken_tiff(compression: str) -> bytes:
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "TIFF", compression=compression)
    content = bytearray(stream.getvalue())
    for at in range(3000, 3400):
        content[at] = (content[at] * 7 + 13) & 255
    return bytes(content)


def test_only_catdogs_own_words_reach_standard_error(
    tmp_path: Path, tiny_model: Path, draw: Draw
) -> None:
    """libtiff's complaints, and Pillow's warnings of EXIF, do not."""
    for compression in ("tiff_lzw", "tiff_adobe_deflate"):
        for number in range(4):
            (tmp_path / f"{compression}{number}.tif").write_bytes(broken_tiff(compression))
    draw("cats", 1).save(tmp_path / "odd.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(20))
    arguments = ["predict", str(tmp_path), "--model", str(tiny_model)]
    done = subprocess.run(
        [sys.executable, "-m", "catdog", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    result, *errors = done.stderr.splitlines()
    assert result.endswith("9 photos")
    assert len(errors) == 8
    assert all(line.startswith("Error: ") for line in errors)
    assert "odd.jpg: cat" in done.stdout


def test_it_is_quiet_until_the_last_who_wants_it_is_done(capfd: pytest.CaptureFixture[str]) -> None:
    """Threads may overlap in any way; afterwards all is as it was."""

    def chatter(_: int) -> None:
        with quiet_native_stderr():
            os.write(2, b"native")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(chatter, range(400)))
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
