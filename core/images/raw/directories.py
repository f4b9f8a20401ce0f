"""The TIFF directories of a RAW file; what is damaged of them counts as not there."""

from __future__ import annotations

from collections import deque

from core.images.raw.contents import unless_damaged
from core.images.structure.base import Source
from core.images.structure.tiff import Directories, Directory

TIFF = 42
OLYMPUS = frozenset({0x4F52, 0x5352})  # "RO" and "RS" where TIFF has 42
PANASONIC = 0x0055  # "U\0"

_SUB_IFDS = 0x014A
_MOST_DIRECTORIES, _MOST_SUB_IFDS = 32, 16
_MOST_NUMBERS = 100  # of a tag: Canon's SensorInfo has 17
_ASCII, _UNDEFINED = 2, 7  # types of values


@unless_damaged
def open_tiff(source: Source) -> Directories | None:
    """Return what begins as TIFF does, or as makers changed that."""
    tiff = Directories(source)
    is_tiff = source.at(0, 2) in (b"II", b"MM") and tiff.magic in {TIFF, PANASONIC} | OLYMPUS
    return tiff if is_tiff else None


@unless_damaged
def directory_at(tiff: Directories, offset: int) -> Directory | None:
    return tiff.directory(offset)


def walk(tiff: Directories) -> list[Directory]:
    """Return the directories of a chain with their SubIFDs, 32 at most, each once."""
    found: list[Directory] = []
    known = {0}
    waiting = deque([tiff.first])
    while waiting and len(found) < _MOST_DIRECTORIES:
        offset = waiting.popleft()
        directory = None if offset in known else directory_at(tiff, offset)
        known.add(offset)
        if directory is not None:
            found.append(directory)
            waiting.extend(int(offset) for offset in numbers(directory, _SUB_IFDS)[:_MOST_SUB_IFDS])
            waiting.append(directory.following)
    return found


def pointed_to(directory: Directory, tag: int) -> Directory | None:
    """Return the directory that a tag points to, or holds as bytes (old Olympus cameras)."""
    field = directory.fields.get(tag)
    is_inside = field is not None and field.kind == _UNDEFINED
    offset = field.offset if field is not None and is_inside else number(directory, tag)
    return None if offset is None else directory_at(directory.tiff, offset)


def numbers(directory: Directory, tag: int) -> list[float]:
    """Return a tag's numbers; none if it is missing, damaged, of another type, or has very many."""
    field = directory.fields.get(tag)
    has_few = field is not None and field.count <= _MOST_NUMBERS
    return (unless_damaged(directory.numbers)(tag) or []) if has_few else []


def number(directory: Directory, tag: int) -> int | None:
    """Return the whole number of a tag that has a single one."""
    field = directory.fields.get(tag)
    found = numbers(directory, tag) if field is not None and field.count == 1 else []
    return int(found[0]) if found else None


def text(directory: Directory, tag: int) -> str:
    """Return the first 64 characters of a tag's text."""
    field = directory.fields.get(tag)
    if field is None or field.kind != _ASCII:
        return ""
    found = unless_damaged(directory.tiff.source.at)(field.offset, min(field.count, 64)) or b""
    return found.split(b"\0")[0].decode("ascii", "replace").strip()
