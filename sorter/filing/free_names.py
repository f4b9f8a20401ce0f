"""Names that are free in a folder, for a photo and its sidecars alike."""

from __future__ import annotations

import os
from dataclasses import replace
from enum import StrEnum
from itertools import count
from pathlib import Path

from sorter.journal.moves import Group
from sorter.moving.transfer import same_bytes
from sorter.outcome import FileOutcome, Outcome, Reason
from sorter.sidecars.name_patterns import split_at_stem

_LONGEST_NAME_BYTES = 255  # on every file system that people use


class Conflict(StrEnum):
    """What to do with a photo whose name is taken by another."""

    RENAME = "rename"
    SKIP = "skip"


class FreeNames:
    """Chooses names, and keeps those that it has promised."""

    def __init__(self) -> None:
        self._promised: dict[str, Path] = {}  # to their sources; strings are half the size of paths

    def choose(self, group: Group, on_conflict: Conflict) -> Group | FileOutcome:
        """Return a group under names that are free and promised to it, or why it is left.

        Raises OSError.
        """
        source = group[0].source
        for number in count():
            named = numbered(group, number)
            taken = next((move for move in named if self._is_taken(move.destination)), None)
            if taken is None:
                self._promised |= {str(move.destination): move.source for move in named}
                return named
            place = taken.destination
            if taken is named[0] and same_bytes(source, self._promised.get(str(place), place)):
                return FileOutcome(source, Outcome.DUPLICATE, destination=place)
            if on_conflict is Conflict.SKIP:
                return FileOutcome(source, reason=Reason.CONFLICT, destination=place)
        raise AssertionError("count() does not end")

    def forget(self, group: Group) -> None:
        """Take back promises: the names are taken now, or free."""
        for move in group:
            self._promised.pop(str(move.destination), None)

    def _is_taken(self, destination: Path) -> bool:
        return str(destination) in self._promised or os.path.lexists(destination)


def numbered(group: Group, number: int) -> Group:
    """Return a group with ` (number)` added to the stem of each name, 0 for none.

    The stem is cut if a name grew too long for any of them.
    """
    if number == 0:
        return group
    stem = os.path.splitext(group[0].destination.name)[0]
    parts = [split_at_stem(move.destination.name, stem) for move in group]
    ending = f" ({number})"
    most = _LONGEST_NAME_BYTES - len(ending) - max(len(os.fsencode(tail)) for _, tail in parts)
    return [
        replace(move, destination=move.destination.with_name(_cut(head, most) + ending + tail))
        for move, (head, tail) in zip(group, parts, strict=True)
    ]


def _cut(head: str, most: int) -> str:
    while len(os.fsencode(head)) > most:
        head = head[:-1]
    return head
