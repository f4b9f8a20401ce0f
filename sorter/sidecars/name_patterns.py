"""What sidecars are called: one table, and after what each is named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.images.formats import RAW_SUFFIXES
from core.images.listing import is_photo_name
from sorter.names import fold

# What programs write about a photo, named `IMG.xmp` or `IMG.jpg.xmp`.
_NOTES = (
    ".xmp", ".aae", ".json",  # Adobe, darktable, digiKam; Apple; Google Takeout
    ".out.pp3", ".pp3", ".arp",  # RawTherapee, ART
    ".dop", ".on1", ".onphoto", ".nksc", ".nka",  # DxO, ON1, Nikon
    ".vrd", ".dr4", ".cos", ".acr", ".yml",  # Canon, Capture One, Lightroom, PhotoPrism
    ".exv", ".mie",  # exiv2, ExifTool
)  # fmt: skip
_BACKUP = "_original"  # ExifTool's: the photo, or its note, before it wrote to it
_ALL_NOTES = (_BACKUP, *_NOTES)
# The same shot once more, named after the stem: raw photos, films, thumbnails, spoken notes.
_FILMS = frozenset({".mov", ".mp4", ".mp", ".m4v", ".mv"})  # Live and motion photos'
_RAW = tuple(sorted(RAW_SUFFIXES))
_SHOTS = (*_RAW, *sorted(_FILMS), ".thm", ".wav")

_NUMBERED_FILM = re.compile(r".+\.mp(~\d+|\(\d+\))", re.I | re.DOTALL)  # PXL_1.MP~2.jpg's
_LAST_OF_NUMBERS = frozenset("0123456789)")

_TAKEOUTS = ".supplemental-metadata"
_CUT_LETTERS = 43  # from which on Takeout may have cut a name: 46, less a number such as (1)
_NUMBER = re.compile(r"(?P<body>.*)(?P<number>\(\d+\))", re.DOTALL)
_DARKTABLES = re.compile(r"(?P<stem>.+)_\d\d(?P<suffix>\.[^.]+)", re.DOTALL)  # x_01.jpg of x.jpg
_APPLES_ORIGINAL = re.compile(r"(?P<head>.*_)O(?P<number>\d{4})", re.DOTALL)  # of its AAE
_ICLOUDS = re.compile(r"(?P<stem>.+)_(HEVC|HEIC|HEIF|AVC|H264|JPE?G|PNG)", re.I | re.DOTALL)
_EDITED = re.compile(  # as Takeout calls a photo's edited version, in the account's language
    r".+-(edit|bearb|modif|bewerk|edyt|muokat|redig|uprav|szerk|düzen|edição|[eé]dité|izmen|ured"
    r"|измен|отредакт|редаг|змінен|επεξεργ|編集|已修改|已编辑|已編輯|수정"
    r"|แก้ไข|נערך|ערוך|تم التعديل|معدل)\w*",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Key:
    """A name that a sidecar may be named after."""

    text: str
    whole: bool  # a whole file name; else a stem
    is_cut: bool = False  # only the beginning of a whole name, less `number`
    number: str = ""

    def fits(self, photo: str) -> bool:
        stem, suffix = os.path.splitext(photo)
        if not self.is_cut:
            return fold(photo if self.whole else stem) == fold(self.text)
        numbered = _NUMBER.fullmatch(stem)
        if (numbered["number"] if numbered else "") != self.number:
            return False
        name = (numbered["body"] if numbered else stem) + suffix
        return fold(name).startswith(fold(self.text)) and not _EDITED.fullmatch(fold(stem))


@dataclass(frozen=True, slots=True)
class SidecarNames:
    """The table of names, with what a person adds to it."""

    more: tuple[str, ...] = ()  # suffixes of notes, in lower case

    def is_sidecar(self, name: str) -> bool:
        """Return whether a file of that name may be a sidecar, in any case of the suffix."""
        return (self.is_note(name) or self.is_recording(name)) and not is_photo_name(name)

    def is_note(self, name: str) -> bool:
        """Return whether it would be notes about a photo, or a photo's backup."""
        return bool(self._note_suffix(name))

    def is_recording(self, name: str) -> bool:
        """Return whether it would be the same shot once more: a raw photo, a film, a thumbnail."""
        return _has_suffix_of(_SHOTS, name) or _is_numbered_film(name)

    def keys(self, name: str) -> Iterator[Key]:
        """Yield what a sidecar may be named after, the likeliest first."""
        suffix = self._note_suffix(name)
        base = name[: -len(suffix)] if suffix else name
        if suffix == _BACKUP:
            yield Key(base, whole=True)
            if self.is_sidecar(base):
                yield from self.keys(base)
        elif suffix:
            yield from _note_keys(base, suffix)
        else:
            yield from _recording_keys(name)

    def _note_suffix(self, name: str) -> str:
        lower = name.lower()
        if not lower.endswith(_ALL_NOTES) and not lower.endswith(self.more):
            return ""  # as most names of a large folder
        return next((one for one in (_BACKUP, *self.more, *_NOTES) if lower.endswith(one)), "")


