"""Folders of labelled photos: what they hold, before any photo is opened."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import UsageRefused
from core.labels import UNSURE, PhotoClass, classes_from_folders
from core.paths import display
from core.training.data.label_table import find_label_table, read_label_table
from core.training.data.layout import (
    Part,
    find_photos,
    known_folder,
    labels_in_names,
    part_of,
    subfolders,
    unwrapped,
)
from core.training.data.sources import SOURCES, Origin, read_sources

_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz")


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """A file whose class is known by its folder, its name or a table."""

    path: Path
    label: str
    source: str | None = None  # where it comes from, by the sources.csv
    kind: str | None = None  # what it shows beyond its class, likewise


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is skipped, and left where it is."""

    path: Path
    reason: str  # a sentence that names the file


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """What a folder of class folders holds, before any photo is opened."""

    folder: Path | None  # None: photos that people labelled are all there is
    classes: tuple[PhotoClass, ...]
    photos: tuple[LabelledPhoto, ...]
    not_photos: int
    held_out: frozenset[Path] | None = None  # photos that are held out; None: chosen by content
    notes: tuple[str, ...] = ()  # sentences about how the folder was understood

    @property
    def place(self) -> str:
        """Where the photos are, in words."""
        return display(self.folder) if self.folder else "what people labelled"

    @property
    def labels(self) -> frozenset[str]:
        return frozenset(photo_class.label for photo_class in self.classes)


def scan_parts(folder: Path) -> tuple[LabelledFolder, Path | None]:
    """List what there is to train on in a folder of class folders, or of parts with those.

    Parts are `train/`, and if wanted `validation/`, which is then what is held out, and `test/`,
    by any of the names that people give them. Returns: the photos of the first two, and the folder
    of the test, if there is one. Raises UsageRefused as `scan`, and for parts of different classes.
    """
    top = unwrapped(folder) if os.path.isdir(folder) else folder
    parts, notes = _parts(top)
    if Part.TRAIN not in parts:
        return scan(folder), None
    labelled = scan(parts[Part.TRAIN])
    test = parts.get(Part.TEST)
    if test is not None and not _is_labelled(test):
        notes.append(f"{test.name}/ is not measured: nothing says what its photos are.")
        test = None
    held_out = None
    if Part.VALIDATION in parts:
        validation = scan(parts[Part.VALIDATION])
        if validation.labels != labelled.labels:
            raise UsageRefused(
                f"{validation.place} must hold the classes of "
                f"{labelled.place}, no more and no fewer."
            )
        held_out = frozenset(photo.path for photo in validation.photos)
        notes.append(f"{parts[Part.VALIDATION].name}/ is what is held out.")
        labelled = replace(
            labelled,
            # first, so that a copy of a photo held out is not learnt from
            photos=(*validation.photos, *labelled.photos),
            not_photos=labelled.not_photos + validation.not_photos,
        )
    if test is not None:
        notes.append(f"{test.name}/ is measured last.")
    return replace(labelled, folder=top, held_out=held_out, notes=(*notes, *labelled.notes)), test


def _parts(folder: Path) -> tuple[dict[Part, Path], list[str]]:
    """Return the folders of parts in a folder, and a note on each other folder.

    None are returned where there is no `train/`. Raises UsageRefused if it is ambiguous.
    """
    names = subfolders(folder) if os.path.isdir(folder) else []
    parts: dict[Part, Path] = {}
    for name in names:
        part = part_of(name)
        if part in parts:
            raise UsageRefused(
                f"{display(folder)} holds {parts[part].name}/ and {name}/, which mean the same. "
                "Take one away."
            )
        if part is not None:
            parts[part] = folder / name
    others = [name for name in names if part_of(name) is None]
    if Part.TRAIN not in parts or any(known_folder(name) for name in others):
        return {}, []
    return parts, [
        f"{name}/ is left alone: it is no part such as train/ or test/." for name in others
    ]


def _is_labelled(folder: Path) -> bool:
    try:
        scan(folder)
    except UsageRefused:
        return False
    return True


