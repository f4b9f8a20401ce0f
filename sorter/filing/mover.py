"""Gives photos and their sidecars their places: never over another file, and never twice."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from core.errors import CatdogError
from core.paths import display
from sorter.filing.free_names import Conflict, FreeNames
from sorter.filing.move_group import PartlyMoved, move_group
from sorter.identity import FileIdentity, regular
from sorter.journal.moves import Group, Kind, PlannedMove
from sorter.journal.run import Run
from sorter.moving.completeness import STILL_SECONDS, Writers, seconds_until_still, writers_of
from sorter.moving.denied import is_read_only
from sorter.moving.failures import failed, internal_error
from sorter.moving.filesystem import is_same_folder, nearest_folder
from sorter.moving.mounts import Mounts
from sorter.moving.transfer import BeingWritten, ChangedMeanwhile
from sorter.outcome import FileOutcome, Outcome, Reason

_TRIES = 100  # at a name that is free when chosen, and taken when asked for


class Mover:
    """Moves or copies files as its run's journal has them planned.

    Without a run it is a dry run: everything is checked and chosen alike, and nothing done.
    """

    def __init__(
        self,
        run: Run | None,
        destination: Path,
        *,
        mounts: Mounts | None = None,
        copy: bool = False,
        on_conflict: Conflict = Conflict.RENAME,
        still_seconds: float = STILL_SECONDS,
    ) -> None:
        """All moves lead into `destination`, which may still have to be made.

        `mounts` is a record of what was mounted, taken when the disks were known to be there; None
        takes it now. Where the system cannot tell whether a file is being written, it is copied
        only once it has not changed for `still_seconds`.
        """
        self.copies = copy
        self.still_seconds = still_seconds
        self._run = run
        self._mounts = mounts or Mounts(destination)
        self._on_conflict = on_conflict
        self._names = FreeNames()

    def group(self, photo: FileOutcome, sidecars: Sequence[Path]) -> Group:
        """Return the moves of a photo to its destination, and of its sidecars beside it."""
        assert photo.destination is not None
        assert photo.identity is not None
        kind = Kind.COPY if self.copies else Kind.MOVE
        prediction = photo.verdict.prediction if photo.verdict else None
        photo_move = PlannedMove(
            kind=kind,
            source=photo.path,
            destination=photo.destination,
            identity=photo.identity,
            label=prediction.label if prediction else None,
            confidence=prediction.confidence if prediction else None,
            model_version=prediction.model_version if prediction else None,
            reason=photo.reason,
            is_photo=True,
            sha256=photo.digests.sha256 if photo.digests else None,
            pixels=photo.digests.pixels if photo.digests else None,
        )
        folder = photo.destination.parent
        return [photo_move] + [
            PlannedMove(kind, path, folder / path.name, identity, reason=Reason.SIDECAR)
            for path in sidecars
            if (identity := regular(path)) is not None
        ]

    def place(
        self, groups: Sequence[Group], *, on_conflict: Conflict | None = None
    ) -> Generator[list[FileOutcome], None, None]:
        """Bring each group to its destination, whose folder is made if it is missing.

        If a photo's name is taken there by a file of the same bytes it is a duplicate and left;
        by another file, the group gets the first number that is free for all of it:
        `photo (1).jpg`, `photo (1).xmp`. It is left, too, if it is in that folder already or is
        no longer the file that was read.

        All are planned in the journal before the first is moved. Yields the outcomes of each
        group in turn, the photo's first. Raises StoreUnusable before anything was moved.
        """
        on_conflict = on_conflict or self._on_conflict
        chosen = [self._choose(group, on_conflict) for group in groups]
        choices = deque(chosen if self._run is None else self._plan(self._run, chosen))
        try:
            for group in groups:
                choice = choices.popleft()
                if self._run is not None and _duplicate_is_missing(choice):
                    (choice,) = self._plan(self._run, [self._choose(group, on_conflict)])
                if isinstance(choice, FileOutcome):
                    yield [choice]
                elif self._run is None:
                    yield self._moved(choice)
                else:
                    yield self._carry(self._run, group, choice, on_conflict)
        finally:
            for choice in choices:  # the caller has stopped asking
                if not isinstance(choice, FileOutcome):
                    self._note_left(choice, Reason.INTERRUPTED)

    def follow(self, sidecar: Path, destination: Path, photo: PlannedMove) -> FileOutcome:
        """Send a sidecar that came late after its photo, whose move the journal has.

        It takes exactly that name, or is left. Raises StoreUnusable.
        """
        identity = regular(sidecar)
        if identity is None:
            return FileOutcome(sidecar, reason=Reason.SIDECAR)
        move = PlannedMove(photo.kind, sidecar, destination, identity, reason=Reason.SIDECAR)
        group = [replace(move, group_id=photo.group_id)]
        ((outcome,),) = self.place([group], on_conflict=Conflict.SKIP)
        return outcome

    def _plan(self, run: Run, chosen: Sequence[Group | FileOutcome]) -> list[Group | FileOutcome]:
        """Plan what was chosen in one go, or if one of them cannot be written down, each alone."""
        groups = [choice for choice in chosen if not isinstance(choice, FileOutcome)]
        try:
            planned = iter(run.plan(groups))
            return [one if isinstance(one, FileOutcome) else next(planned) for one in chosen]
        except CatdogError:
            raise
        except Exception as error:
            if len(chosen) != 1:
                return [planned for one in chosen for planned in self._plan(run, [one])]
            self._names.forget(groups[0])
            return [internal_error(groups[0][0].source, error)]

    def _choose(self, group: Group, on_conflict: Conflict) -> Group | FileOutcome:
        """Return a group under names that are free, or the outcome of a photo that is left.

        An unexpected exception becomes such an outcome, too.
        """
        source, folder = group[0].source, group[0].destination.parent
        try:
            return self._obstacle(group) or self._names.choose(group, on_conflict)
        except OSError as error:
            return failed(source, folder, error)
        except Exception as error:
            return internal_error(source, error)

    def _obstacle(self, group: Group) -> FileOutcome | None:
        """Return why a photo is left whatever names are free, if so. Raises OSError."""
        photo = group[0]
        source, folder = photo.source, photo.destination.parent
        trouble = self._mounts.trouble(folder)
        if trouble is not None:
            message = f"{display(source)} stays: {trouble}"
            return FileOutcome(source, Outcome.FAILED, Reason.DESTINATION_GONE, message=message)
        if FileIdentity.of(source) != photo.identity:
            return FileOutcome(source, reason=Reason.CHANGED)
        if source.name == photo.destination.name and is_same_folder(source.parent, folder):
            return FileOutcome(source, reason=Reason.IN_PLACE)
        if photo.kind is not Kind.COPY and is_read_only(source.parent):
            # before it is copied for nothing
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(source))
        if not all(self._is_complete(move) for move in group):
            return FileOutcome(source, reason=Reason.BEING_WRITTEN)
        return None

    def _carry(
        self, run: Run, group: Group, planned: Group, on_conflict: Conflict
    ) -> list[FileOutcome]:
        """Carry out what is planned for a group, under other names if these were taken."""
        source, folder = group[0].source, group[0].destination.parent
        for number in count(1):
            try:
                move_group(run, planned, self.still_seconds)
            except FileExistsError as error:  # since it was planned
                self._names.forget(planned)
                if number == _TRIES:  # a file system that says so whatever the name
                    return self._left(planned, failed(source, folder, error))
                chosen = self._choose(group, on_conflict)
                if isinstance(chosen, FileOutcome):
                    return self._left(planned, chosen)
                planned = [
                    replace(move, destination=new.destination)
                    for move, new in zip(planned, chosen, strict=True)
                ]
                run.plan_again(planned)
            except ChangedMeanwhile as error:
                being_written = isinstance(error, BeingWritten)
                reason = Reason.BEING_WRITTEN if being_written else Reason.CHANGED
                return self._left(planned, FileOutcome(source, reason=reason))
            except PartlyMoved as error:
                self._names.forget(planned)
                return [failed(source, folder, error)]
            except OSError as error:
                sidecars = [move.source for move in group[1:]]
                return self._left(planned, failed(source, folder, error, sidecars=sidecars))
            except CatdogError:
                raise
            except Exception as error:  # what was planned stays so: recovery checks the files
                self._names.forget(planned)
                return [internal_error(source, error)]
            else:
                self._names.forget(planned)
                return self._moved(planned)
        raise AssertionError("count() does not end")

    def _left(self, group: Group, outcome: FileOutcome) -> list[FileOutcome]:
        self._note_left(group, outcome.reason or outcome.outcome)
        return [outcome]

    def _note_left(self, group: Group, reason: str) -> None:
        self._names.forget(group)
        if self._run is not None:
            for move in group:
                self._run.failed(move, reason)

    def _moved(self, group: Group) -> list[FileOutcome]:
        done, would = Outcome.MOVED, Outcome.WOULD_MOVE
        if group[0].kind is Kind.COPY:
            done, would = Outcome.COPIED, Outcome.WOULD_COPY
        outcome = would if self._run is None else done
        return [FileOutcome(move.source, outcome, move.reason, move.destination) for move in group]

    def _is_complete(self, move: PlannedMove) -> bool:
        """Return whether a file may be moved now.

        A known writer keeps it from that. Where writers are unknown a rename is safe, since the
        program goes on writing to the same file, and a copy waits until the file is still.
        """
        writers = writers_of(move.source)
        if writers is not Writers.UNKNOWN:
            return writers is Writers.NOBODY
        if move.kind is not Kind.COPY:
            device = nearest_folder(move.destination.parent).stat().st_dev
            if move.source.lstat().st_dev == device:  # it will be renamed
                return True
        return seconds_until_still(move.source, self.still_seconds) <= 0


def _duplicate_is_missing(choice: Group | FileOutcome) -> bool:
    """Return whether a photo was left as a duplicate of a file that is not there now."""
    if not isinstance(choice, FileOutcome) or choice.outcome is not Outcome.DUPLICATE:
        return False
    return choice.destination is not None and not os.path.lexists(choice.destination)
