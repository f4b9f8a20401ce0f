"""Moves of a photo and its sidecars, as the sorter's tests ask for them."""

from __future__ import annotations

from pathlib import Path

from sorter.filing.mover import Mover
from sorter.identity import FileIdentity
from sorter.journal.moves import Group
from sorter.outcome import FileOutcome


def group_of(mover: Mover, photo: Path, folder: Path, *sidecars: Path) -> Group:
    """Return the moves of a photo, as it is now, and its sidecars into a folder."""
    identity = FileIdentity.of(photo)
    assert identity is not None
    outcome = FileOutcome(photo, destination=folder / photo.name, identity=identity)
    return mover.group(outcome, sidecars)
