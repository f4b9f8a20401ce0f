"""From a path or bytes to an upright RGB image, or a reason why not."""

from __future__ import annotations

import io
import logging
import mmap
import stat
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from core.errors import UnreadableCode, UnreadableImage
from core.images.budget import budget
from core.images.libjpeg import jpeg_image, orientation_of
from core.images.pillow_image import pillow_image
from core.images.plan import Plan, plan_for
from core.images.rgb import to_rgb, upright
from core.images.structure.base import Refusal, cut, too_much, unsupported
from core.paths import display
from core.runtime.regular_file import open_regular

# The limits here are checked before anything is decoded, and hold for every format alike, so
# Pillow's own (a warning at 89 megapixels, an error at 179) only gets in the way of phones that
# take 200-megapixel JPEGs.
Image.MAX_IMAGE_PIXELS = None

# Its warnings of EXIF that makes no sense help nobody who sorts photos; its debug log holds names.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.WARNING)

MAX_BYTES = 256 * 2**20

# returns a photo, RGB and upright; a side under so many pixels was so from the start
Opener = Callable[[int], Image.Image]


def read_photo(path: Path) -> bytes:
    """Read a photo's file whole. Raises UnreadableImage."""
    with _explained(display(path)), _opened(path) as file:
        return file.read()


def open_image(
    source: Path | bytes,
    *,
    min_side: int,
    name: str | None = None,
    on_content: Callable[[bytes], None] = lambda _: None,
    on_plan: Callable[[Plan], None] = lambda _: None,
) -> Image.Image:
    """Decode a photo in full and turn it upright.

    It may come back smaller than it is, never with a side under `min_side` pixels that was not so
    already: a JPEG at 1/2, 1/4 or 1/8 of its size, any other if it is large. Of animations the
    first frame is taken, or the first that shows something; what is transparent becomes white; of
    a camera's RAW file its own full-size preview. `name` stands for bytes in error messages.

    It waits until the memory that it takes is free (see `budget`). `on_content` is called with
    the file's bytes while they are in memory, if all are, and `on_plan` before that with what the
    file says of itself. Raises UnreadableImage.
    """
    shown = name or ("the image" if isinstance(source, bytes) else display(source))
    with _explained(shown), _opened(source) as file:
        own_name = source.name if isinstance(source, Path) else name
        return _decode(file, own_name, min_side, on_content, on_plan)


def opener(source: Path | bytes, *, name: str | None = None) -> Opener:
    """Return a function that decodes a photo as `open_image` does, as large as it is needed."""
    return lambda side: open_image(source, min_side=side, name=name)


@contextmanager
def _explained(shown: str) -> Iterator[None]:
    """Raise UnreadableImage for what opening, reading and decoding raise."""
    try:
        yield
    except (Refusal, MemoryError, OSError) as error:
        refusal = error if isinstance(error, Refusal) else _refusal_for(error)
        raise UnreadableImage(refusal.code, f"{shown} {refusal.words}") from error


def _refusal_for(error: MemoryError | OSError) -> Refusal:
    match error:
        case MemoryError():
            code, words = UnreadableCode.TOO_LARGE, "does not fit into memory. Save it smaller."
        case FileNotFoundError() | NotADirectoryError():
            code, words = UnreadableCode.VANISHED, "is not there (any more). Check the path."
        case PermissionError():
            code = UnreadableCode.NO_PERMISSION
            words = "may not be read by this user. Change its permissions."
        case _:
            code = UnreadableCode.IO_ERROR
            words = (
                f"cannot be read ({error.strerror or error}). Check the disk or the network, then "
                "try again."
            )
    return Refusal(code, words)


@contextmanager
def _opened(source: Path | bytes) -> Iterator[BinaryIO]:
    """Open a photo's file to be read. Raises Refusal and OSError."""
    if isinstance(source, bytes):
        _check_bytes(len(source))
        yield io.BytesIO(source)
        return
    status = source.stat()
    if not stat.S_ISREG(status.st_mode):  # opening a FIFO would block for ever
        raise Refusal(UnreadableCode.NOT_AN_IMAGE, "is not a file. Name a photo instead.")
    _check_bytes(status.st_size)
    with open_regular(source) as file:
        yield file


def _check_bytes(size: int) -> None:
    if size == 0:
        raise Refusal(UnreadableCode.EMPTY, "is empty (0 bytes). Copy it again from the camera.")
    if size > MAX_BYTES:
        raise too_much(
            f"has {size / 2**20:.0f} MB, more than the {MAX_BYTES // 2**20} MB that are read"
        )


def _decode(
    file: BinaryIO,
    name: str | None,
    min_side: int,
    on_content: Callable[[bytes], None],
    on_plan: Callable[[Plan], None],
) -> Image.Image:
    """Plan, wait for the memory, decode. Raises Refusal, MemoryError and what reading raises."""
    try:
        plan = plan_for(file, name, min_side)
    except (Refusal, OSError):
        raise
    except Exception as error:
        raise cut("its headers make no sense") from error
    on_plan(plan)
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
            # libjxl's errors are for those who build it
            complaint = plan.format if plan.format == "JXL" else f"{plan.format}: {error}"
            raise cut(complaint) from error


def _is_short_of_memory(needed: int) -> bool:
    """Return whether so many bytes are not to be had: most decoders then speak of broken data."""
    try:
        mmap.mmap(-1, max(needed, 1)).close()
    except (OSError, ValueError):
        return True
    return False


def _decoded(content: bytes, plan: Plan, min_side: int) -> Image.Image:
    if plan.jpeg is not None:
        image = to_rgb(jpeg_image(content, plan.jpeg, min_side))
        return upright(image, plan.orientation or orientation_of(plan.jpeg), min_side)
    return upright(*pillow_image(content, plan), min_side)
