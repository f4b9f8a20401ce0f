"""The classes a model knows, and what may be done with a photo of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

UNSURE = "unsure"


class Role(StrEnum):
    """Whether photos of a class are filed, or are of neither kind and left alone."""

    FILE = "file"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class PhotoClass:
    """One output of the network.

    `folder` is the folder's name both in training data and where photos are filed; `words` is
    what to call it, by language code.
    """

    label: str
    folder: str
    role: Role
    words: dict[str, str]


_KNOWN = {
    "cats": PhotoClass("cat", "cats", Role.FILE, {"en": "cat"}),
    "dogs": PhotoClass("dog", "dogs", Role.FILE, {"en": "dog"}),
    "other": PhotoClass("other", "other", Role.NEITHER, {"en": "neither"}),
}


def classes_from_folders(folders: Iterable[str]) -> tuple[PhotoClass, ...]:
    """Name the classes of a training folder: cat, dog, own names in order, then *neither*."""
    known = list(_KNOWN)
    classes = [
        _KNOWN.get(name) or PhotoClass(name, name, Role.FILE, {"en": name}) for name in folders
    ]

    def order(photo_class: PhotoClass) -> tuple[bool, int, str]:
        folder = photo_class.folder
        rank = known.index(folder) if folder in known else len(known)
        return photo_class.role is Role.NEITHER, rank, folder

    return tuple(sorted(classes, key=order))
