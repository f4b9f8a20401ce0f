"""Carries out what the page says, one key after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from core.labels import PhotoClass, Role
from core.model.verdict import VerdictKind
from core.store.database import Store
from sorter.identity import FileIdentity
from sorter.outcome import FileOutcome, Reason
from sorter.review.decisions import (
    Decision,
    DecisionState,
    close_decision,
    decisions,
    is_known,
    newest_done,
    open_decision,
    undone_elsewhere,
)
from sorter.review.filing import Filer
from sorter.review.loading import Selection
from sorter.review.photo_list import PhotoList
from sorter.review.photos import Photo, State, photo_id

# Of a photo that is not the one that was shown, nothing is known: its label is forgotten.
_ANOTHER_PHOTO = {Reason.CHANGED, Reason.VANISHED}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a key, for the page."""

    photo: Photo | None
    is_done: bool
    reason: str | None = None  # a Reason's or an Outcome's value, or one of a PutBack


class Reviewer:
    """The one thread that writes: decisions into the store, photos into folders."""

    def __init__(self, store: Store, selection: Selection, photos: PhotoList) -> None:
        self._store = store
        self._selection = selection
        self._photos = photos
        self._filer = Filer(
            store,
            selection.inbox.folder,
            selection.routes.destination,
            selection.inbox.sidecars,
        )

    def finish_open(self) -> int:
        """Carry out what a killed server had only written down; returns how many. Idempotent."""
        for decision in undone_elsewhere(self._store, self._folder):
            close_decision(self._store, decision.id, DecisionState.UNDONE, keep_label=False)
        waiting = decisions(self._store, self._folder, DecisionState.OPEN)
        for decision in reversed(waiting):
            identity = FileIdentity.of(decision.path)
            moved = self._filer.where_filed(decision.path, identity) if identity is None else None
            if moved is not None:
                close_decision(
                    self._store, decision.id, DecisionState.DONE, group_id=moved.group_id
                )
            else:
                self._carry_out(decision)
        return len(waiting)

    def decide(self, request: str, id: str, label: str) -> Reply:
        """Give a photo a label, and move it if that has a folder. Raises StoreUnusable.

        `request` is the page's name for the key: said again it changes nothing.
        """
        photo = self._photos.get(id)
        if photo is None:
            return Reply(None, False, Reason.VANISHED)
        if is_known(self._store, request) or (photo.label == label and photo.state in _DECIDED):
            return Reply(photo, True)
        if photo.state in _DECIDED:
            undone = self._take_back(photo)
            if not undone.is_done or undone.photo is None:
                return undone
            photo = undone.photo
        if photo.state is State.GONE:
            return Reply(photo, False, Reason.VANISHED)
        prediction = photo.verdict.prediction if photo.verdict else None
        decision = Decision(
            request=request,
            folder=self._folder,
            path=photo.path,
            size=photo.size,
            mtime_ns=photo.mtime_ns,
            label=label,
            moves=self._selection.routes.folder_of(self._class_of(label)) is not None,
            sha256=photo.sha256 or "",
            model_label=prediction.label if prediction else None,
            confidence=prediction.confidence if prediction else None,
            model_version=prediction.model_version if prediction else None,
        )
        written = open_decision(self._store, decision)
        if written is None:
            return Reply(photo, True)
        outcome = self._carry_out(replace(decision, id=written))
        return self._shown(photo, label, outcome)

    def leave(self, id: str) -> Reply:
        """Pass a photo over: nothing is recorded."""
        photo = self._photos.get(id)
        if photo is None or photo.state is not State.WAITING:
            return Reply(photo, photo is not None)
        return self._put(replace(photo, state=State.LEFT), is_done=True)

    def show_again(self, id: str) -> Reply:
        """Take back that a photo was passed over."""
        photo = self._photos.get(id)
        if photo is None or photo.state is not State.LEFT:
            return Reply(photo, photo is not None)
        return self._put(replace(photo, state=State.WAITING), is_done=True)

    def undo(self) -> Reply:
        """Take back the newest decision of this folder, of whichever session."""
        decision = newest_done(self._store, self._folder)
        if decision is None:
            return Reply(None, False, "nothing")
        return self._undo(decision)

    def file_as_sorted(self, photo: Photo) -> bool:
        """File a photo that the model is sure of, as `sort` does: no label is recorded."""
        verdict = photo.verdict
        if verdict is None or verdict.kind is not VerdictKind.FILED:
            return False
        filed = self._filer.file(
            photo.path,
            self._selection.routes.destination / verdict.likeliest.folder,
            prediction=verdict.prediction,
            sha256=photo.sha256,
        )
        if not filed.outcome.has_moved:
            return False
        moved = replace(photo, state=State.MOVED, stands_at=filed.outcome.destination)
        self._photos.put([replace(moved, label=verdict.likeliest.label)])
        return True

    def use(self, selection: Selection) -> None:
        """Go on with another model, in a run of the journal of its own."""
        self._selection = selection
        self._filer.end()

    def end(self) -> None:
        self._filer.end()

    @property
    def _folder(self) -> Path:
        return self._selection.inbox.folder

    def _carry_out(self, decision: Decision) -> FileOutcome | None:
        """Move a photo as decided, and mark the decision; None if only its label counts."""
        now = FileIdentity.of(decision.path)
        if now is None or (now.size, now.mtime_ns) != (decision.size, decision.mtime_ns):
            reason = Reason.VANISHED if now is None else Reason.CHANGED
            close_decision(self._store, decision.id, DecisionState.REFUSED, keep_label=False)
            return FileOutcome(decision.path, reason=reason)
        photo_class = self._class_of(decision.label)
        into = self._selection.routes.folder_of(photo_class)
        if into is None:
            close_decision(self._store, decision.id, DecisionState.DONE)
            return None
        filed = self._filer.file(
            decision.path,
            into,
            label=decision.label,
            reason=None if photo_class.role is Role.FILE else Reason(photo_class.role.value),
            sha256=decision.sha256 or None,
        )
        outcome = filed.outcome
        if outcome.has_moved:
            close_decision(self._store, decision.id, DecisionState.DONE, group_id=filed.group_id)
        elif outcome.reason == Reason.IN_PLACE:  # it is confirmed where it is
            close_decision(self._store, decision.id, DecisionState.DONE)
        else:
            close_decision(
                self._store,
                decision.id,
                DecisionState.REFUSED,
                keep_label=outcome.reason not in _ANOTHER_PHOTO,
            )
        return outcome

    def _shown(self, photo: Photo, label: str, outcome: FileOutcome | None) -> Reply:
        """Bring the list up to date with what came of a decision."""
        if outcome is None or outcome.reason == Reason.IN_PLACE:
            return self._put(replace(photo, state=State.LABELLED, label=label), is_done=True)
        if outcome.has_moved:
            moved = replace(
                photo, state=State.MOVED, label=label, stands_at=outcome.destination, message=None
            )
            return self._put(moved, is_done=True)
        gone = outcome.reason in _ANOTHER_PHOTO
        refused = replace(
            photo,
            state=State.GONE if gone else State.REFUSED,
            stands_at=outcome.destination,
            message=outcome.message,
        )
        return self._put(refused, is_done=False, reason=outcome.reason or outcome.outcome)

    def _take_back(self, photo: Photo) -> Reply:
        done = decisions(self._store, self._folder, DecisionState.DONE)
        own = [one for one in done if one.path == photo.path]
        return self._undo(own[0]) if own else Reply(photo, False, "nothing")

    def _undo(self, decision: Decision) -> Reply:
        """Take back a decision: its move, then its label."""
        photo = self._photos.get(photo_id(decision.path))
        if decision.group_id is not None:
            first = next(iter(self._filer.put_back(decision.group_id)), None)
            if first is None or not first.done:
                if first is None or not first.failed:  # it never will be: the next is that before
                    close_decision(self._store, decision.id, DecisionState.REFUSED)
                return Reply(photo, False, first.reason if first else "nothing")
        close_decision(self._store, decision.id, DecisionState.UNDONE, keep_label=False)
        if photo is None:
            return Reply(None, True)
        back = replace(photo, state=State.WAITING, label=None, stands_at=None, message=None)
        return self._put(back, is_done=True)

    def _put(self, photo: Photo, *, is_done: bool, reason: str | None = None) -> Reply:
        self._photos.put([photo])
        return Reply(photo, is_done, reason)

    def _class_of(self, label: str) -> PhotoClass:
        return self._selection.routes.manifest.class_of(label)


_DECIDED = {State.MOVED, State.LABELLED}
