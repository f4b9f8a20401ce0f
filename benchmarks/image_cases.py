"""What the costliest images take, in memory and processor time. Ends with 1 if any takes too much.

    python -m benchmarks.image_cases [--only WORD]

The peak of resident memory of each case is held against what its plan said, its processor time
against 5 s. Then 16 threads predict all of them mixed, in less than 1 GB.
"""

from __future__ import annotations

import argparse
import io
import math
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pillow_jxl  # noqa: F401  # teaches Pillow JPEG XL
from PIL import Image
from pillow_heif import from_pillow

from benchmarks.image_cost import THREADS, TOGETHER_MEGABYTES, cost_of, peak_together
from core.images.plan import plan_for

_MOST = 380_000_000  # bytes by the plan: just under what one photo may take
_SMALL = 512  # pixels of the image that gives the plan's bytes a pixel
_FRAMES = 40

Make = Callable[[], bytes]
Sized = Callable[[int], bytes]  # given how many pixels a side is to have


def drawn(mode: str, side: int, *, noisy: bool = True) -> Image.Image:
    """Draw a square that is costly to code, or one that costs nothing and is not of one colour."""
    random = np.random.default_rng(1)
    if mode in ("I;16", "F"):
        values = random.integers(0, 65_535, (side, side) if noisy else (1, 1), np.uint16)
        values = np.broadcast_to(values, (side, side))
        return Image.fromarray(values.astype(np.float32) if mode == "F" else values.copy())
    bands = {"L": 1, "P": 1, "1": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    planes = []
    for _ in range(bands):
        if noisy:
            small = random.integers(0, 256, (side // 2 + 1, side // 2 + 1), np.uint8)
            planes.append(Image.fromarray(small).resize((side, side), Image.Resampling.BILINEAR))
        else:
            planes.append(Image.linear_gradient("L").resize((side, side)))
    if mode in ("P", "1"):
        return planes[0].convert(mode) if mode == "1" else _palette(planes[0])
    return planes[0] if bands == 1 else Image.merge(mode, planes)


def _palette(grey: Image.Image) -> Image.Image:
    image = Image.frombytes("P", grey.size, grey.tobytes())
    image.putpalette(bytes(range(256)) * 3)
    return image


def encoded(format: str, image: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    if format == "HEIF":
        fast = {"preset": "ultrafast"}
        from_pillow(image).save(stream, quality=90, enc_params=fast, **options)
    else:
        image.save(stream, format, **options)
    return stream.getvalue()


def planned(content: bytes, name: str) -> int:
    return plan_for(io.BytesIO(content), name, 140).bytes_needed


def largest(name: str, make: Sized, longest: int = 65_535) -> bytes:
    """Make the largest image of a kind that the budget lets through, given what makes any."""
    a_pixel = planned(make(_SMALL), name) / _SMALL**2
    return make(min(longest, int(math.sqrt(_MOST / a_pixel))))


def still(format: str, mode: str, *, noisy: bool = True, **options: object) -> Sized:
    return lambda side: encoded(format, drawn(mode, side, noisy=noisy), **options)


def animation(format: str, **options: object) -> Sized:
    """Make one that begins with many frames that show nothing."""

    def make(side: int) -> bytes:
        # of slightly different greys: coders leave out frames that are as the last
        frames = [Image.new("L", (side, side), 1 + number % 5).convert("RGB")
                  for number in range(_FRAMES if side > _SMALL else 2)]  # fmt: skip
        return encoded(format, frames[0], save_all=True, append_images=frames[1:], duration=50,
                       **options)  # fmt: skip

    return make


def png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png(side: int, raw: bytes, *more: bytes, images: int = 1) -> bytes:
    data = zlib.compress(raw, 1)
    step = -(-len(data) // images)
    parts = [png_chunk(b"IDAT", data[at : at + step]) for at in range(0, len(data), step)]
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"".join((b"\x89PNG\r\n\x1a\n", header, *more, *parts, png_chunk(b"IEND", b"")))


def jpeg_segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def bare_jpeg(frame: int, sides: tuple[int, int], components: int, in_scan: int) -> bytes:
    """Make a header whose first scan has so many components, and hardly any data."""
    parts = b"".join(bytes((number + 1, 0x11, 0)) for number in range(components))
    table = bytes((0, 1)) + bytes(15) + b"\0" + bytes((0x10, 1)) + bytes(15) + b"\0"
    scan = bytes((in_scan,)) + b"".join(bytes((number + 1, 0)) for number in range(in_scan))
    end = 0 if frame == 0xC2 else 63
    return b"".join((
        b"\xff\xd8", jpeg_segment(0xDB, bytes(1) + b"\1" * 64),
        jpeg_segment(frame, struct.pack(">BHHB", 8, *sides, components) + parts),
        jpeg_segment(0xC4, table), jpeg_segment(0xDA, scan + bytes((0, end, 0))),
        bytes(1 << 14), b"\xff\xd9",
    ))  # fmt: skip


def many_refinements(side: int, scans: int) -> bytes:
    """Repeat the last scan of a progressive JPEG, which goes over all coefficients again."""
    content = encoded("JPEG", drawn("L", side), progressive=True, quality=95)
    start = content.rfind(b"\xff\xc4")
    return content[:-2] + content[start:-2] * scans + b"\xff\xd9"


def psd(side: int, *, resources: int = 0) -> bytes:
    head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, side, side, 8, 3) + bytes(4)
    beside = (b"8BIM" + bytes(8)) * resources
    pixels = drawn("RGB", side).tobytes()
    return b"".join((head, struct.pack(">I", len(beside)), beside, bytes(6), pixels))


def icon(inner: bytes) -> bytes:
    """Put a PNG of any size into an icon that says 256 x 256."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, len(inner), 22) + inner


def gif_blocks(kind: bytes, count: int, extensions: int) -> bytes:
    content = encoded("GIF", drawn("P", 64))
    place = 13 + (3 << ((content[10] & 7) + 1))
    return content[:place] + (kind + b"\1x" * count + b"\0") * extensions + content[place:]


def box(kind: bytes, *content: bytes) -> bytes:
    inner = b"".join(content)
    return struct.pack(">I", len(inner) + 8) + kind + inner


def avif_of_items(items: int, extents: int) -> bytes:
    """State items that are made of very many parts, each of no bytes."""
    places = b"".join(struct.pack(">HHH", number + 2, 0, extents) for number in range(items))
    meta = box(b"meta", bytes(4), box(b"pitm", bytes(4), b"\0\1"),
               box(b"iloc", bytes(6), struct.pack(">H", items), places))  # fmt: skip
    return box(b"ftyp", b"avif\0\0\0\0avifmif1") + meta + box(b"mdat", bytes(16))


_SIZED: dict[str, Sized] = {
    "rgb.png": still("PNG", "RGB", compress_level=1),
    "rgba.png": still("PNG", "RGBA", compress_level=1),
    "grey-alpha.png": still("PNG", "LA", compress_level=1),
    "grey.png": still("PNG", "L", compress_level=1),
    "palette.png": still("PNG", "P", compress_level=1, transparency=3),
    "16-bit.png": still("PNG", "I;16", compress_level=1),
    "lossy.webp": still("WEBP", "RGB", noisy=False, quality=95, method=0),
    "lossless.webp": still("WEBP", "RGB", lossless=True, quality=0, method=0),
    "alpha.webp": still("WEBP", "RGBA", noisy=False, quality=80, method=0),
    "photo.avif": still("AVIF", "RGB", quality=95, speed=10, subsampling="4:4:4"),
    "alpha.avif": still("AVIF", "RGBA", quality=80, speed=10),
    "photo.heic": still("HEIF", "RGB"),
    "10-bit.heic": still("HEIF", "I;16"),
    "plain.tif": still("TIFF", "RGB"),
    "float.tif": still("TIFF", "F"),
    "16-bit.tif": still("TIFF", "I;16"),
    "lzw.tif": still("TIFF", "RGB", compression="tiff_lzw"),
    "alpha.tif": still("TIFF", "RGBA", compression="tiff_adobe_deflate"),
    "still.gif": still("GIF", "P"),
    "plain.bmp": still("BMP", "RGB"),
    "one-level.jp2": still("JPEG2000", "RGB", num_resolutions=1),
    "photo.jp2": still("JPEG2000", "RGB", irreversible=True),
    "photo.jxl": still("JXL", "RGB", effort=1, quality=95),
    "lossless.jxl": still("JXL", "RGB", effort=1, lossless=True),
    "alpha.jxl": still("JXL", "RGBA", effort=1, lossless=True),
    "photo.psd": psd,
    "photo.ppm": still("PPM", "RGB"),
    "16-bit.pgm": still("PPM", "I;16"),
    "plain.ppm": lambda side: b"P3 %d %d 200\n" % (side, side) + b"9 " * (3 * side * side),
    "bits.ppm": lambda side: b"P6 %d %d 1000\n" % (side, side) + bytes(6 * side * side),
    "runs.tga": still("TGA", "RGB", compression="tga_rle"),
    "cmyk.jpg": still("JPEG", "CMYK", quality=90),
    "photo.jpg": still("JPEG", "RGB", quality=90, subsampling=0),
    "progressive.jpg": still("JPEG", "RGB", quality=90, subsampling=0, progressive=True),
    "blank-frames.gif": animation("GIF"),
    "blank-frames.png": animation("PNG", compress_level=1),
    "blank-frames.webp": animation("WEBP", lossless=True, quality=0, method=0),
    "pages.tif": animation("TIFF", compression="tiff_lzw"),
}
_LONGEST_SIDE = {"lossy.webp": 16_383, "lossless.webp": 16_383, "photo.jpg": 24_000}  # pixels
_FIXED: dict[str, Make] = {
    "bomb.jpg": lambda: bare_jpeg(0xC2, (15_800, 15_800), 4, 1),
    "one-of-four.jpg": lambda: bare_jpeg(0xC0, (6_500, 6_500), 4, 1),
    "huge-baseline.jpg": lambda: bare_jpeg(0xC0, (55_000, 55_000), 1, 1),
    "huge-arithmetic.jpg": lambda: bare_jpeg(0xC9, (55_000, 55_000), 1, 1),
    "refinements.jpg": lambda: many_refinements(2_800, 220),
    "scans.jpg": lambda: many_refinements(64, 5_000),
    "exif.jpg": lambda: b"\xff\xd8" + jpeg_segment(0xE1, b"Exif\0\0") * 199_000
    + encoded("JPEG", drawn("RGB", 64))[2:],
    "more-exif.jpg": lambda: b"\xff\xd8" + jpeg_segment(0xE1, b"Exif\0\0") * 2_000_000,
    "private.png": lambda: png(64, bytes(64 * 193), png_chunk(b"prVt", bytes(200 << 20))),
    "exif.png": lambda: png(64, bytes(64 * 193), png_chunk(b"eXIf", bytes(120 << 20))),
    "tiny-chunks.png": lambda: png(64, bytes(64 * 193), png_chunk(b"prVt", b"") * 900_000),
    "tiny-images.png": lambda: png(
        1_000, np.random.default_rng(1).bytes(3_001_000), images=900_000
    ),
    "resources.psd": lambda: psd(64, resources=8_000_000),
    "bomb.ico": lambda: icon(png(9_000, bytes(9_000 * 27_001))),
    "profile.webp": lambda: encoded("WEBP", drawn("RGB", 64), icc_profile=bytes(120 << 20)),
    "kept-whole.png": lambda: encoded("PNG", drawn("RGB", 3_990, noisy=False)),
    "comments.gif": lambda: gif_blocks(b"\x21\xfe", 1_400_000, 20),
    "parts.avif": lambda: avif_of_items(300, 19_000),
}  # fmt: skip
CASES: dict[str, Make] = {
    name: partial(largest, name, make, _LONGEST_SIDE.get(name, 65_535))
    for name, make in _SIZED.items()
} | _FIXED


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", metavar="WORD", help="of the cases' names")
    given = parser.parse_args(arguments)
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("| case | seconds | MB | MB by its plan | end | |\n|---|---|---|---|---|---|")
        for case, make in CASES.items():
            if given.only in case:
                (folder / case).write_bytes(make())
                faults += _is_at_fault(folder / case)
        if not given.only:
            peak = peak_together(folder)
            faults += peak > TOGETHER_MEGABYTES
            print(f"{THREADS} threads over all of them: {peak:.0f} MB at most")
    return int(faults > 0)


def _is_at_fault(path: Path) -> bool:
    """Open a case and print its row."""
    try:
        cost = cost_of(path)
    except RuntimeError as error:
        print(f"| {path.name} | | | | {error} | FAULT |", flush=True)
        return True
    print(
        f"| {path.name} | {cost.seconds:.2f} | {cost.megabytes:.0f} | {cost.needed:.0f} "
        f"| {cost.end} | {'FAULT' if cost.is_too_much else ''} |",
        flush=True,
    )
    return cost.is_too_much


if __name__ == "__main__":
    sys.exit(main())
