"""Moves one photo for one key, in the journal, with its sidecars, and takes it back."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.images.listing import list_folders
from core.model.verdict import Prediction
from core.store.database import Store, to_column
from sorter.filing.mover import Mover
from sorter.identity import FileIdentity, regular
from sorter.journal.moves import Kind, PlannedMove, read_moves
from sorter.journal.run import Run
from sorter.outcome import FileOutcome, Reason
from sorter.sidecars.matching import FolderSidecars, sidecars_in
from sorter.sidecars.name_patterns import SidecarNames
from sorter.undoing.undo import PutBack, put_back

COMMAND = "review"

_LISTED_SECONDS = 5.0  # a large folder is not listed for every key


@dataclass(frozen=True, slots=True)
class Filed:
    """What came of one photo's move."""

    outcome: FileOutcome
    group_id: int | None  # of its move in the journal, if it was moved


class Filer:
    """The moves of a review, in a run of the journal of its own. For one thread."""

    def __init__(
        self, store: Store, folder: Path, destination: Path, sidecars: SidecarNames
    ) -> None:
        self._store = store
        self._folder = folder
        self._destination = destination
        self._sidecar_names = sidecars
        self._sidecars: dict[Path, tuple[FolderSidecars, float]] = {}  # and when each is stale
        self._run: Run | None = None

    def file(
        self,
        path: Path,
        into: Path,
        *,
        sha256: str | None,
        label: str | None = None,
        reason: Reason | None = None,
        prediction: Prediction | None = None,
    ) -> Filed:
        """Move a photo and its sidecars into a folder.

        It is for a person's `label`, for a `reason` why it is of no class, or for the model's
        `prediction`. Raises StoreUnusable.
        """
        identity = regular(path)
        if identity is None:
            return Filed(FileOutcome(path, reason=Reason.VANISHED), None)
        run = self._begun()
        mover = Mover(run, self._destination)
        group = [
            PlannedMove(
                Kind.MOVE,
                path,
                into / path.name,
                identity,
                label=prediction.label if prediction else label,
                confidence=prediction.confidence if prediction else None,
                model_version=prediction.model_version if prediction else None,
                reason=reason,
                is_photo=True,
                sha256=sha256,
            ),
            *(
                PlannedMove(Kind.MOVE, one, into / one.name, beside, reason=Reason.SIDECAR)
                for one in self._sidecars_of(path)
                if (beside := regular(one)) is not None
            ),
        ]
        ((outcome, *_),) = mover.place([group])
        run.flush()
        return Filed(outcome, self._group_of(run, path) if outcome.has_moved else None)

    def put_back(self, group_id: int) -> list[PutBack]:
        """Take a photo's move back, with its sidecars'. Raises StoreUnusable."""
        if self._run is not None:
            self._run.flush()
        with self._store.reading() as db:
            group = list(
                read_moves(db, "group_id = ? AND state = 'done' AND undoes IS NULL", (group_id,))
            )
        return list(put_back(self._store, [group], dry_run=False)) if group else []

    def where_filed(self, path: Path, identity: FileIdentity | None) -> PlannedMove | None:
        """Return the done move of a photo that a killed review has carried out, if it has."""
        with self._store.reading() as db:
            moves = list(
                read_moves(
                    db,
                    "src = ? AND state = 'done' AND undoes IS NULL AND run IN"
                    " (SELECT id FROM runs WHERE command = ?)",
                    (to_column(path), COMMAND),
                )
            )
        same = [move for move in moves if identity is None or move.identity.size == identity.size]
        return same[-1] if same else None

    def end(self) -> None:
        """End the run; the next move begins another. Raises StoreUnusable."""
        if self._run is not None:
            run, self._run = self._run, None
            run.end()

    def _begun(self) -> Run:
        if self._run is None:
            self._run = Run(self._store, COMMAND, self._folder, self._destination)
        return self._run

    def _sidecars_of(self, photo: Path) -> Iterable[Path]:
        """Return what goes with a photo, by the names that stood beside it seconds ago."""
        folder = photo.parent
        sidecars, stale_at = self._sidecars.get(folder, (None, 0.0))
        if sidecars is None or time.monotonic() >= stale_at:
            listing = next(iter(list_folders(folder)))
            names = [*listing.photos, *listing.others]
            sidecars = sidecars_in(folder, names, {photo.name}, self._sidecar_names)
            self._sidecars[folder] = sidecars, time.monotonic() + _LISTED_SECONDS
        return [folder / name for name in sidecars.take(photo.name)]

    def _group_of(self, run: Run, path: Path) -> int | None:
        with self._store.reading() as db:
            row = db.execute(
                "SELECT group_id FROM moves WHERE run = ? AND src = ? AND state = 'done'"
                " ORDER BY id DESC LIMIT 1",
                (run.id, to_column(path)),
            ).fetchone()
        return row["group_id"] if row is not None else None
