"""Labelled folders: finding their photos, naming their faults, splitting and decoding them."""

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
    left_out: Indices  # of photos of other sources than any learnt from, to calibrate by
    faults: tuple[Fault, ...]
    fingerprint: str  # SHA-256 over the photos' hashes and labels, whatever their names

    def count(self, indices: Indices) -> dict[str, int]:
        """Count photos by label."""
        counts = np.bincount(self.targets[indices], minlength=len(self.classes))
        return {
            photo_class.label: int(count)
            for photo_class, count in zip(self.classes, counts, strict=True)
        }


def is_held_out(sha256: bytes) -> bool:
    """Tell from a photo's content which part it belongs to, the same in every run."""
    return int.from_bytes(sha256[:8], "big") < HELD_OUT * 2**64


def load(
    labelled: LabelledFolder,
    how: Preprocessing,
    *,
    work: Path,
    leave_out: Collection[str] = (),
    never_held_out: Collection[Path] = (),
    holds_out: bool = True,
    on_photo: Callable[[], None] = lambda: None,
) -> Dataset:
    """Decode all photos to the stored size, into an unnamed temporary file in `work`.

    Photos of the sources in `leave_out` are neither learnt from nor held out, but kept apart;
    those in `never_held_out` are learnt from, whatever their content, and all are if nothing is to
    be held out.

    Files that cannot be decoded are named in `faults` and skipped, and so are copies of a photo:
    all but the first, or every one of them if they lie in different class folders. What is nearly
    the same as a photo held out or left out is not learnt from. `on_photo` is called once a file.
    Raises UsageRefused if a class has no photo to learn from or none held out.
    """
    faults: list[Fault] = []
    kept: list[LabelledPhoto] = []
    hashes: list[int] = []
    row_of: dict[bytes, int] = {}  # by SHA-256
    contradicted: set[int] = set()
    with tempfile.TemporaryFile(dir=work) as file:
        for photo, loaded in _decoded(labelled.photos, how):
            on_photo()
            if isinstance(loaded, UnreadableImage):
                faults.append(Fault(photo.path, str(loaded)))
                continue
            sha256, pixels, near = loaded
            row = row_of.setdefault(sha256, len(kept))
            if row == len(kept):
                kept.append(photo)
                hashes.append(near)
                file.write(pixels.tobytes())
                continue
            first = kept[row]
            if first.label == photo.label:
                reason = f"{display(photo.path)} is the same photo as {display(first.path)}."
                faults.append(Fault(photo.path, reason))
                continue
            faults.append(_contradiction(photo, first))
            if row not in contradicted:
                contradicted.add(row)
                faults.append(_contradiction(first, photo))
        if not kept:
            raise UsageRefused(f"Not one photo in {display(labelled.folder)} can be read.")
        file.flush()
        # the mapping keeps the file alive after it is closed, and not after a killed run
        pixels_of_all = np.memmap(
            file, np.uint8, "r", shape=(len(kept), how.stored_size, how.stored_size, 3)
        )
    index_of = {photo_class.label: index for index, photo_class in enumerate(labelled.classes)}
    rows = [(sha256, row) for sha256, row in row_of.items() if row not in contradicted]
    parts: dict[str, list[int]] = {"training": [], "validation": [], "left_out": []}
    for sha256, row in rows:
        if kept[row].source in leave_out:
            parts["left_out"].append(row)
        else:
            path = kept[row].path
            held_out = holds_out and is_held_out(sha256) and path not in never_held_out
            if labelled.held_out is not None:
                held_out = path in labelled.held_out
            parts["validation" if held_out else "training"].append(row)
    difference_hashes = np.array(hashes, dtype=np.uint64)
    faults += _take_out_near_duplicates(parts, kept, difference_hashes)
    dataset = Dataset(
        classes=labelled.classes,
        photos=tuple(kept),
        difference_hashes=difference_hashes,
        sha256=tuple(sha256.hex() for sha256 in row_of),
        pixels=pixels_of_all,
        targets=np.array([index_of[photo.label] for photo in kept], dtype=np.intp),
        **{part: np.array(rows_of, dtype=np.intp) for part, rows_of in parts.items()},
        faults=tuple(faults),
        fingerprint=fingerprint((sha256, kept[row].label) for sha256, row in rows),
    )
    _check_enough(dataset, {photo.label for photo in labelled.photos}, holds_out=holds_out)
    return dataset


def _take_out_near_duplicates(
    parts: dict[str, list[int]], photos: Sequence[LabelledPhoto], hashes: Hashes
) -> list[Fault]:
    """Take what is nearly the same as photos held out or left out from those to learn from."""
    faults: list[Fault] = []
    apart = parts["validation"] + parts["left_out"]
    learnt: list[int] = []
    found = nearest(hashes[parts["training"]], hashes[apart])
    for row, place in zip(parts["training"], found, strict=True):
        if place < 0:
            learnt.append(row)
            continue
        path, other = photos[row].path, photos[apart[place]].path
        faults.append(
            Fault(
                path,
                f"{display(path)} is nearly the same photo as {display(other)}, which is held "
                "out: it is not learnt from.",
            )
        )
    parts["training"] = learnt
    return faults


def content_hashes(photos: Sequence[LabelledPhoto]) -> list[tuple[bytes, str]]:
    """Compute the SHA-256 of photos on disk, with their labels, but for those that vanished."""

    def digest(photo: LabelledPhoto) -> bytes | None:
        try:
            return hashlib.sha256(read_photo(photo.path)).digest()
        except UnreadableImage:
            return None

    return [(sha256, photo.label) for photo, sha256 in map_ahead(digest, photos) if sha256]


def _decoded(
    photos: Sequence[LabelledPhoto], how: Preprocessing
) -> Iterator[tuple[LabelledPhoto, tuple[bytes, Pixels, int] | UnreadableImage]]:
    """Hash, decode and hash for near-duplicates on all cores, in order, a few photos ahead."""

    def load_one(photo: LabelledPhoto) -> tuple[bytes, Pixels, int] | UnreadableImage:
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
            return hashlib.sha256(content).digest(), pixels, difference_hash(pixels)
        except UnreadableImage as error:
            return error

    return map_ahead(load_one, photos)


def _contradiction(photo: LabelledPhoto, other: LabelledPhoto) -> Fault:
    return Fault(
        photo.path,
        f"{display(photo.path)} is the same photo as {display(other.path)}, which says "
        f"{other.label}: neither is used.",
    )


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
