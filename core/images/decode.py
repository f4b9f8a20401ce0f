"""From a path or bytes to an upright RGB image, or a reason why not."""

from __future__ import annotations

import io
import logging
import mmap
import stat
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from core.errors import UnreadableCode, UnreadableImage
from core.images.budget import budget
from core.images.formats import HEADER_BYTES, named, sniff
from core.images.libjpeg import ORIENTATION, jpeg_image, orientation_of
from core.images.plan import Plan, plan_for
from core.images.structure.base import Refusal, cut, unsupported
from core.paths import display
from core.runtime.quiet import quiet_native_stderr

# The limits here are checked before anything is decoded, and hold for every format alike, so
# Pillow's own (a warning at 89 megapixels, an error at 179) only gets in the way of phones that
# take 200-megapixel JPEGs.
Image.MAX_IMAGE_PIXELS = None

# What it says of EXIF that makes no sense is no concern of who sorts photos, and its debug log
# holds names.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.WARNING)

MAX_BYTES = 256 * 2**20

_LARGE_PIXELS = 2_000_000  # made smaller before it is turned, and handed out
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FRAMES, _FRAME_PIXELS = 30, 100_000_000  # of an animation that begins with nothing
_ONE_COLOUR = 8  # of 255: how far the values of a frame with nothing on it lie apart

# gives a photo, RGB and upright; a side under so many pixels was so from the start
Opener = Callable[[int], Image.Image]


def read_photo(path: Path) -> bytes:
    """Read a photo's file whole. Raises UnreadableImage."""
    with _opened(path, display(path)) as file:
        return file.read()


def open_image(
    source: Path | bytes,
    *,
    min_side: int,
    name: str | None = None,
    on_content: Callable[[bytes], None] = lambda _: None,
) -> Image.Image:
    """Decode a photo in full and turn it upright.

    It may come back smaller than it is, never with a side under `min_side` pixels that was not so
    already: a JPEG at 1/2, 1/4 or 1/8 of its size, any other if it is large. Of animations the
    first frame is taken, or the first that shows something; what is transparent becomes white; of
    a camera's RAW file its own full-size preview. `name` stands for bytes in error messages.

    It waits until the memory that it takes is free (see `budget`). `on_content` is given the
    file's bytes while they are in memory, if all are. Raises UnreadableImage.
    """
    shown = name or ("the image" if isinstance(source, bytes) else display(source))
    try:
        with _opened(source, shown) as file:
            own_name = source.name if isinstance(source, Path) else name
            return _decode(file, own_name, min_side, on_content)
    except Refusal as refusal:
        raise UnreadableImage(refusal.code, f"{shown} {refusal.words}") from refusal
    except MemoryError as error:
        raise UnreadableImage(
            UnreadableCode.TOO_LARGE, f"{shown} does not fit into memory. Save it smaller."
        ) from error


def opener(source: Path | bytes, *, name: str | None = None) -> Opener:
    """Give what decodes a photo as `open_image` does, as large as it is needed."""
    return lambda side: open_image(source, min_side=side, name=name)


@contextmanager
def _opened(source: Path | bytes, shown: str) -> Iterator[BinaryIO]:
    """Open a photo's file to be read. Raises UnreadableImage."""
    if isinstance(source, bytes):
        _check_bytes(len(source), shown)
        yield io.BytesIO(source)
        return
    try:
        status = source.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a FIFO would block for ever
            raise UnreadableImage(
                UnreadableCode.NOT_AN_IMAGE, f"{shown} is not a file. Name a photo instead."
            )
        _check_bytes(status.st_size, shown)
        with source.open("rb") as file:
            yield file
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UnreadableImage(
            UnreadableCode.VANISHED, f"{shown} is not there (any more). Check the path."
        ) from error
    except PermissionError as error:
        raise UnreadableImage(
            UnreadableCode.NO_PERMISSION,
            f"{shown} may not be read by this user. Change its permissions.",
        ) from error
    except OSError as error:
        raise UnreadableImage(
            UnreadableCode.IO_ERROR,
            f"{shown} cannot be read ({error.strerror or error}). Check the disk or the "
            "network, then try again.",
        ) from error


def _check_bytes(size: int, shown: str) -> None:
    if size == 0:
        raise UnreadableImage(
            UnreadableCode.EMPTY, f"{shown} is empty (0 bytes). Copy it again from the camera."
        )
    if size > MAX_BYTES:
        raise UnreadableImage(
            UnreadableCode.TOO_LARGE,
            f"{shown} has {size / 2**20:.0f} MB, more than the {MAX_BYTES // 2**20} MB that are "
            "read. Save it smaller.",
        )


def _decode(
    file: BinaryIO, name: str | None, min_side: int, on_content: Callable[[bytes], None]
) -> Image.Image:
    """Plan, wait for the memory, decode. Raises Refusal, MemoryError and what reading raises."""
    header = file.read(HEADER_BYTES)
    plan = _plan(file, header, name, min_side)
    if plan is None:
        what = named(header)
        if what is not None:
            raise unsupported(what)
        raise Refusal(
            UnreadableCode.NOT_AN_IMAGE,
            "is not an image, whatever its name says. Take it out of the photos.",
        )
    with budget.taken(plan.bytes_needed):
        file.seek(plan.start)
        content = file.read(plan.length)
        if plan.start == 0:
            on_content(content)
        try:
            return _decoded(content, plan, min_side)
        except (Refusal, MemoryError):
            raise
        except UnidentifiedImageError as error:
            raise unsupported(f"a rare kind of {plan.format} file") from error
        except Exception as error:  # Pillow's decoders raise whatever the bytes made them trip over
            if _is_short_of_memory(plan.bytes_needed):
                raise MemoryError from error
            raise cut(_complaint(plan, error)) from error


