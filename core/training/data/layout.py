"""How people lay labelled photos out: by folders, parts and file names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from core.images.listing import is_photo_name, list_folders


class Part(StrEnum):
    """What photos are for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


_PARTS = {
    "train": Part.TRAIN,
    "training": Part.TRAIN,
    "val": Part.VALIDATION,
    "valid": Part.VALIDATION,
    "validate": Part.VALIDATION,
    "validation": Part.VALIDATION,
    "test": Part.TEST,
    "testing": Part.TEST,
}
_OF_A_PART = re.compile(r"(set|data|dataset|split|images?|imgs?|photos?|pictures?)$")
_CLASSES = {
    "cat": "cats",
    "cats": "cats",
    "dog": "dogs",
    "dogs": "dogs",
    "other": "other",
    "others": "other",
    "both": "both",
}
# folders that systems and other programs make wherever they come by
_FOREIGN = frozenset(
    {
        "@eadir",
        "@recycle",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "__macosx",
        "__pycache__",
        "lost+found",
        "system volume information",
    }
)
_LABEL_IN_NAME = re.compile(r"([^\W\d_]+)(?=[\W\d_])")


def part_of(name: str) -> Part | None:
    """Return which part a folder is by its name: `Training_Set`, `val`, `test1`."""
    plain = re.sub(r"[\W\d_]", "", name).casefold()
    return _PARTS.get(plain) or _PARTS.get(_OF_A_PART.sub("", plain))


def known_folder(name: str) -> str | None:
    """Return the folder of the class that a folder's name or a label stands for, if it is known."""
    return _CLASSES.get(name.casefold())


def is_foreign(path: Path) -> bool:
    """Return whether a folder is hidden or another program's: thumbnails, trash."""
    return path.name.startswith(".") or path.name.casefold() in _FOREIGN


def subfolders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted, but for those that are foreign."""
    return sorted(
        entry.name for entry in folder.iterdir() if not is_foreign(entry) and entry.is_dir()
    )


def find_photos(folder: Path, *, recursive: bool = True) -> tuple[list[Path], int]:
    """Return the photos in a folder and below it, also behind links, and the number of other files.

    A link that leads nowhere is a photo if it is named like one: reading it then fails by name.
    """
    photos: list[Path] = []
    others = 0
    entered = {folder.resolve()}
    waiting = [folder]
    while waiting:
        for listing in list_folders(waiting.pop(), recursive=recursive, skip=is_foreign):
            entered.add(listing.folder.resolve())
            photos += [listing.folder / name for name in listing.photos]
            for name in listing.others:
                path = listing.folder / name
                if recursive and path.is_symlink() and path.is_dir():
                    if path.resolve() not in entered and not is_foreign(path):
                        entered.add(path.resolve())
                        waiting.append(path)
                elif is_photo_name(name) and path.is_symlink() and _is_file_or_nothing(path):
                    photos.append(path)
                else:
                    others += 1
    return sorted(photos), others


def _is_file_or_nothing(path: Path) -> bool:
    return path.is_file() or not path.exists()


def labels_in_names(photos: Iterable[Path]) -> dict[Path, str]:
    """Return the class folder of each photo whose name begins with a known class: `Dog_12.jpg`."""
    found: dict[Path, str] = {}
    for photo in photos:
        begins = _LABEL_IN_NAME.match(photo.name)
        if begins and (folder := known_folder(begins[1])):
            found[photo] = folder
    return found


def unwrapped(folder: Path) -> Path:
    """Go down through folders that hold one folder and nothing else of a person's.

    As `PetImages/Cat` or `training_set/training_set/cats` lie where they were unpacked. A class's
    own folder is where it ends, and a part that is not to be learnt from.
    """
    part = part_of(folder.name)
    while True:
        names = subfolders(folder)
        if len(names) != 1 or known_folder(names[0]):
            return folder
        if part_of(names[0]) not in (None, Part.TRAIN, part):
            return folder
        inner = folder / names[0]
        photos, _ = find_photos(inner, recursive=False)
        holds_classes = subfolders(inner) or len(set(labels_in_names(photos).values())) > 1
        if find_photos(folder, recursive=False)[0] or not holds_classes:
            return folder
        folder = inner
