"""Sidecars that arrive after their photo has left: they follow it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from core.errors import CatdogError
from core.store import Store
from sorter.identity import FileIdentity
from sorter.journal.run import Kind, Move, read_moves, stem_key
from sorter.moving.companions import Companions, base_of, is_recording_name, renamed
from sorter.moving.failures import Placed, stumbled
from sorter.moving.mover import Mover
from sorter.outcome import Outcome

# A RAW or a film is of the same shot only if it is as old: cameras count from 0001 again.
_SAME_SHOT_NS = 600 * 10**9

# Notes that come before their photo must not go to an older one of its name. So they go at once
# only to a photo that was filed not long ago, and else once no other has come for a while.
_RECENT = 86400.0  # seconds
PATIENCE = 600.0  # seconds


def follow_photos(
    store: Store,
    mover: Mover,
    folder: Path,
    names: Sequence[str],
    *,
    may_leave: Callable[[Path], bool] = lambda _: True,
) -> Iterator[Placed]:
    """Send companions without a photo after the photo that catdog moved out of `folder`.

    `names` are all files of the folder. One whose photo is nowhere to be found, or that may not
    leave yet, stays untold. Raises StoreUnusable.
    """
    gone: set[str] = set()
    for is_turn in (is_recording_name, lambda name: not is_recording_name(name)):
        left = [name for name in names if name not in gone]
        for name in filter(is_turn, Companions(left).orphans()):
            try:
                photo = filed_photo_of(store, folder / name) if may_leave(folder / name) else None
                if photo is None:
                    continue
                placed = _follow(mover, folder / name, photo)
            except CatdogError:
                raise
            except Exception as error:
                placed = stumbled(folder / name, error)
            if placed.outcome not in (Outcome.LEFT, Outcome.FAILED):
                gone.add(name)
            yield placed


def _follow(mover: Mover, companion: Path, photo: Move) -> Placed:
    standing = _standing(photo)
    stem = os.path.splitext(photo.source.name)[0]
    new_stem = os.path.splitext(standing.name)[0]
    return mover.follow(
        companion, standing.with_name(renamed(companion.name, stem, new_stem)), photo
    )


def filed_photo_of(store: Store, companion: Path) -> Move | None:
    """Find the move of the photo that a companion belongs to, if the photo still stands."""
    base = base_of(companion.name)
    if is_recording_name(base):  # IMG.CR2.xmp is about IMG.CR2, which is about IMG.jpg
        base = os.path.splitext(base)[0]
    keys = {stem_key(companion.parent, stem) for stem in (base, os.path.splitext(base)[0])}
    with store.reading() as db:
        moves = list(
            read_moves(
                db,
                f"stem IN ({', '.join('?' * len(keys))}) AND state = 'done' AND undoes IS NULL",
                list(keys),
            )
        )
    for move in reversed(moves):  # the newest first
        name = move.source.name
        named_so = base.casefold() in (name.casefold(), os.path.splitext(name)[0].casefold())
        if not named_so or not _stands(move) or not _is_of_the_same_shot(companion, move):
            continue
        if time.time() - move.at > _RECENT and may_still_get_its_photo(companion):
            return None
        return move
    return None


def _standing(move: Move) -> Path:
    """Give where a photo is now: the person may have put it elsewhere."""
    return move.found_at or move.destination


def _stands(move: Move) -> bool:
    seen = FileIdentity.of(_standing(move))
    if move.kind is Kind.COPY and os.path.lexists(move.source):
        return False  # the photo never left
    return seen is not None and move.is_as_filed(seen)


def _is_of_the_same_shot(companion: Path, photo: Move) -> bool:
    if not is_recording_name(companion.name):
        return True
    seen = FileIdentity.of(companion)
    if seen is None:
        return False
    return abs(seen.mtime_ns - photo.identity.mtime_ns) <= _SAME_SHOT_NS


def may_still_get_its_photo(companion: Path) -> bool:
    """Tell whether a sidecar has only just come: its own photo may be on its way."""
    try:
        return time.time() - companion.lstat().st_ctime < PATIENCE
    except OSError:
        return False
