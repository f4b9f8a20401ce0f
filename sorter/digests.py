"""Digests, by which a photo is known again after it was touched or tagged: of bytes or pixels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from core.errors import UnreadableImage
from core.images.decode import open_image, opener
from core.runtime.regular_file import open_regular

_SAMPLES = 32  # each way, of a photo's pixels: enough to tell it from any other


@dataclass(frozen=True, slots=True)
class Digests:
    """A photo's digests, as the journal keeps them."""

    sha256: str
    pixels: str | None = None  # the side that was decoded for, and a digest of some of its pixels


class Reading:
    """A photo that is decoded: its bytes are digested as they are read, and its pixels.

    Programs that write a tag change bytes and leave pixels. A photo is decoded for the classifier
    in any case, and of its pixels some are sampled, so the second digest costs next to nothing.
    """

    def __init__(self, photo: Path) -> None:
        self._photo = photo
        self._sha256: str | None = None
        self._pixels: str | None = None

    def open(self, side: int) -> Image.Image:
        """Decode it as `open_image` does. Raises UnreadableImage."""
        image = open_image(self._photo, min_side=side, on_content=self._digest_bytes)
        self._pixels = f"{side}:{_digest(image)}"
        return image

    @property
    def digests(self) -> Digests:
        """The digests of what was decoded. Raises OSError."""
        if self._sha256 is None:  # only a part of the file was read, such as a raw one's preview
            self._sha256 = sha256_of(self._photo)
        return Digests(self._sha256, self._pixels)

    def _digest_bytes(self, content: bytes) -> None:
        self._sha256 = hashlib.sha256(content).hexdigest()


def sha256_of(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def has_same_pixels(photo: Path, pixels: str | None) -> bool:
    """Return whether a photo shows what it did when the digest was made, whatever its tags say.

    A tag may have turned or mirrored it since.
    """
    if pixels is None:
        return False
    side, _, digest = pixels.partition(":")
    try:
        image = opener(photo)(int(side))
    except UnreadableImage:
        return False
    ways = (image, *(image.transpose(way) for way in Image.Transpose))
    return any(_digest(one) == digest for one in ways)


def _digest(image: Image.Image) -> str:
    sampled = image.resize((_SAMPLES, _SAMPLES), Image.Resampling.NEAREST)
    return hashlib.sha256(repr(image.size).encode() + sampled.tobytes()).hexdigest()[:32]
