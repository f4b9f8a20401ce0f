"""Gives photos and what belongs to them their places: never over another file, and never twice."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count
from pathlib import Path

from core.errors import CatdogError
from core.model.verdict import Prediction
from sorter.dates.sources import Dated
from sorter.digests import Digests
from sorter.filing.carry import TornApart, carry_out
from sorter.identity import FileIdentity, regular
from sorter.journal.journal import Kind, PlannedMove, Run
from sorter.moving.completeness import STILL_SECONDS, Writers, seconds_until_still, writers_of
from sorter.moving.denied import is_read_only
from sorter.moving.failures import Placed, destination_gone, failed, read_only, stumbled
from sorter.moving.mounts import Mounts
from sorter.moving.transfer import BeingWritten, ChangedMeanwhile, same_bytes
from sorter.outcome import Outcome, Reason
from sorter.sidecars.name_patterns import split_at_stem

_TRIES = 100  # at a name that is free when looked at, and taken when asked for
_LONGEST_NAME = 255  # bytes, on every file system that people use


class Conflict(StrEnum):
    """What to do with a photo whose name is taken by another."""

    RENAME = "rename"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Request:
    """A photo and the folder it is to go to, with all that belongs to it."""

    source: Path
    folder: Path
    identity: FileIdentity
    sidecars: tuple[Path, ...] = ()
    prediction: Prediction | None = None
    reason: str | None = None
    digests: Digests | None = None
    dated: Dated | None = None


class Mover:
    """Moves or copies files as its run's journal has them planned.

    Without a run it is a dry run: everything is looked at and chosen alike, and nothing done.
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
        """All places that are asked for lie in `destination`, which may still have to be made.

        `mounts` is what was mounted when all was there for sure, if that was before now.
        What may have writers that the system does not tell of is copied once it has not changed
        for `still_seconds`.
        """
        self._run = run
        self._mounts = mounts or Mounts(destination)
        self._kind = Kind.COPY if copy else Kind.MOVE
        self._on_conflict = on_conflict
        self._still_seconds = still_seconds
        self._promised: dict[str, Path] = {}  # destinations that are planned, to their sources

    @property
    def copies(self) -> bool:
        """Whether originals stay."""
        return self._kind is Kind.COPY

    def place(self, requests: Sequence[Request]) -> Generator[list[Placed], None, None]:
        """Give each photo its place in its folder, which is made if it is missing.

        If its name is taken there by a file of the same bytes it is a duplicate and stays; by
        another file, it and what belongs to it get the first number that is free for all of
        them: `photo (1).jpg`, `photo (1).xmp`. It stays, too, if it is in that folder already
        or is no longer the file that was looked at.

        All are planned in the journal before the first is moved. Gives what came of each request
        in turn, the photo first. Raises StoreUnusable before anything was moved.
        """
        chosen = [self._choose(request) for request in requests]
        choices = deque(chosen if self._run is None else self._plan(self._run, chosen))
        try:
            for request in requests:
                choice = choices.popleft()
                if self._run is not None and _is_broken_promise(choice):
                    (choice,) = self._plan(self._run, [self._choose(request)])
                if isinstance(choice, Placed):
                    yield [choice]
                elif self._run is None:
                    yield self._success(choice)
                else:
                    yield self._carry(self._run, request, choice)
        finally:
            for choice in choices:  # whoever asked has stopped asking
                if not isinstance(choice, Placed):
                    self._note_stayed(choice, Reason.INTERRUPTED)

    def _plan(
        self, run: Run, chosen: Sequence[list[PlannedMove] | Placed]
    ) -> list[list[PlannedMove] | Placed]:
        """Plan what was chosen in one go, or if one of them cannot be written down, each alone."""
        groups = [choice for choice in chosen if not isinstance(choice, Placed)]
        try:
            planned = iter(run.plan(groups))
            return [one if isinstance(one, Placed) else next(planned) for one in chosen]
        except CatdogError:
            raise
        except Exception as error:
            if len(chosen) != 1:
                return [planned for one in chosen for planned in self._plan(run, [one])]
            self._forget(groups[0])
            return [stumbled(groups[0][0].source, error)]

    def follow(self, sidecar: Path, destination: Path, photo: PlannedMove) -> Placed:
        """Send a sidecar that came late after its photo, whose move the journal has.

        It takes exactly that name, or stays. Raises StoreUnusable.
        """
        identity = regular(sidecar)
        if identity is None:
            return Placed(sidecar, Outcome.LEFT, reason=Reason.SIDECAR)
        try:
            trouble = self._mounts.trouble(destination.parent)
            if trouble is not None:
                return destination_gone(sidecar, trouble)
            if not self._is_complete(sidecar, destination.parent):
                return Placed(sidecar, Outcome.LEFT, reason=Reason.BEING_WRITTEN)
            if os.path.lexists(destination):
                if same_bytes(sidecar, destination):
                    return Placed(sidecar, Outcome.DUPLICATE, destination)
                return Placed(sidecar, Outcome.LEFT, destination, Reason.CONFLICT)
        except OSError as error:
            return failed(sidecar, destination.parent, error)
        move = PlannedMove(
            kind=photo.kind,
            source=sidecar,
            destination=destination,
            identity=identity,
            reason=Reason.SIDECAR,
            group_id=photo.group_id,
        )
        if self._run is None:
            return self._success([move])[0]
        (planned,) = self._run.plan([[move]])
        try:
            carry_out(self._run, planned)
        except ChangedMeanwhile as error:
            self._run.failed(planned[0], _changed(error))
            return Placed(sidecar, Outcome.LEFT, reason=_changed(error))
        except OSError as error:
            self._run.failed(planned[0], Reason.CONFLICT)
            if not isinstance(error, FileExistsError):
                return failed(sidecar, destination.parent, error)
            return Placed(sidecar, Outcome.LEFT, destination, Reason.CONFLICT)
        return self._success(planned)[0]

    def _choose(self, request: Request) -> list[PlannedMove] | Placed:
        """Choose names for a photo and its sidecars, or say why it stays, were it a bug."""
        try:
            return self._names_for(request)
        except Exception as error:
            return stumbled(request.source, error)

    def _names_for(self, request: Request) -> list[PlannedMove] | Placed:
        """Choose free names for a photo and its sidecars, or say why it stays."""
        source, folder = request.source, request.folder
        try:
            trouble = self._mounts.trouble(folder)
            if trouble is not None:
                return destination_gone(source, trouble)
            if FileIdentity.of(source) != request.identity:
                return Placed(source, Outcome.LEFT, reason=Reason.CHANGED)
            if _is_same_folder(source.parent, folder):
                return Placed(source, Outcome.LEFT, reason=Reason.IN_PLACE)
            if not self.copies and is_read_only(source.parent):
                return read_only(source, folder)  # before it is copied for nothing
            sidecars = {path: regular(path) for path in request.sidecars}
            members = [path for path, identity in sidecars.items() if identity is not None]
            if not all(self._is_complete(path, folder) for path in (source, *members)):
                return Placed(source, Outcome.LEFT, reason=Reason.BEING_WRITTEN)
            for number in count():
                photo, *others = [folder / name for name in group_names(source, members, number)]
                if self._is_taken(photo):
                    if same_bytes(source, self._promised.get(_key(photo), photo)):
                        return Placed(source, Outcome.DUPLICATE, photo)
                    if self._on_conflict is Conflict.SKIP:
                        return Placed(source, Outcome.LEFT, photo, Reason.CONFLICT)
                elif not any(self._is_taken(other) for other in others):
                    break
                elif self._on_conflict is Conflict.SKIP:
                    taken = next(other for other in others if self._is_taken(other))
                    return Placed(source, Outcome.LEFT, taken, Reason.CONFLICT)
        except OSError as error:
            return failed(source, folder, error)
        for destination, origin in zip([photo, *others], [source, *members], strict=True):
            self._promised[_key(destination)] = origin
        seen = request.prediction
        photo_move = PlannedMove(
            kind=self._kind,
            source=source,
            destination=photo,
            identity=request.identity,
            label=seen.label if seen else None,
            confidence=seen.confidence if seen else None,
            model_version=seen.model_version if seen else None,
            reason=request.reason,
            is_photo=True,
            sha256=request.digests.sha256 if request.digests else None,
            pixels=request.digests.pixels if request.digests else None,
        )
        return [photo_move] + [
            PlannedMove(self._kind, origin, other, identity, reason=Reason.SIDECAR)
            for origin, other in zip(members, others, strict=True)
            if (identity := sidecars[origin]) is not None
        ]

    def _carry(self, run: Run, request: Request, group: list[PlannedMove]) -> list[Placed]:
        """Carry out what is planned for a request, under other names if these were taken."""
        for number in count(1):
            try:
                carry_out(run, group)
            except FileExistsError as error:  # since it was planned
                self._forget(group)
                if number == _TRIES:  # a file system that says so whatever the name
                    placed = failed(request.source, request.folder, error)
                    return [self._stays(group, placed, request)]
                chosen = self._choose(request)
                if isinstance(chosen, Placed) or len(chosen) != len(group):
                    return [self._stays(group, chosen, request)]
                group = [
                    replace(move, destination=new.destination)
                    for move, new in zip(group, chosen, strict=True)
                ]
                run.plan_again(group)
            except ChangedMeanwhile as error:
                placed = Placed(request.source, Outcome.LEFT, reason=_changed(error))
                return [self._stays(group, placed, request)]
            except TornApart as error:
                self._forget(group)
                return [failed(request.source, request.folder, error)]
            except OSError as error:
                beside = [move.source for move in group[1:]]
                placed = failed(request.source, request.folder, error, beside=beside)
                return [self._stays(group, placed, request)]
            except CatdogError:
                raise
            except Exception as error:  # what was planned stays so: recovery looks at the files
                self._forget(group)
                return [stumbled(request.source, error)]
            else:
                self._forget(group)
                return self._success(group)
        raise AssertionError("count() does not end")

    def _stays(
        self, group: list[PlannedMove], placed: list[PlannedMove] | Placed, request: Request
    ) -> Placed:
        """Note that a group stayed."""
        if not isinstance(placed, Placed):  # a sidecar came or went just now
            self._forget(placed)
            placed = Placed(request.source, Outcome.LEFT, reason=Reason.CHANGED)
        self._note_stayed(group, placed.reason or placed.outcome)
        return placed

    def _note_stayed(self, group: Sequence[PlannedMove], reason: str) -> None:
        self._forget(group)
        if self._run is not None:
            for move in group:
                self._run.failed(move, reason)

    def _success(self, group: list[PlannedMove]) -> list[Placed]:
        done, would = (Outcome.MOVED, Outcome.WOULD_MOVE)
        if self._kind is Kind.COPY:
            done, would = (Outcome.COPIED, Outcome.WOULD_COPY)
        outcome = would if self._run is None else done
        return [Placed(move.source, outcome, move.destination, move.reason) for move in group]

    def _is_complete(self, path: Path, folder: Path) -> bool:
        """Tell whether a file may go: renamed it goes on growing, copied it would not."""
        writers = writers_of(path)
        if writers is not Writers.UNKNOWN:
            return writers is Writers.NOBODY
        if self._kind is not Kind.COPY and _are_on_one_disk(path, folder):
            return True
        return seconds_until_still(path, self._still_seconds) <= 0

    def _is_taken(self, destination: Path) -> bool:
        return _key(destination) in self._promised or os.path.lexists(destination)

    def _forget(self, group: Sequence[PlannedMove]) -> None:
        """Take back promises: the names are taken now, or free."""
        for move in group:
            self._promised.pop(_key(move.destination), None)


