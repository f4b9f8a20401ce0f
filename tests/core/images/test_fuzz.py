"""Whatever bytes come, there is an RGB image or a reason why not, within bounds, and no noise."""

from __future__ import annotations

import gc
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image

from core.errors import UnreadableCode, UnreadableImage
from core.images.budget import DEFAULT_MEGABYTES, MEGABYTE, budget
from core.images.decode import open_image
from tests.core.images.pictures import encoded as encoded_picture
from tests.core.images.raw_files import FORMATS as RAW
from tests.core.images.raw_files import jpeg

BLOCK = 100  # mutations in one test
MUTATIONS, MUTATIONS_LONG = 2_000, 8_000
SIZE = (104, 88)
MEMORY_MB = 100  # that decoding may take here: the files are small, what they claim is not
SECONDS = 5  # of processor time, for one file: issue 24's line
_BESIDES_MB = 60  # what an allocator keeps, and decoders' own tables

Random = np.random.Generator


def drawn(mode: str = "RGB", *, seed: int = 5) -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 255, (11, 13, 3), dtype=np.uint8)
    picture = Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC)
    if mode == "I;16":
        return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(SIZE))
    return picture.convert(mode)


def encoded(format: str, picture: Image.Image | None = None, **options: Any) -> bytes:
    return encoded_picture(format, picture or drawn(), **options)


def several(format: str, **options: Any) -> bytes:
    more = [drawn(seed=6), drawn(seed=7)]
    first = Image.new("RGB", SIZE)
    return encoded(format, first, save_all=True, append_images=more, duration=50, **options)


