"""The photos that are measured with: some as they are, some enlarged to what a camera writes."""

from __future__ import annotations

import hashlib
import io
import itertools
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from core.images.decode import open_image
from core.images.listing import list_photos
from core.training.data.sources import SOURCES

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

_CAMERA = (4000, 3000)  # pixels
_NOISE = 5.0  # standard deviation, of 0-255: a phone's by daylight
_QUALITIES = (93, 97)
# EXIF's orientation, and what a camera held that way does to an upright picture
_ORIENTATIONS = {
    1: None,
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


class NoPhotos(Exception):
    """There is nothing to measure with."""


def find_photos(folder: Path | None, unpacked: Path) -> tuple[Path, ...]:
    """List the photos below `folder`, or those of the project's test, unpacked into a folder.

    They come in the order of their contents' hashes, so that the first few are of all kinds.
    Raises NoPhotos.
    """
    if folder is None:
        folder = unpack("test", into=unpacked)
    photos = tuple(
        sorted(
            list_photos(folder, recursive=True),
            key=lambda path: hashlib.sha256(path.read_bytes()).digest(),
        )
    )
    if not photos:
        raise NoPhotos(f"There are no photos in {folder}. Name another folder with --photos.")
    return photos


def unpack(name: str, *, into: Path) -> Path:
    """Unpack a part of the project's photographs, with a table of their sources.

    Returns the folder of its class folders. Raises NoPhotos.
    """
    archives = sorted(SHARED.glob(f"{name}*.zip"))
    if not archives:
        raise NoPhotos(
            f"The project's photographs are not in {SHARED}. Give your own: with --photos a "
            "folder with photos in it."
        )
    for archive in archives:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(into)
    part = name.partition("-")[0]
    _write_sources(part, into / part / SOURCES)
    return into / part


def _write_sources(part: str, file: Path) -> None:
    """Take the photos of a part from the table of the project's, which may name its folder."""
    table = SHARED / ("train-kinds.csv" if part == "train" else "test-kinds.csv")
    if table.is_file():
        head, *rows = table.read_text(encoding="utf-8").splitlines()
        own = [row.removeprefix(f"{part}/") for row in rows]
        file.write_text("\n".join([head, *own, ""]), encoding="utf-8")


def small_photos(photos: Sequence[Path], number: int, folder: Path) -> list[Path]:
    """Copy photos into a new folder, over and over until there are so many."""
    folder.mkdir(parents=True)
    names = []
    for one, photo in zip(range(number), itertools.cycle(photos), strict=False):
        names.append(folder / f"{one:06}{photo.suffix.lower()}")
        shutil.copyfile(photo, names[-1])
    return names


def camera_photos(photos: Sequence[Path], number: int, folder: Path) -> list[Path]:
    """Write so many photos as a camera would into a new folder, on all cores."""
    folder.mkdir(parents=True)
    sources = itertools.islice(itertools.cycle(photos), number)
    with ProcessPoolExecutor() as pool:
        write = partial(_write_photo, folder=folder)
        return list(pool.map(write, itertools.count(), sources, chunksize=8))


def _write_photo(number: int, source: Path, folder: Path) -> Path:
    path = folder / f"IMG_{number:05}.jpg"
    path.write_bytes(camera_photo(source, number))
    return path


def camera_photo(source: Path, seed: int) -> bytes:
    """Make a camera's JPEG of a photo: 12 megapixels, noisy, with EXIF; it takes 3 to 5 MB.

    It is held in one of the four ways that cameras are held in, which EXIF's orientation says.
    """
    upright = open_image(source, min_side=max(_CAMERA))
    orientation = list(_ORIENTATIONS)[seed % len(_ORIENTATIONS)]
    turn = _ORIENTATIONS[orientation]
    held = upright if turn is None else upright.transpose(turn)
    held = ImageOps.fit(held, _CAMERA, Image.Resampling.BICUBIC)
    random = np.random.default_rng(seed)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stream = io.BytesIO()
    _with_noise(held, random).save(
        stream, "JPEG", quality=int(random.integers(*_QUALITIES)), exif=exif
    )
    return stream.getvalue()


def _with_noise(image: Image.Image, random: np.random.Generator) -> Image.Image:
    shift = tuple(random.integers(0, image.size, 2).tolist())
    noisy = np.asarray(image) + np.roll(_noise(image.size), shift, axis=(1, 0))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


@cache
def _noise(size: tuple[int, int]) -> npt.NDArray[np.int16]:
    random = np.random.default_rng(0)
    drawn = random.standard_normal((size[1], size[0], 3), np.float32) * _NOISE
    return drawn.round().astype(np.int16)


def jpegs_of(photos: Sequence[Path], long_side: int, *, is_noisy: bool = False) -> Iterator[bytes]:
    """Enlarge photos to JPEGs with a long side of so many pixels, as messengers send them.

    With noise they weigh what photos have that were larger before: at 1280 pixels about 180 KB.
    """
    for seed, photo in enumerate(photos):
        image = open_image(photo, min_side=long_side)
        image = ImageOps.contain(image, (long_side, long_side), Image.Resampling.BICUBIC)
        if is_noisy:
            image = _with_noise(image, np.random.default_rng(seed))
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=85)
        yield stream.getvalue()