def scan(folder: Path) -> LabelledFolder:
    """Return the photos of `folder` with their labels: those of its class folders, if it has any.

    Else the labels stand in file names (`cat.0.jpg`), or in a table, which may be given itself.
    Sources are read from its `sources.csv`, if there is one. Raises UsageRefused if there are not
    two classes with photos.
    """
    if os.path.isfile(folder) and folder.suffix.lower() == ".csv":
        return _from_table(folder, folder.parent)
    if not os.path.isdir(folder):
        raise UsageRefused(f"{display(folder)} is not a folder. Name one that holds cats/, dogs/.")
    folder = unwrapped(folder)
    names = subfolders(folder)
    _refuse_parts(folder, names)
    if len(names) < 2 and (table := find_label_table(folder)):
        return _from_table(table, folder)
    loose, others = find_photos(folder, recursive=False)
    in_names = labels_in_names(loose)
    if len(names) < 2 and len(set(in_names.values())) > 1:
        notes = ["Labels are taken from the file names."]
        if len(in_names) < len(loose):
            notes.append(f"{len(loose) - len(in_names)} photos whose names say none are not used.")
        return _labelled(folder, list(in_names.items()), others, notes)
    _refuse_what_is_no_class(folder, names)
    photos: list[tuple[Path, str]] = []
    not_photos = 0
    for name in names:
        own, others = find_photos(folder / name)
        if not own:
            raise UsageRefused(
                f"{display(folder / name)} holds no photos. Add some, or take the folder away."
            )
        photos += [(path, known_folder(name) or name) for path in own]
        not_photos += others
    notes = [
        f"{name}/ is taken for {known}/."
        for name in names
        if (known := known_folder(name) or name) != name
    ]
    if loose:
        notes.append(f"{len(loose)} photos beside the class folders are not used.")
    return _labelled(folder, photos, not_photos, notes)


def _from_table(table: Path, folder: Path) -> LabelledFolder:
    read = read_label_table(table, folder)
    notes = [f"Labels are taken from {table.name}."]
    if read.missing:
        notes.append(f"{read.missing} photos that it names are not there.")
    return _labelled(folder, read.photos, 0, notes)


def _labelled(
    folder: Path,
    photos: Sequence[tuple[Path, str]],
    not_photos: int,
    notes: Sequence[str],
) -> LabelledFolder:
    """Return photos, each given with the folder of its class, with their labels and sources."""
    classes = classes_from_folders({name for _, name in photos})
    if len(classes) < 2:
        raise UsageRefused(
            f"{display(folder)} must hold photos of two classes or more, such as cats/ and dogs/."
        )
    label_of = {one.folder: one.label for one in classes}
    table = folder / SOURCES
    origins = read_sources(table) if table.is_file() else {}
    labelled = []
    for path, name in photos:
        below = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else ""
        origin = origins.get(below, Origin())
        labelled.append(LabelledPhoto(path, label_of[name], origin.source, origin.kind))
    return LabelledFolder(folder, classes, tuple(labelled), not_photos, notes=tuple(notes))


def _refuse_parts(folder: Path, names: Sequence[str]) -> None:
    parts = [name for name in names if part_of(name)]
    if not parts:
        return
    # the test, where there are several: whoever measures wants that
    named = sorted(parts, key=lambda name: part_of(name) or "")[-1]
    beside = " beside class folders" if len(parts) < len(names) else ", not class folders"
    raise UsageRefused(
        f"{display(folder)} holds {named}/{beside}. Name {display(folder / named)} instead."
    )


def _refuse_what_is_no_class(folder: Path, names: Sequence[str]) -> None:
    """Raise UsageRefused unless each of the folders can be a class of its own."""
    if len(names) < 2:
        found = ", ".join(f"{name}/" for name in names) or "none"
        raise UsageRefused(
            f"{display(folder)} must hold two class folders or more, such as cats/ and dogs/. "
            f"Found: {found}.{_instead(folder)}"
        )
    if {name.casefold() for name in names} & {UNSURE, "unreadable"}:
        raise UsageRefused(
            f"{display(folder)} holds what sorting set apart (unsure/ or unreadable/). Move those "
            "photos to their classes, and take the folders away."
        )
    classes = [(known_folder(name) or name).casefold() for name in names]
    for one in classes:
        if classes.count(one) > 1:
            same = [name for name, of in zip(names, classes, strict=True) if of == one]
            raise UsageRefused(
                f"{display(folder)} has more than one folder for the class {one!r}: "
                f"{', '.join(f'{name}/' for name in same)}. Keep one."
            )


def _instead(folder: Path) -> str:
    """Return a hint at what would be taken, where something like it is there."""
    archives = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _ARCHIVES]
    if archives:
        return f" Or name the archive: catdog train {display(archives[0])}"
    if find_photos(folder, recursive=False)[0]:
        return (
            " Photos may also be named cat.1.jpg, dog.1.jpg, or be told in a table labels.csv with "
            f"the columns file and label: catdog train {display(folder / 'labels.csv')}"
        )
    return ""


def folders_of(photos: Sequence[LabelledPhoto]) -> dict[str, Path]:
    """Return the folder that photos of each label lie in; labels from elsewhere have none."""
    found: dict[str, Path] = {}
    for photo in photos:
        for folder in photo.path.parents:
            classes = classes_from_folders([known_folder(folder.name) or folder.name])
            if photo.label not in found and classes[0].label == photo.label:
                found[photo.label] = folder
    return found
