"""Which files of a folder belong to which of its photos, and go where these go."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path

from core.images.listing import is_photo_name

# What programs write about a photo, named `IMG.xmp` or `IMG.jpg.xmp`; the first is Takeout's.
_SIDECARS = (".supplemental-metadata.json", ".xmp", ".aae", ".json")
_RAW = frozenset(
    {".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".gpr", ".iiq", ".kdc", ".mrw", ".nef"}
    | {".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".srw", ".x3f"}
)
_LIVE_PHOTO = ".mov"


def is_companion_name(name: str) -> bool:
    """Tell whether a file of that name may belong to a photo, in any case of the suffix."""
    return is_sidecar_name(name) or is_recording_name(name)


def is_sidecar_name(name: str) -> bool:
    """Tell whether it would be notes about a photo: `.xmp`, `.aae`, `.json`."""
    return name.lower().endswith(_SIDECARS)


def is_recording_name(name: str) -> bool:
    """Tell whether it would be the same shot once more: RAW, or a Live Photo's film."""
    suffix = os.path.splitext(name)[1].lower()
    return suffix == _LIVE_PHOTO or suffix in _RAW


def base_of(name: str) -> str:
    """Give what a companion is named after: a photo's stem, or its whole name."""
    lower = name.lower()
    for suffix in _SIDECARS:
        if lower.endswith(suffix):
            return name[: -len(suffix)]
    return os.path.splitext(name)[0]


def renamed(companion: str, stem: str, new_stem: str) -> str:
    """Name a companion after its photo's new stem."""
    return new_stem + companion[len(stem) :]


class Companions:
    """The files of one folder that belong to its photos.

    A file named after the stem of several photos (`IMG.xmp` beside `IMG.heic` and `IMG.jpg`)
    goes with the last of them that leaves, unless one has the name in exactly this case.
    """

    def __init__(self, names: Iterable[str], photos: Collection[str] = ()) -> None:
        """Look at the names of all files in the folder.

        `photos` are those among them that are photos without having a photo's suffix.
        """
        names = list(names)
        self._photos = photos
        companions = [name for name in names if is_companion_name(name)]
        self._of: defaultdict[str, list[str]] = defaultdict(list)
        self._owners: dict[str, tuple[str, ...]] = {}
        self._orphans: list[str] = []
        self._gone: set[str] = set()
        if not companions:
            return  # as in most folders, however large
        self._by_base = _by_base(names, {base_of(name).casefold() for name in companions})
        for companion in companions:
            owners = self._find_owners(companion)
            self._owners[companion] = owners
            for owner in owners:
                self._of[owner].append(companion)
            if not owners and not self._is_somebody_elses(companion):
                self._orphans.append(companion)

    def of(self, photo: str) -> tuple[str, ...]:
        """Name all that belongs to a photo."""
        return tuple(self._of.get(photo, ()))

    def take(self, photo: str) -> tuple[str, ...]:
        """Name what goes with a photo that leaves the folder now."""
        companions = self._of.get(photo)
        if companions is None:
            return ()
        self._gone.add(photo)
        return tuple(
            companion
            for companion in companions
            if all(owner in self._gone for owner in self._owners[companion])
        )

    def put_back(self, photo: str) -> None:
        """Take note that a photo did not leave after all."""
        self._gone.discard(photo)

    def orphans(self) -> tuple[str, ...]:
        """Name the companions whose photo is not here; it may have left already."""
        return tuple(self._orphans)

    def _find_owners(self, companion: str) -> tuple[str, ...]:
        base = base_of(companion)
        beside = self._by_base.get(base.casefold(), [])
        named_so = [name for name in beside if name.casefold() == base.casefold()]
        if is_sidecar_name(companion) and named_so:  # IMG.jpg.xmp, and IMG.CR2.xmp of IMG.CR2
            owners = _in_exact_case(named_so, named_so, base)
            photos = [name for name in owners if self._is_photo(name)]
            if photos:
                return tuple(photos)
            recordings = [name for name in owners if is_recording_name(name)]
            return self._find_owners(recordings[0]) if recordings else ()
        photos = [name for name in beside if self._is_photo(name) and name not in named_so]
        return tuple(_in_exact_case(photos, [os.path.splitext(name)[0] for name in photos], base))

    def _is_photo(self, name: str) -> bool:
        return is_photo_name(name) or name in self._photos

    def _is_somebody_elses(self, companion: str) -> bool:
        """Tell whether a sidecar without a photo is about another file here, a film say."""
        if not is_sidecar_name(companion):
            return False
        beside = self._by_base.get(base_of(companion).casefold(), [])
        return any(not is_sidecar_name(name) for name in beside)


class Belongings:
    """What goes with each photo, in any number of folders."""

    def __init__(self) -> None:
        self._folders: dict[Path, Companions] = {}

    def look_at(
        self, folder: Path, names: Iterable[str], photos: Collection[str] = ()
    ) -> Companions:
        """Take in all names of one folder anew, as for `Companions`."""
        self._folders[folder] = Companions(names, photos)
        return self._folders[folder]

    def take(self, photo: Path, *, copy: bool = False) -> tuple[Path, ...]:
        """List what goes with a photo that leaves now, or of which a copy is made."""
        companions = self._folders.get(photo.parent)
        if companions is None:
            return ()
        names = companions.of(photo.name) if copy else companions.take(photo.name)
        return tuple(photo.parent / name for name in names)

    def put_back(self, photo: Path) -> None:
        """Take note that a photo did not leave after all."""
        if photo.parent in self._folders:
            self._folders[photo.parent].put_back(photo.name)


def _by_base(names: Iterable[str], wanted: set[str]) -> dict[str, list[str]]:
    """List the files whose whole name or stem is one of those that companions are named after."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        whole = name.casefold()
        for base in {whole, os.path.splitext(whole)[0]} & wanted:
            found[base].append(name)
    return found


def _in_exact_case(names: list[str], bases: list[str], base: str) -> list[str]:
    exact = [name for name, own in zip(names, bases, strict=True) if own == base]
    return exact or names
