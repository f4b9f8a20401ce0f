"""TIFF directories (TIFF 6.0, section 2), as they are or as makers changed them."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from core.images.raw.source import Source

SUB_IFDS = 0x014A
TIFF = 42
OLYMPUS = frozenset({0x4F52, 0x5352})  # "RO" and "RS" where TIFF has 42
PANASONIC = 0x0055  # "U\0"

_MOST_DIRECTORIES = 32
_MOST_ENTRIES = 512  # a Canon maker note, the longest there is, has some 120
_MOST_VALUES = 16
_ENTRY_BYTES = 12
_UNDEFINED, _RATIONAL = 7, 5
_BYTES_OF_TYPE = MappingProxyType(  # TIFF 6.0, p. 15; 13 (IFD) from its supplement 1
    {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
)
_NUMBER = MappingProxyType({1: "B", 3: "H", 4: "I", 13: "I"})


@dataclass(frozen=True, slots=True)
class View:
    """A file seen as TIFF: offsets count from `base`, numbers are in `order` ("<" or ">")."""

    source: Source
    order: str
    base: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A tag's type, its count, and where in the file its values lie."""

    type: int
    count: int
    offset: int


@dataclass(frozen=True, slots=True)
class Directory:
    """One image file directory (IFD)."""

    view: View
    entries: dict[int, Entry]
    following: int  # where the next one is, from the view's base; 0 if this is the last

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return a tag's values, 16 at most; nothing if it is missing, cut or of another type."""
        entry = self.entries.get(tag)
        if entry is None:
            return ()
        count = min(entry.count, _MOST_VALUES)
        found = self.view.source.at(entry.offset, count * _BYTES_OF_TYPE.get(entry.type, 1))
        if found is None:
            return ()
        if entry.type == _RATIONAL:
            parts = struct.unpack(f"{self.view.order}{2 * count}I", found)
            if 0 in parts[1::2]:
                return ()
            return tuple(top / bottom for top, bottom in zip(parts[::2], parts[1::2], strict=True))
        if entry.type not in _NUMBER:
            return ()
        return struct.unpack(f"{self.view.order}{count}{_NUMBER[entry.type]}", found)

    def number(self, tag: int) -> int | None:
        """Return the whole number of a tag that has a single one."""
        found = self.numbers(tag)
        return int(found[0]) if len(found) == 1 else None

    def text(self, tag: int) -> str:
        """Return the first 64 characters of a tag's text."""
        entry = self.entries.get(tag)
        if entry is None or entry.type != 2:
            return ""
        found = self.view.source.at(entry.offset, min(entry.count, 64)) or b""
        return found.split(b"\0")[0].decode("ascii", "replace").strip()


def read_header(source: Source, base: int = 0) -> tuple[View, int, int] | None:
    """Return how to read a TIFF header's directories, its magic number, and the first's offset."""
    header = source.at(base, 8)
    order = {b"II": "<", b"MM": ">"}.get(header[:2]) if header else None
    if header is None or order is None:
        return None
    magic, first = struct.unpack(f"{order}HI", header[2:])
    if magic not in {TIFF, PANASONIC} | OLYMPUS:
        return None
    return View(source, order, base), magic, first


def read_directory(view: View, offset: int) -> Directory | None:
    """Return the directory at an offset from the view's base."""
    start = view.base + offset
    head = view.source.at(start, 2)
    if head is None:
        return None
    (stated,) = struct.unpack(f"{view.order}H", head)
    count = min(stated, _MOST_ENTRIES)
    table = view.source.at(start + 2, count * _ENTRY_BYTES)
    if not table:
        return None
    entries: dict[int, Entry] = {}
    for index, (tag, kind, values, pointer) in enumerate(
        struct.iter_unpack(f"{view.order}HHII", table)
    ):
        inline = values * _BYTES_OF_TYPE.get(kind, 1) <= 4
        place = start + 2 + index * _ENTRY_BYTES + 8 if inline else view.base + pointer
        entries.setdefault(tag, Entry(kind, values, place))
    tail = view.source.at(start + 2 + stated * _ENTRY_BYTES, 4)
    following = struct.unpack(f"{view.order}I", tail)[0] if tail else 0
    return Directory(view, entries, following)


def walk(view: View, first: int) -> list[Directory]:
    """Return the directories of a chain with their SubIFDs, 32 at most, each once."""
    found: list[Directory] = []
    seen: set[int] = set()
    waiting = deque([first])
    while waiting and len(found) < _MOST_DIRECTORIES:
        offset = waiting.popleft()
        directory = None if offset in seen or offset == 0 else read_directory(view, offset)
        seen.add(offset)
        if directory is not None:
            found.append(directory)
            waiting.extend(_pointers(directory.numbers(SUB_IFDS)))
            waiting.append(directory.following)
    return found


def pointed_to(directory: Directory, tag: int) -> Directory | None:
    """Return the directory that a tag points to, or holds as bytes (old Olympus cameras)."""
    entry = directory.entries.get(tag)
    if entry is None:
        return None
    view = directory.view
    if entry.type == _UNDEFINED:
        return read_directory(view, entry.offset - view.base)
    offset = directory.number(tag)
    return None if offset is None else read_directory(view, offset)


def _pointers(values: Iterable[float]) -> list[int]:
    return [int(value) for value in values]
