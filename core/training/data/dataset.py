"""Labelled photos decoded, freed of copies, and split into those to learn from and the others."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import UnreadableCode, UnreadableImage, UsageRefused
from core.images.decode import open_image, read_photo
from core.labels import PhotoClass
from core.model.preprocessing import Pixels, Preprocessing, stored
from core.paths import display
from core.runtime.lookahead import map_ahead
from core.training.data.labelled import Fault, LabelledFolder, LabelledPhoto
from core.training.data.near_duplicates import Hashes, difference_hash, nearest

Indices = npt.NDArray[np.intp]

_SMALLEST = 16  # pixels of the shorter side, below which nobody sees a cat
HELD_OUT = 0.1  # the share of photos that no training run ever learns from


@dataclass(frozen=True, slots=True)
class Dataset:
    """Photos decoded and split."""

    classes: tuple[PhotoClass, ...]
    photos: tuple[LabelledPhoto, ...]
    sha256: tuple[str, ...]  # of each photo's file
    difference_hashes: Hashes  # of each photo, to find near-duplicates by
    pixels: Pixels  # shape (n, size, size, 3), in a temporary file
    targets: Indices  # of each photo's class
    training: Indices  # of the photos to learn from
    validation: Indices  # of the photos to choose by, never learnt from
    of_held_out_sources: Indices  # of sources that nothing is learnt from, to calibrate by
    faults: tuple[Fault, ...]
    fingerprint: str  # SHA-256 over the photos' hashes and labels, whatever their names

    def count(self, indices: Indices) -> dict[str, int]:
        """Count photos by label."""
        counts = np.bincount(self.targets[indices], minlength=len(self.classes))
        labels = [photo_class.label for photo_class in self.classes]
        return dict(zip(labels, map(int, counts), strict=True))


def is_held_out(sha256: bytes) -> bool:
    """Return whether a photo is held out, which its content decides, the same in every run."""
    return int.from_bytes(sha256[:8], "big") < HELD_OUT * 2**64


def load(
    labelled: LabelledFolder,
    how: Preprocessing,
    *,
    work: Path,
    held_out_sources: Collection[str] = (),
    never_held_out: Collection[Path] = (),
    holds_out: bool = True,
    on_photo: Callable[[], None] = lambda: None,
) -> Dataset:
    """Decode all photos to the stored size, into an unnamed temporary file in `work`.

    Photos of `held_out_sources` are a part of their own; those in `never_held_out` are learnt
    from, whatever their content, and all are unless the dataset `holds_out` some.

    Files that cannot be decoded are named in `faults` and skipped, and so are copies of a photo:
    all but the first, or every one of them if they lie in different class folders. What is nearly
    the same as a photo held out is not learnt from. `on_photo` is called once a file. Raises
    UsageRefused if a class has no photo to learn from or none held out.
    """
    copies, hashes, pixels, faults = _decode_all(labelled, how, work, on_photo)
    photos = [same[0] for same in copies.values()]
    rows = [row for row, same in enumerate(copies.values()) if len({p.label for p in same}) == 1]
    sha256 = list(copies)
    training: list[int] = []
    validation: list[int] = []
    of_held_out_sources: list[int] = []
    for row in rows:
        path = photos[row].path
        is_validation = holds_out and is_held_out(sha256[row]) and path not in never_held_out
        if labelled.held_out is not None:
            is_validation = path in labelled.held_out
        if photos[row].source in held_out_sources:
            of_held_out_sources.append(row)
        else:
            (validation if is_validation else training).append(row)
    not_learnt = [*validation, *of_held_out_sources]
    training, near = _without_near_duplicates(training, not_learnt, photos, hashes)
    index_of = {photo_class.label: index for index, photo_class in enumerate(labelled.classes)}
    dataset = Dataset(
        classes=labelled.classes,
        photos=tuple(photos),
        difference_hashes=hashes,
        sha256=tuple(one.hex() for one in sha256),
        pixels=pixels,
        targets=np.array([index_of[photo.label] for photo in photos], dtype=np.intp),
        training=np.array(training, dtype=np.intp),
        validation=np.array(validation, dtype=np.intp),
        of_held_out_sources=np.array(of_held_out_sources, dtype=np.intp),
        faults=(*faults, *near),
        fingerprint=fingerprint((sha256[row], photos[row].label) for row in rows),
    )
    _check_enough(dataset, {photo.label for photo in labelled.photos}, holds_out=holds_out)
    return dataset


def _decode_all(
    labelled: LabelledFolder, how: Preprocessing, work: Path, on_photo: Callable[[], None]
) -> tuple[dict[bytes, list[LabelledPhoto]], Hashes, Pixels, list[Fault]]:
    """Decode photos into a row each: those of one content, by SHA-256, share a row."""
    faults: list[Fault] = []
    hashes: list[int] = []
    copies: dict[bytes, list[LabelledPhoto]] = {}  # by SHA-256: a row each
    with tempfile.TemporaryFile(dir=work) as file:
        for photo, decoded in _decoded(labelled.photos, how):
            on_photo()
            if isinstance(decoded, UnreadableImage):
                faults.append(Fault(photo.path, str(decoded)))
                continue
            same = copies.setdefault(decoded.sha256, [])
            if not same:
                hashes.append(decoded.difference_hash)
                file.write(decoded.pixels.tobytes())
            same.append(photo)
        if not copies:
            raise UsageRefused(f"Not one photo in {labelled.place} can be read.")
        file.flush()
        # the mapping keeps the file alive after it is closed, and not after a killed run
        pixels = np.memmap(
            file, np.uint8, "r", shape=(len(copies), how.stored_size, how.stored_size, 3)
        )
    for same in copies.values():
        faults += _copy_faults(same)
    return copies, np.array(hashes, dtype=np.uint64), pixels, faults


def _copy_faults(same: Sequence[LabelledPhoto]) -> Iterator[Fault]:
    """Yield a fault for each copy of a photo, or where labels differ for all of them."""
    for photo in same:
        other = next((one for one in same if one.label != photo.label), None)
        if other is not None:
            yield Fault(
                photo.path,
                f"{display(photo.path)} is the same photo as {display(other.path)}, which says "
                f"{other.label}: neither is used.",
            )
        elif photo is not same[0]:
            reason = f"{display(photo.path)} is the same photo as {display(same[0].path)}."
            yield Fault(photo.path, reason)


@dataclass(frozen=True, slots=True)
class _Decoded:
    sha256: bytes
    pixels: Pixels
    difference_hash: int


def _decoded(
    photos: Sequence[LabelledPhoto], how: Preprocessing
) -> Iterator[tuple[LabelledPhoto, _Decoded | UnreadableImage]]:
    """Decode and hash photos on all cores, in order, a few photos ahead."""

    def load_one(photo: LabelledPhoto) -> _Decoded | UnreadableImage:
        try:
            content = read_photo(photo.path)
            image = open_image(content, min_side=how.decoded_side, name=display(photo.path))
            if min(image.size) < _SMALLEST:
                raise UnreadableImage(
                    UnreadableCode.NOT_AN_IMAGE,
                    f"{display(photo.path)} is {image.width} x {image.height} pixels: too small to "
                    "learn from.",
                )
            pixels = np.asarray(stored(image, how))
            return _Decoded(hashlib.sha256(content).digest(), pixels, difference_hash(pixels))
        except UnreadableImage as error:
            return error

    return map_ahead(load_one, photos)


def _without_near_duplicates(
    training: list[int], held_out: list[int], photos: Sequence[LabelledPhoto], hashes: Hashes
) -> tuple[list[int], list[Fault]]:
    """Leave out of the rows to learn from what is nearly the same as photos held out."""
    found = nearest(hashes[training], hashes[held_out])
    faults = [
        Fault(
            photos[row].path,
            f"{display(photos[row].path)} is nearly the same photo as "
            f"{display(photos[held_out[index]].path)}, which is held out: it is not learnt from.",
        )
        for row, index in zip(training, found, strict=True)
        if index >= 0
    ]
    return [row for row, index in zip(training, found, strict=True) if index < 0], faults


def content_hashes(photos: Sequence[LabelledPhoto]) -> list[tuple[bytes, str]]:
    """Compute the SHA-256 of photos on disk, with their labels, but for those that vanished."""

    def digest(photo: LabelledPhoto) -> bytes | None:
        try:
            return hashlib.sha256(read_photo(photo.path)).digest()
        except UnreadableImage:
            return None

    return [(sha256, photo.label) for photo, sha256 in map_ahead(digest, photos) if sha256]


def fingerprint(rows: Iterable[tuple[bytes, str]]) -> str:
    """Compute one hash over photos' own and their labels, whatever their names and order."""
    lines = sorted({f"{sha256.hex()} {label}" for sha256, label in rows})
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _check_enough(dataset: Dataset, labels: Collection[str], *, holds_out: bool) -> None:
    """Raise UsageRefused for one of these labels that no photo stands for in a part."""
    parts = {"learn from": dataset.training}
    because = ""
    if holds_out:
        parts["hold out"] = dataset.validation
        because = f": one in {round(1 / HELD_OUT)} is held out, by its content"
    for part, indices in parts.items():
        for label, count in dataset.count(indices).items():
            if count == 0 and label in labels:
                raise UsageRefused(
                    f"There is no photo of the class {label!r} to {part}{because}. Add photos "
                    "of it."
                )


def spread(photos: Indices, most: int) -> Indices:
    """Choose some, as many of each class and source as there are, in their order."""
    return photos[np.unique(np.linspace(0, len(photos) - 1, most).astype(np.intp))]