def _plan(file: BinaryIO, header: bytes, name: str | None, min_side: int) -> Plan | None:
    try:
        return plan_for(file, header, sniff(header, name), min_side)
    except (Refusal, OSError):
        raise
    except Exception as error:  # whatever bytes that make no sense made a walk trip over
        raise cut("its headers make no sense") from error


def _complaint(plan: Plan, error: Exception) -> str:
    """Give what a decoder says in a few words; libjxl's speaks to those who build it."""
    return plan.format if plan.format == "JXL" else f"{plan.format}: {error}"


def _is_short_of_memory(needed: int) -> bool:
    """Tell whether so many bytes are not to be had: most decoders then speak of broken data."""
    try:
        mmap.mmap(-1, max(needed, 1)).close()
    except (OSError, ValueError):
        return True
    return False


def _decoded(content: bytes, plan: Plan, min_side: int) -> Image.Image:
    if plan.jpeg is not None:
        image = jpeg_image(content, plan.jpeg, min_side)
        turn = plan.orientation or orientation_of(plan.jpeg)
        return _upright(_to_rgb(image, plan), turn, min_side)
    if plan.structure.lean is not None:
        content = plan.structure.lean(content)
    image = _loaded_somehow(content, plan)
    if plan.structure.zeros is not None:
        _check_zeros(content, image, plan)
    turn = _orientation(image)
    return _upright(_first_that_shows(image, plan), turn, min_side)


def _loaded_somehow(content: bytes, plan: Plan) -> Image.Image:
    """Decode an image, if need be without what is beside it."""
    try:
        return _loaded(content, plan)
    except Exception:
        leaner = _leaner(content, plan)
        if leaner is not None:
            with suppress(Exception):
                return _loaded(leaner, plan)
        raise


def _loaded(content: bytes, plan: Plan) -> Image.Image:
    register(plan.format)
    quiet = quiet_native_stderr if plan.format == "TIFF" else nullcontext
    with quiet():  # libtiff tells of what it stumbles over
        image = Image.open(io.BytesIO(content), formats=(plan.format,))
        if plan.halved:
            setattr(image, "reduce", plan.halved)  # noqa: B010  # as Pillow documents it for JPEG 2000
        image.load()
    return image


def _check_zeros(content: bytes, image: Image.Image, plan: Plan) -> None:
    """Raise Refusal if the zeros that an image's data ends in are not its own.

    Its own make a difference: with other bytes in the place of the last of them it is another
    image, or none. Those of a copy that still goes on are many more than the decoder reads.
    """
    assert plan.structure.zeros is not None
    start, end = plan.structure.zeros
    middle = (start + end + 1) // 2
    other = content[:middle] + b"\x5a" * (end - middle) + content[end:]
    before = zlib.crc32(image.tobytes())
    try:
        changed = zlib.crc32(_loaded(other, plan).tobytes()) != before
    except Exception:  # what the decoder now stumbles over it had read
        changed = True
    if not changed:
        raise cut("its image ends in nothing but zeros")


def _leaner(content: bytes, plan: Plan) -> bytes | None:
    """Leave out what is beside the image, which may be what the decoder does not take."""
    if plan.format == "PNG":
        from core.images.structure.png import lean_png

        return lean_png(content)
    if plan.besides:
        changed = bytearray(content)
        for place in plan.besides:
            changed[place : place + 4] = b"skip"
        return bytes(changed)
    return None


def _first_that_shows(image: Image.Image, plan: Plan) -> Image.Image:
    """Give an animation's first frame that is not of one colour; the first if all are."""
    first = _to_rgb(image, plan)
    if plan.structure.frames == 1 or not _is_of_one_colour(first):
        return first
    first = first.copy()  # the next frame is put into the same image
    for number in range(1, min(_FRAMES, _FRAME_PIXELS // (image.width * image.height))):
        try:
            image.seek(number)
            image.load()
        except Exception:  # the end, or a frame that is damaged: the first is not
            break
        frame = _to_rgb(image, plan)
        if not _is_of_one_colour(frame):
            return frame
    return first


def _is_of_one_colour(image: Image.Image) -> bool:
    bands = image.resize((64, 64), Image.Resampling.BOX).getextrema()
    return all(high - low <= _ONE_COLOUR for low, high in bands)  # type: ignore[misc]


def register(format_name: str) -> None:
    """Teach Pillow a format that it does not know by itself: 70 ms that only its photos pay."""
    if format_name == "HEIF":
        register_heif()
    elif format_name == "JXL":
        import pillow_jxl  # noqa: F401


def register_heif() -> None:
    """Teach Pillow HEIC and its kin."""
    from pillow_heif import register_heif_opener

    register_heif_opener()


def _orientation(image: Image.Image) -> int:
    with suppress(Exception):  # a broken EXIF block does not make the pixels unreadable
        return int(image.getexif().get(ORIENTATION, 1))
    return 1


def _upright(image: Image.Image, orientation: int, min_side: int) -> Image.Image:
    """Turn an image as EXIF says; a large one is made smaller first, for that takes as much."""
    smaller = min(image.size) // (2 * min_side)
    if smaller > 1 and image.width * image.height > _LARGE_PIXELS:
        image = image.reduce(smaller)
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: Image.Image, plan: Plan) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        from core.images.wide import grey_from_wide

        return grey_from_wide(image, white_is_zero=plan.white_is_zero)
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        ground = Image.new("RGB", rgba.size, "white")
        ground.paste(rgba, mask=rgba)
        return ground
    return image.convert("RGB")
