"""The classes a model knows, and what may be done with a photo of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

UNSURE = "unsure"


class Role(StrEnum):
    """Whether photos of a class are filed, or left alone: of neither kind, or of more than one."""

    FILE = "file"
    NEITHER = "neither"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class PhotoClass:
    """One output of the model.

    `folder` is the folder's name both in training data and where photos are filed; `words` is
    its name by language code; `threshold` is the probability from which on a verdict is sure,
    0 to 1. `parent` is the label of the class that it is a kind of: `cat` of `tom`, say.
    """

    label: str
    folder: str
    role: Role
    words: dict[str, str]
    threshold: float = 1.0  # of a model that is not calibrated yet
    parent: str | None = None

    def with_threshold(self, threshold: float) -> PhotoClass:
        return replace(self, threshold=threshold)


_KNOWN = {
    "cats": PhotoClass("cat", "cats", Role.FILE, {"en": "cat"}),
    "dogs": PhotoClass("dog", "dogs", Role.FILE, {"en": "dog"}),
    "other": PhotoClass("other", "other", Role.NEITHER, {"en": "neither"}),
    "both": PhotoClass("both", "both", Role.BOTH, {"en": "both"}),
}
_ORDER = tuple(Role)


def classes_from_folders(folders: Iterable[str]) -> tuple[PhotoClass, ...]:
    """Return the classes of a training folder: cat, dog, own names in order, *neither*, *both*."""
    return in_order(
        _KNOWN.get(name) or PhotoClass(name, name, Role.FILE, {"en": name}) for name in folders
    )


def in_order(classes: Iterable[PhotoClass]) -> tuple[PhotoClass, ...]:
    """Sort classes as manifests do: cat, dog, own names, then *neither* and *both*."""
    known = list(_KNOWN)

    def rank(one: PhotoClass) -> tuple[int, int, str]:
        place = known.index(one.folder) if one.folder in known else len(known)
        return _ORDER.index(one.role), place, one.folder

    return tuple(sorted(classes, key=rank))
