"""Which sidecars in a folder are of which of its photos, and go where these go."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from core.images.listing import is_photo_name
from sorter.names import fold
from sorter.sidecars.name_patterns import DEFAULT_NAMES, Key, SidecarNames
from sorter.sidecars.takeout_titles import About, about

_BEGINNING_LETTERS = 40  # by which photos are found whose name a note has the beginning of


class FolderSidecars:
    """The sidecars in one folder.

    One named after the stem of several photos (`IMG.xmp` beside `IMG.heic` and `IMG.jpg`)
    goes with the last of them that leaves, unless one has the name in exactly this case.
    """

    def __init__(
        self,
        names: Iterable[str],
        photos: Collection[str] = (),
        *,
        table: SidecarNames = DEFAULT_NAMES,
        about: Callable[[str], About] | None = None,
    ) -> None:
        """Match the names of all files in the folder.

        `photos` are those among them that are photos without being named as one. `about`
        reads what a JSON file is about; without it names alone decide.
        """
        names = list(names)
        self._photos = photos
        self._table = table
        self._about = about
        sidecars = [name for name in names if table.is_sidecar(name) and name not in photos]
        self._of: defaultdict[str, list[str]] = defaultdict(list)
        self._owners: dict[str, tuple[str, ...]] = {}
        self._keys: dict[str, Key] = {}  # by which each has its owners
        self._orphans: list[str] = []
        self._gone: set[str] = set()
        if not sidecars:
            return  # as in most folders, however large
        self._names = _Index(names, [key for one in sidecars for key in table.keys(one)])
        for sidecar in sidecars:
            owners = self._find_owners(sidecar)
            self._owners[sidecar] = owners
            for owner in owners:
                self._of[owner].append(sidecar)
            if not owners and not self._is_of_another_file(sidecar):
                self._orphans.append(sidecar)

    def of(self, photo: str) -> tuple[str, ...]:
        return tuple(one for one in self._of.get(photo, ()) if self._is_about(one, photo))

    def take(self, photo: str) -> tuple[str, ...]:
        """Return the sidecars that go with a photo that leaves the folder now."""
        if photo not in self._of:
            return ()
        self._gone.add(photo)
        return tuple(
            sidecar
            for sidecar in self.of(photo)
            if all(
                owner in self._gone or not self._is_about(sidecar, owner)
                for owner in self._owners[sidecar]
            )
        )

    def put_back(self, photo: str) -> None:
        """Take note that a photo did not leave after all."""
        self._gone.discard(photo)

    def orphans(self) -> tuple[str, ...]:
        """Return the sidecars whose photo is not here; it may have left already."""
        return tuple(self._orphans)

    def owned(self) -> Iterator[str]:
        """Yield the sidecars whose photo is here."""
        return (name for name, owners in self._owners.items() if owners)

    def _is_about(self, sidecar: str, photo: str) -> bool:
        if self._about is None or not sidecar.lower().endswith(".json"):
            return True
        whole = self._keys[sidecar].whole
        return self._about(sidecar).is_of(photo, by_whole_name=whole)

    def _find_owners(self, sidecar: str) -> tuple[str, ...]:
        for key in self._table.keys(sidecar):
            named_so = [one for one in self._names.fitting(key) if one != sidecar]
            photos = [one for one in named_so if is_photo_name(one) or one in self._photos]
            if photos:
                self._keys[sidecar] = key
                return tuple(_in_exact_case(photos, key))
            recordings = [name for name in named_so if self._table.is_recording(name)]
            if key.whole and recordings:  # IMG.CR2.xmp is of IMG.CR2, which is of IMG.jpg
                self._keys[sidecar] = key
                return self._find_owners(_in_exact_case(recordings, key)[0])
        return ()

    def _is_of_another_file(self, sidecar: str) -> bool:
        """Return whether a note without a photo is about another file here, a film say."""
        if not self._table.is_note(sidecar):
            return False
        beside = (one for key in self._table.keys(sidecar) for one in self._names.fitting(key))
        return any(not self._table.is_note(name) for name in beside)


class _Index:
    """The files of a folder by what sidecars may be named after."""

    def __init__(self, names: Iterable[str], keys: Iterable[Key]) -> None:
        wanted = {fold(key.text) for key in keys}
        beginnings = {
            text[:_BEGINNING_LETTERS] for text in wanted if len(text) >= _BEGINNING_LETTERS
        }
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        self._by_beginning: defaultdict[str, list[str]] = defaultdict(list)
        for name in names:
            whole = fold(name)
            for base in {whole, fold(os.path.splitext(name)[0])} & wanted:
                self._by_name[base].append(name)
            if whole[:_BEGINNING_LETTERS] in beginnings:
                self._by_beginning[whole[:_BEGINNING_LETTERS]].append(name)

    def fitting(self, key: Key) -> list[str]:
        text = fold(key.text)
        if key.is_cut:
            found = self._by_beginning.get(text[:_BEGINNING_LETTERS], [])
            return [name for name in found if is_photo_name(name) and key.fits(name)]
        return [name for name in self._by_name.get(text, []) if key.fits(name)]


NO_SIDECARS = FolderSidecars(())

Sidecars = Mapping[Path, FolderSidecars]  # by folder


def sidecars_in(
    folder: Path, names: Iterable[str], photos: Collection[str], table: SidecarNames
) -> FolderSidecars:
    """Match the names of a folder, and read its JSON files where these may be about a photo."""
    return FolderSidecars(names, photos, table=table, about=lambda name: about(folder / name))


def _in_exact_case(names: list[str], key: Key) -> list[str]:
    exact = [name for name in names if key.text in (name, os.path.splitext(name)[0])]
    return exact or names
