"""Sidecars that arrive after their photo has left follow it, once it is clear whose they are."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import CatdogError
from core.store.database import Store
from sorter.dates import are_of_one_time
from sorter.filing.mover import Mover
from sorter.identity import FileIdentity
from sorter.journal.found_again import unchanged
from sorter.journal.moves import Kind, PlannedMove, read_moves, stem_key
from sorter.moving.failures import internal_error
from sorter.outcome import FileOutcome, Outcome, Reason
from sorter.sidecars.matching import sidecars_in
from sorter.sidecars.name_patterns import Key, SidecarNames, renamed
from sorter.sidecars.takeout_titles import about

# A raw photo or a film is of the same shot only if it is as old: cameras count from 0001 again.
_SAME_SHOT_NS = 600 * 10**9

# Two phones have photos of one name: what comes before its own photo must not go to the other's.
PATIENCE_SECONDS = 600.0  # without a photo of its name, and it is the filed one's


def follow_photos(
    store: Store,
    mover: Mover,
    folder: Path,
    names: Sequence[str],
    *,
    table: SidecarNames,
    may_leave: Callable[[Path], bool] = lambda _: True,
) -> Iterator[FileOutcome]:
    """Send sidecars without a photo after the photo that catdog moved out of `folder`.

    `names` are all files of the folder. One whose photo is nowhere to be found, or that may not
    leave yet, has no outcome; one of which it is not clear whose it is, is left. Of copied photos,
    which are still here, sidecars that came later are copied, too. Raises StoreUnusable.
    """
    gone: set[str] = set()
    sidecars = sidecars_in(folder, names, (), table)
    for is_turn in (table.is_recording, lambda name: not table.is_recording(name)):
        if gone:
            left = [name for name in names if name not in gone]
            sidecars = sidecars_in(folder, left, (), table)
        late = [*sidecars.orphans(), *(sidecars.owned() if mover.copies else ())]
        for name in filter(is_turn, late):
            if not may_leave(folder / name):
                continue
            try:
                outcome = _follow(store, mover, folder / name, table)
            except CatdogError:
                raise
            except Exception as error:
                outcome = internal_error(folder / name, error)
            if outcome is None:
                continue
            if outcome.outcome not in (Outcome.LEFT, Outcome.FAILED):
                gone.add(name)
            yield outcome


def _follow(store: Store, mover: Mover, sidecar: Path, table: SidecarNames) -> FileOutcome | None:
    photos = _filed_photos_of(store, sidecar, table, copies=mover.copies)
    if not photos:
        return None
    photo = _whose(sidecar, photos)
    if photo is None:
        return FileOutcome(sidecar, reason=Reason.UNCLEAR)
    standing = _standing(photo)
    stem, new_stem = (os.path.splitext(path.name)[0] for path in (photo.source, standing))
    destination = standing.with_name(renamed(sidecar.name, stem, new_stem))
    if photo.kind is Kind.COPY and os.path.lexists(destination):
        return None  # it was copied with its photo
    return mover.follow(sidecar, destination, photo)


def _whose(sidecar: Path, photos: Sequence[PlannedMove]) -> PlannedMove | None:
    """Return the photo that a sidecar goes to; None while another may be meant."""
    if len(photos) == 1 and _never_left(photos[0]):
        return photos[0]
    agreeing = [photo for photo in photos if are_of_one_time(sidecar, _standing(photo))]
    if len(agreeing) == 1:
        return agreeing[0]
    if len(photos) > 1 or may_still_get_its_photo(sidecar):
        return None
    return photos[0]


def _filed_photos_of(
    store: Store, sidecar: Path, table: SidecarNames, *, copies: bool
) -> list[PlannedMove]:
    """Return the photos that a sidecar may belong to, of those that still stand."""
    for key in _all_keys(sidecar.name, table):
        found = [
            move
            for move in _moves_named(store, sidecar.parent, key)
            if key.fits(move.source.name)
            and _stands(move, copies=copies)
            and _is_of_the_same_shot(sidecar, move, table)
            and _is_about(sidecar, move, key)
        ]
        if found:
            return found
    return []


def _all_keys(name: str, table: SidecarNames) -> Iterator[Key]:
    for key in table.keys(name):
        yield key
        if key.whole and table.is_recording(key.text):  # IMG.CR2.xmp is also about IMG.jpg
            yield from table.keys(key.text)


def _moves_named(store: Store, folder: Path, key: Key) -> list[PlannedMove]:
    """Return the moves of photos out of a folder that have about such a name."""
    stem = os.path.splitext(key.text)[0] if key.whole and not key.is_cut else key.text
    begin = stem_key(folder, stem)
    stems = {begin, stem_key(folder, key.text)}
    where, values = f"stem IN ({', '.join('?' * len(stems))})", list(stems)
    if key.is_cut:
        # the cut may be in the suffix, and a number stands before that
        begin = stem_key(folder, stem[: len(stem) - 5])
        where, values = "stem >= ? AND stem < ?", [begin, begin + b"\xff"]
    with store.reading() as db:
        return list(read_moves(db, f"{where} AND state = 'done' AND undoes IS NULL", values))


def _standing(move: PlannedMove) -> Path:
    """Return where a photo is now: the person may have put it elsewhere."""
    return move.found_at or move.destination


def _never_left(move: PlannedMove) -> bool:
    return move.kind is Kind.COPY and os.path.lexists(move.source)


def _stands(move: PlannedMove, *, copies: bool) -> bool:
    if move.kind is not Kind.COPY and copies:
        return False  # what belongs to it would have to be moved
    if _never_left(move) and not copies:
        return False
    found = unchanged(replace(move, destination=_standing(move)))
    return isinstance(found, FileIdentity)


def _is_of_the_same_shot(sidecar: Path, photo: PlannedMove, table: SidecarNames) -> bool:
    if not table.is_recording(sidecar.name) or photo.kind is Kind.COPY:
        return True
    identity = FileIdentity.of(sidecar)
    if identity is None:
        return False
    return abs(identity.mtime_ns - photo.identity.mtime_ns) <= _SAME_SHOT_NS


def _is_about(sidecar: Path, photo: PlannedMove, key: Key) -> bool:
    if not sidecar.name.lower().endswith(".json"):
        return True
    return about(sidecar).is_of(photo.source.name, by_whole_name=key.whole)


def may_still_get_its_photo(sidecar: Path) -> bool:
    """Return whether a sidecar has only just come: its own photo may be on its way."""
    try:
        return time.time() - sidecar.lstat().st_ctime < PATIENCE_SECONDS
    except OSError:
        return False
