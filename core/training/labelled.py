"""Folders of labelled photos: what they hold, before any photo is opened."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import UsageRefused
from core.images.listing import FileKind, find_files
from core.labels import UNSURE, PhotoClass, classes_from_folders
from core.paths import display
from core.training.sources import SOURCES, Origin, read_sources

TRAIN, VALIDATION, TEST = "train", "validation", "test"
_PARTS = frozenset({TRAIN, VALIDATION, TEST})


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """A file in a class folder."""

    path: Path
    label: str
    source: str | None = None  # where it comes from, if a sources.csv tells
    kind: str | None = None  # what it shows beyond its class, likewise


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is skipped, and left where it is."""

    path: Path
    reason: str  # a sentence that names the file


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """What a folder of class folders holds, before any photo is opened."""

    folder: Path
    classes: tuple[PhotoClass, ...]
    photos: tuple[LabelledPhoto, ...]
    not_photos: int
    held_out: frozenset[Path] | None = None  # photos that are held out; None: chosen by content

    @property
    def labels(self) -> frozenset[str]:
        return frozenset(photo_class.label for photo_class in self.classes)


def scan_parts(folder: Path, *, sources: Path | None = None) -> tuple[LabelledFolder, Path | None]:
    """List what there is to train on in a folder of class folders, or of parts with those.

    Parts are `train/`, and if wanted `validation/`, which is then what is held out, and `test/`.
    Returns: the photos of the first two, and the folder of the test, if there is one. Raises
    UsageRefused as `scan`, and for parts of different classes.
    """
    if not (folder / TRAIN).is_dir():
        return scan(folder, sources=sources), None
    labelled = scan(folder / TRAIN, sources=sources)
    test = folder / TEST if (folder / TEST).is_dir() else None
    if (folder / VALIDATION).is_dir():
        validation = scan(folder / VALIDATION)
        if validation.labels != labelled.labels:
            raise UsageRefused(
                f"{display(validation.folder)} must hold the classes of "
                f"{display(labelled.folder)}, no more and no fewer."
            )
        labelled = replace(
            labelled,
            # first, so that a copy of a photo held out is not learnt from
            photos=(*validation.photos, *labelled.photos),
            not_photos=labelled.not_photos + validation.not_photos,
            held_out=frozenset(photo.path for photo in validation.photos),
        )
    return replace(labelled, folder=folder), test


def scan(folder: Path, *, sources: Path | None = None) -> LabelledFolder:
    """List the class folders of `folder` (`cats/`, `dogs/`, ...) and the photos below them.

    Where they come from stands in the table `sources`, by default its `sources.csv`, if it is
    there. Raises UsageRefused if it does not hold two class folders with photos in them.
    """
    if not os.path.isdir(folder):
        raise UsageRefused(f"{display(folder)} is not a folder. Name one that holds cats/, dogs/.")
    names = sorted(
        entry.name for entry in folder.iterdir() if entry.is_dir() and entry.name[0] != "."
    )
    if _PARTS & set(names):
        part = sorted(_PARTS & set(names))[-1]
        raise UsageRefused(
            f"{display(folder)} holds {part}/, not class folders. Name {display(folder / part)} "
            "instead."
        )
    if len(names) < 2:
        raise UsageRefused(
            f"{display(folder)} must hold two class folders or more, such as cats/ and dogs/. "
            f"Found: {', '.join(f'{name}/' for name in names) or 'none'}."
        )
    if set(names) & {UNSURE, "unreadable"}:
        raise UsageRefused(
            f"{display(folder)} holds what sorting set apart (unsure/ or unreadable/). Move those "
            "photos to their classes, and take the folders away."
        )
    classes = classes_from_folders(names)
    labels = [photo_class.label for photo_class in classes]
    for photo_class in classes:
        if labels.count(photo_class.label) > 1:
            raise UsageRefused(
                f"{display(folder)} has more than one folder for the class "
                f"{photo_class.label!r}: {', '.join(f'{name}/' for name in names)}. Keep one."
            )
    origins: dict[str, Origin] = {}
    if sources is not None or (folder / SOURCES).is_file():
        origins = read_sources(sources or folder / SOURCES)
    unknown = Origin()
    photos: list[LabelledPhoto] = []
    not_photos = 0
    for photo_class in classes:
        found = list(find_files(folder / photo_class.folder, recursive=True))
        own = []
        for file in found:
            if file.kind is FileKind.PHOTO:
                origin = origins.get(file.path.relative_to(folder).as_posix(), unknown)
                own.append(LabelledPhoto(file.path, photo_class.label, origin.source, origin.kind))
        if not own:
            raise UsageRefused(
                f"{display(folder / photo_class.folder)} holds no photos. Add some, or take the "
                "folder away."
            )
        photos.extend(own)
        not_photos += len(found) - len(own)
    return LabelledFolder(folder, classes, tuple(photos), not_photos)