def run_length_bmp() -> bytes:
    rows = b"".join(
        b"".join(b"\x08" + bytes([column ^ row]) for column in range(SIZE[0] // 8)) + b"\0\0"
        for row in range(SIZE[1])
    )
    header = struct.pack("<IiiHHIIiiII", 40, *SIZE, 1, 8, 1, 0, 0, 0, 256, 0)
    start = 14 + len(header) + 1024
    head = b"BM" + struct.pack("<IHHI", start + len(rows) + 2, 0, 0, start)
    return head + header + bytes(range(256)) * 4 + rows + b"\0\1"


def psd() -> bytes:
    head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, SIZE[1], SIZE[0], 8, 3)
    resource = b"8BIM\x04\x22\0\0" + struct.pack(">I", 8) + b"MM\0*\0\0\0\x08"
    planes = np.asarray(drawn()).transpose(2, 0, 1).tobytes()
    return head + bytes(4) + struct.pack(">I", len(resource)) + resource + bytes(4 + 2) + planes


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    found[0x9003] = "2024:05:06 07:08:09"
    return found


@cache
def sources() -> dict[str, bytes]:
    """Make a small whole file of every kind that is read; the keys are their names."""
    grey, wide = drawn("L"), drawn("I;16")
    palette = drawn().quantize(32)
    raw = {f"{kind}.dng": build(jpeg((1050, 700))) for kind, build in RAW.items()}
    found = {
        "baseline.jpg": encoded("JPEG", exif=exif(6), icc_profile=bytes(300)),
        "restarts.jpg": encoded("JPEG", subsampling=0, restart_marker_rows=1),
        "progressive.jpg": encoded("JPEG", progressive=True, quality=90),
        "grey.jpg": encoded("JPEG", grey, comment=b"a comment"),
        "cmyk.jpg": encoded("JPEG", drawn("CMYK")),
        "several.jpg": encoded("MPO", save_all=True, append_images=[drawn(seed=6)]),
        "rgb.png": encoded("PNG", exif=exif(3)),
        "palette.png": encoded("PNG", palette, transparency=3),
        "wide.png": encoded("PNG", wide),
        "alpha.png": encoded("PNG", drawn("LA")),
        "animated.png": several("PNG"),
        "still.gif": encoded("GIF", palette, comment=b"a comment"),
        "animated.gif": several("GIF"),
        "lossy.webp": encoded("WEBP", exif=exif(8)),
        "lossless.webp": encoded("WEBP", lossless=True),
        "alpha.webp": encoded("WEBP", drawn("RGBA")),
        "animated.webp": several("WEBP"),
        "plain.tif": encoded("TIFF", exif=exif(5)),
        "lzw.tif": encoded("TIFF", compression="tiff_lzw"),
        "deflate.tif": encoded("TIFF", drawn("RGBA"), compression="tiff_adobe_deflate"),
        "jpeg.tif": encoded("TIFF", compression="jpeg"),
        "fax.tif": encoded("TIFF", drawn("1"), compression="group4"),
        "pages.tif": several("TIFF"),
        "wide.tif": encoded("TIFF", wide),
        "float.tif": encoded("TIFF", drawn("F"), compression="packbits"),
        "big.tif": encoded("TIFF", big_tiff=True),
        "plain.bmp": encoded("BMP"),
        "palette.bmp": encoded("BMP", palette),
        "runs.bmp": run_length_bmp(),
        "photo.heic": encoded("HEIF", exif=exif(1).tobytes()),
        "alpha.heic": encoded("HEIF", drawn("RGBA")),
        "photo.avif": encoded("AVIF", exif=exif(7)),
        "alpha.avif": encoded("AVIF", drawn("RGBA")),
        "animated.avif": several("AVIF"),
        "photo.jp2": encoded("JPEG2000", irreversible=True),
        "stream.j2k": encoded("JPEG2000", grey, no_jp2=True),
        "photo.jxl": encoded("JXL", exif=exif(2).tobytes()),
        "lossless.jxl": encoded("JXL", lossless=True),
        "photo.psd": psd(),
        "photo.pcx": encoded("PCX"),
        "photo.ppm": encoded("PPM"),
        "wide.pgm": encoded("PPM", wide),
        "plain.ppm": b"P3 8 6 200\n" + b" ".join(b"%d" % (at % 200) for at in range(144)),
        "photo.ico": encoded("ICO", sizes=[(64, 64), (16, 16)]),
        "bitmap.ico": encoded("ICO", sizes=[(48, 48)], bitmap_format="bmp"),
        "photo.tga": encoded("TGA"),
        "runs.tga": encoded("TGA", palette, compression="tga_rle"),
    }
    return found | raw


def flip(random: Random, content: bytearray) -> None:
    for _ in range(random.integers(1, 9)):
        content[place_in(random, content)] ^= 1 << int(random.integers(8))


def zero(random: Random, content: bytearray) -> None:
    start, end = stretch(random, content)
    content[start:end] = bytes(end - start)


def zero_the_end(random: Random, content: bytearray) -> None:
    start = place_in(random, content)
    content[start:] = bytes(len(content) - start)


def cut(random: Random, content: bytearray) -> None:
    del content[place_in(random, content) :]


def duplicate(random: Random, content: bytearray) -> None:
    start, end = stretch(random, content)
    content[start:start] = content[start:end] * int(random.integers(1, 4))


def remove(random: Random, content: bytearray) -> None:
    start, end = stretch(random, content)
    del content[start:end]


def swap(random: Random, content: bytearray) -> None:
    start, end = stretch(random, content)
    moved = bytes(content[start:end])
    del content[start:end]
    other = place_in(random, content) if content else 0
    content[other:other] = moved


def overwrite(random: Random, content: bytearray) -> None:
    """Put a number at an edge of its range where a length may stand."""
    width = int(random.choice((1, 2, 4, 4, 8)))
    full = 256**width
    edges = (0, 1, full - 1, full // 2, full // 2 - 1, full - 16, min(full - 1, 65_535), 7)
    number = edges[int(random.integers(len(edges)))]
    order: Literal["little", "big"] = "little" if random.integers(2) else "big"
    start = place_in(random, content)
    content[start : start + width] = number.to_bytes(width, order)


def splice(random: Random, content: bytearray) -> None:
    others = list(sources().values())
    other = others[int(random.integers(len(others)))]
    content[place_in(random, content) :] = other[place_in(random, other) :]


def place_in(random: Random, content: bytes | bytearray) -> int:
    """Choose a place, half of the time where headers stand."""
    most = min(len(content), 400) if random.integers(2) else len(content)
    return int(random.integers(max(most, 1)))


def stretch(random: Random, content: bytearray) -> tuple[int, int]:
    start = place_in(random, content)
    longest = int(random.choice((4, 32, 256, 4096)))
    return start, min(len(content), start + int(random.integers(1, longest + 1)))


MUTATORS: tuple[Callable[[Random, bytearray], None], ...] = (
    flip, zero, zero_the_end, cut, duplicate, remove, swap, overwrite, overwrite, overwrite, splice
)  # fmt: skip


def mutation(number: int) -> tuple[str, bytes]:
    """Give a file's name and what has become of it, always the same for the same number."""
    random = np.random.default_rng(number)
    names = list(sources())
    name = names[number % len(names)]
    content = bytearray(sources()[name])
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        if content:
            MUTATORS[int(random.integers(len(MUTATORS)))](random, content)
    if name.endswith(".png") and random.integers(2):
        mend_checksums(content)
    return name, bytes(content)


def mend_checksums(content: bytearray) -> None:
    """Make a PNG's checksums right, for what is behind them to be reached."""
    at = 8
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4])
        content[end : end + 4] = struct.pack(">I", zlib.crc32(content[at + 4 : end]))[
            : max(0, len(content) - end)
        ]
        at = end + 4