DEFAULT_NAMES = SidecarNames()


def _is_numbered_film(name: str) -> bool:
    return name[-1:] in _LAST_OF_NUMBERS and _NUMBERED_FILM.fullmatch(name) is not None


def is_raw_name(name: str) -> bool:
    return _has_suffix_of(_RAW, name)


def _has_suffix_of(suffixes: tuple[str, ...], name: str) -> bool:
    if not name.lower().endswith(suffixes):
        return False  # as most names of a large folder, at a fifth of splitting's time
    return os.path.splitext(name)[1] != ""  # `.mov` is a hidden file's whole name


def _note_keys(base: str, suffix: str) -> Iterator[Key]:
    yield Key(base, whole=True)
    if suffix == ".json":
        yield from _takeout_keys(base, "")
        numbered = _NUMBER.fullmatch(base)
        if numbered is not None:
            yield from _takeout_keys(numbered["body"], numbered["number"])
    darktables = _DARKTABLES.fullmatch(base)
    if darktables is not None:
        yield Key(darktables["stem"] + darktables["suffix"], whole=True)
    apples = _APPLES_ORIGINAL.fullmatch(base)
    if suffix == ".aae" and apples is not None:
        yield Key(apples["head"] + apples["number"], whole=False)
    yield Key(base, whole=False)


def _takeout_keys(body: str, number: str) -> Iterator[Key]:
    """Yield what Google Takeout has made a note's name of: it cuts `body` to 46 letters.

    A number stands at the end of the note's name, but in the photo's before the suffix.
    """
    of, dot, begun = body.rpartition(".")
    names = [body] if number else []
    names += [of] if dot and _TAKEOUTS[1:].startswith(begun) else []
    for name in names:
        stem, suffix = os.path.splitext(name)
        yield Key(stem + number + suffix, whole=True)
    if len(body) >= _CUT_LETTERS:
        yield Key(body, whole=True, is_cut=True, number=number)


def _recording_keys(name: str) -> Iterator[Key]:
    stem, suffix = os.path.splitext(name)
    if _is_numbered_film(name):
        yield Key(name, whole=False)
        return
    yield Key(stem, whole=False)
    if suffix.lower() not in _FILMS:
        return
    numbered = _NUMBER.fullmatch(stem)
    if numbered is not None:
        yield Key(f"{numbered['body']}{suffix}{numbered['number']}", whole=False)
    yield Key(name, whole=False)  # a Pixel's PXL_1.MP beside PXL_1.MP.jpg
    yield Key(stem + ".MP", whole=False)
    iclouds = _ICLOUDS.fullmatch(stem)
    if iclouds is not None:
        yield Key(iclouds["stem"], whole=False)


def split_at_stem(name: str, stem: str) -> tuple[str, str]:
    """Split a sidecar's name into what is called after its photo's stem, and the rest."""
    if name.startswith(stem):
        return stem, name[len(stem) :]
    wanted = fold(stem)
    for end in range(len(name) + 1):
        if fold(name[:end]) == wanted and fold(name[: end + 1]) != wanted:
            return name[:end], name[end:]
    return os.path.splitext(name)


def renamed(sidecar: str, stem: str, new_stem: str) -> str:
    """Name a sidecar after its photo's new stem."""
    head, tail = split_at_stem(sidecar, stem)
    if fold(head) == fold(stem):
        return new_stem + tail
    added = new_stem[len(stem) :] if new_stem.startswith(stem) else ""
    return head + added + tail