def group_names(photo: Path, sidecars: Sequence[Path], number: int) -> list[str]:
    """Name a photo and its sidecars alike, with ` (number)` added to the stem, 0 for none.

    The stem is cut if a name grew too long for any of them.
    """
    stem = os.path.splitext(photo.name)[0]
    names = [photo.name, *(path.name for path in sidecars)]
    if number == 0:
        return names
    parts = [(stem, photo.name[len(stem) :])]
    parts += [split_at_stem(name, stem) for name in names[1:]]
    longest = max(len(os.fsencode(tail)) for _, tail in parts)
    ending = f" ({number})"
    return [
        _cut(head, _LONGEST_NAME - longest - len(ending)) + ending + tail for head, tail in parts
    ]


def _cut(head: str, most: int) -> str:
    """Cut a name's head to so many bytes at most."""
    while len(os.fsencode(head)) > most:
        head = head[:-1]
    return head


def _is_broken_promise(choice: list[PlannedMove] | Placed) -> bool:
    """Tell whether a photo was to stay for a like one that did not get there after all."""
    if not isinstance(choice, Placed) or choice.outcome is not Outcome.DUPLICATE:
        return False
    return choice.destination is not None and not os.path.lexists(choice.destination)


def _are_on_one_disk(path: Path, folder: Path) -> bool:
    """Tell whether a file can be renamed into a folder, which may not be there yet."""
    there = next(one for one in (folder, *folder.parents) if os.path.isdir(one))
    return path.lstat().st_dev == there.stat().st_dev


def _changed(error: ChangedMeanwhile) -> Reason:
    return Reason.BEING_WRITTEN if isinstance(error, BeingWritten) else Reason.CHANGED


def _key(path: Path) -> str:
    """Give what a promised name is known by: strings are half the size of paths."""
    return str(path)


def _is_same_folder(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False  # one of them is not there