@pytest.fixture
def small_budget() -> Iterator[None]:
    budget.set_total(MEMORY_MB * MEGABYTE)
    yield
    budget.set_total(DEFAULT_MEGABYTES * MEGABYTE)


def resident(field: str) -> int:
    """Read a line of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def forget_peak() -> bool:
    """Let the peak of resident memory begin anew; only Linux can."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def check(number: int) -> None:
    """Open one mutated file. Raises AssertionError, or what must not come out of it."""
    name, content = mutation(number)
    begin = time.process_time()
    refused: UnreadableImage | None = None
    try:
        picture = open_image(content, min_side=32, name=name)
    except UnreadableImage as error:
        refused = error
    taken = time.process_time() - begin
    assert taken < SECONDS, f"{taken:.1f} s of processor time"
    if refused is None:
        assert picture.mode == "RGB"
        assert len(picture.tobytes()) == 3 * picture.width * picture.height
    else:
        words = str(refused)
        assert isinstance(refused.code, UnreadableCode)
        assert words.startswith(name), words
        assert words.isprintable(), words
        assert len(words) < 400, words


def test_the_files_that_are_mutated_are_whole() -> None:
    for name, content in sources().items():
        assert open_image(content, min_side=32, name=name).mode == "RGB", name


BLOCKS = [
    *range(MUTATIONS // BLOCK),
    *(
        pytest.param(block, marks=pytest.mark.long)
        for block in range(MUTATIONS // BLOCK, (MUTATIONS + MUTATIONS_LONG) // BLOCK)
    ),
]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.usefixtures("small_budget")
@pytest.mark.filterwarnings("error", r"ignore:::PIL\..*")  # pytest catches what would be printed
def test_mutated_files_end_in_an_image_or_a_reason(
    block: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """The numbers in the message make the files again: mutation(NUMBER)."""
    sources()
    gc.collect()
    measured, before = forget_peak(), resident("VmRSS") if Path("/proc/self").exists() else 0
    failed: list[str] = []
    for number in range(block * BLOCK, (block + 1) * BLOCK):
        try:
            check(number)
        except Exception as error:
            failed.append(f"{number} ({mutation(number)[0]}): {type(error).__name__}: {error}")
    assert not failed, "\n".join(failed)
    assert capfd.readouterr() == ("", "")
    if measured:
        taken = (resident("VmHWM") - before) / MEGABYTE
        assert taken < MEMORY_MB + _BESIDES_MB, f"{taken:.0f} MB"
