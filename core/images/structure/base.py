"""What every format's walk reads from, what it returns, and how it refuses."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Literal

from core.errors import UnreadableCode

MAX_SIDE = 65_535  # pixels: no format that cameras write can state more
_ZEROS = 64  # bytes
_CHUNK, _MOST_ZEROS = 1 << 16, 1 << 20  # bytes

Order = Literal["little", "big"]


class Refusal(Exception):
    """Why an image is not to be decoded: a code, and what follows the file's name in a sentence."""

    def __init__(self, code: UnreadableCode, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


def cut(where: str) -> Refusal:
    """Refuse a file that is not whole."""
    return Refusal(
        UnreadableCode.TRUNCATED,
        f"ends early or is damaged ({where}). Copy it again from the camera.",
    )


def too_much(what: str) -> Refusal:
    """Refuse what would cost too much memory or time."""
    return Refusal(UnreadableCode.TOO_LARGE, f"{what}. Save it smaller.")


def unsupported(what: str) -> Refusal:
    """Refuse a whole file of a kind that is not read."""
    return Refusal(
        UnreadableCode.UNSUPPORTED, f"is {what}, which catdog does not read. Save it as JPEG."
    )


@dataclass(frozen=True, slots=True)
class Structure:
    """What an image states of itself."""

    width: int  # pixels
    height: int
    bytes_needed: int  # of memory, to decode it and make it RGB, its file apart
    frames: int = 1  # of an animation; 2 stands for several
    zeros: tuple[int, int] | None = None  # where the image's data ends in many zero bytes
    lean: Callable[[bytes], bytes] | None = None  # takes out what only costs memory: texts, say
    besides: tuple[int, ...] = ()  # places in a HEIF that say what else there is but the image
    halved: int = 0  # how often JPEG 2000's sides are
    white_is_zero: bool = False  # in a grey TIFF of more than 8 bits

    def __post_init__(self) -> None:
        """Raise Refusal for sides that no photo has."""
        if self.width < 1 or self.height < 1:
            raise cut("it has no pixels")
        if max(self.width, self.height) > MAX_SIDE:
            raise too_much(
                f"has {self.width} x {self.height} pixels, and sides of more than {MAX_SIDE} are "
                "not decoded"
            )


def pixels_bytes(width: int, height: int, bytes_a_pixel: float) -> int:
    """Compute the memory of an image; each of Pillow's rows takes some more than its pixels."""
    return round(width * height * bytes_a_pixel) + 64 * height


class Source:
    """A file, or a stretch of one, that is read a few bytes at a time at places that it states."""

    def __init__(self, file: BinaryIO, start: int = 0, size: int | None = None) -> None:
        """`start` and `size`, in bytes, are those of the stretch; without them it is the file."""
        self.file = file
        self.start = start
        self.size = file.seek(0, io.SEEK_END) if size is None else size

    def at(self, offset: int, length: int) -> bytes:
        """Read exactly so many bytes. Raises Refusal if there are fewer."""
        is_there = 0 <= offset <= self.size - length
        content = self.up_to(offset, length) if is_there else b""
        if len(content) < length:  # also of a file that has become shorter
            raise cut("it ends within its headers")
        return content

    def up_to(self, offset: int, length: int) -> bytes:
        """Read so many bytes, or what there is; `offset` is within the file."""
        self.file.seek(self.start + offset)
        return self.file.read(max(0, min(length, self.size - offset)))

    def number(self, offset: int, length: int, order: Order = "big") -> int:
        """Read a whole number of so many bytes. Raises Refusal if there are fewer."""
        return int.from_bytes(self.at(offset, length), order)

    def part(self, offset: int, length: int) -> Source:
        """Return a stretch as a source of its own. Raises Refusal if it is not all there."""
        if not 0 <= offset <= self.size - length:
            raise cut("a part of it is not whole")
        return Source(self.file, self.start + offset, length)

    def zeros_before(self, start: int, end: int) -> tuple[int, int] | None:
        """Find the zero bytes that compressed data from `start` to `end` ends in, if they are many.

        File systems and download programs set a file's length first and fill it later, with zeros
        until then; but coders write many zeros for flat pictures, too, so that only decoding tells
        (see `decode`). Returns: where they, or the last megabyte of them, begin and end.
        """
        at = end
        start = max(start, end - _MOST_ZEROS)
        while at > start:
            step = min(at - start, _CHUNK)
            kept = self.at(at - step, step).rstrip(b"\0")
            at -= step - len(kept)
            if kept:
                break
        return (at, end) if end - at >= _ZEROS else None
