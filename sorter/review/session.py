"""One review: its photos, the threads that read and write, and what the page is told of them."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from core.model.classifier import Classifier
from core.model.registry import find_model
from core.model.verdict import VerdictKind
from core.store.database import Store
from sorter.review.answering import Answers
from sorter.review.decisions import DecisionState, decisions
from sorter.review.learning import Learning, train_head
from sorter.review.loading import Selection, load
from sorter.review.photo_list import PhotoList
from sorter.review.photos import Photo, State, What
from sorter.review.pictures import Pictures
from sorter.review.review_summary import ReviewSummary, summary_of
from sorter.review.reviewer import Reviewer

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Folders:
    """Where catdog keeps what it knows and its models."""

    state: Path
    models: Path


class Review:
    """A review for as long as its server runs."""

    def __init__(
        self, selection: Selection, classifier: Classifier, folders: Folders, *, learns: bool = True
    ) -> None:
        """`learns` is False where the model was named: no other may serve in its place."""
        self.selection = selection
        self.photos = PhotoList()
        self.pictures = Pictures(classifier)
        self.learning = Learning()
        self.can_learn = learns and importlib.util.find_spec("sklearn") is not None
        self._folders = folders
        self._stopped = threading.Event()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="review")
        self._store = Store(folders.state)
        self._reviewer = Reviewer(self._store, selection, self.photos)
        self._reader: threading.Thread | None = None
        self._summary: ReviewSummary | None = None
        self._written = 0  # actions, by which it is known whether it is true
        self._counted = 0
        self._summary_lock = threading.Lock()

    @property
    def classifier(self) -> Classifier:
        return self.pictures.classifier

    def start(self) -> None:
        """Carry out what a killed server left open, and begin to read the folder."""
        self._writer.submit(self._reviewer.finish_open).result()
        self._begin_reading()

    def close(self) -> None:
        """End what runs, and the journal's run."""
        self._stopped.set()
        self._writer.submit(self._reviewer.end).result()
        self._writer.shutdown()
        self.pictures.close()
        if self._reader is not None:
            self._reader.join()
        self._store.close()

    def write(self, action: Callable[[Reviewer], Result]) -> Result:
        """Run what writes, in turn with all else that does."""
        result = self._writer.submit(action, self._reviewer).result()
        self._written += 1
        return result

    def summary(self) -> ReviewSummary:
        """Return what all answers for this folder say of the model. Raises StoreUnusable."""
        with self._summary_lock:
            if self._summary is None or self._counted != self._written:
                self._counted = self._written
                labels = frozenset(one.label for one in self.selection.routes.manifest.filed)
                with closing(Store(self._folders.state)) as store:
                    done = decisions(store, self.selection.inbox.folder, DecisionState.DONE)
                self._summary = summary_of(done, labels)
            return self._summary

    def learn(self) -> None:
        """Train a head on what was said, and if it serves, file what it is sure of now."""
        if self.learning.is_running or not self.can_learn:
            return
        self.learning = Learning(is_running=True, waiting_before=self._waiting())
        self.photos.touch()
        threading.Thread(target=self._learn, name="learning", daemon=True).start()

    def _learn(self) -> None:
        exit_code = 1
        try:
            exit_code = train_head(self._folders.models, self._folders.state, self._print)
            if exit_code == 0:
                self._serve_new_model()
        except Exception as error:  # whatever it was, the page must not wait for ever
            self._print(str(error))
            raise
        finally:
            self.learning = replace(
                self.learning,
                is_running=False,
                exit_code=exit_code,
                waiting_after=self._waiting(),
            )
            self.photos.touch()

    def _print(self, line: str) -> None:
        self.learning = replace(self.learning, lines=(*self.learning.lines, line))
        self.photos.touch()

    def _serve_new_model(self) -> None:
        """Judge what waits by the model that serves now, and file what it is sure of."""
        folder = find_model(self._folders.models)
        if folder.resolve() == self.classifier.folder.resolve():
            return
        classifier = Classifier(folder)
        routes = replace(self.selection.routes, manifest=classifier.manifest)
        self.selection = replace(self.selection, routes=routes)
        self.pictures.classifier = classifier
        self.write(lambda reviewer: reviewer.use(self.selection))
        waiting = [one for one in self.photos.all() if one.state is State.WAITING]
        filed = 0
        with closing(Store(self._folders.state)) as store:
            answers = Answers(classifier, routes.threshold)
            to_decode = []  # what may be filed, for an embedding is kept rounded; and what has none
            paths = [one.path for one in waiting]
            for known in answers.kept(store, paths):
                if isinstance(known, Path):
                    to_decode.append(known)
                elif known.verdict is not None and known.verdict.kind is VerdictKind.FILED:
                    to_decode.append(known.path)
                else:
                    self._place(known)
            for batch in answers.make(store, to_decode, self._stopped.is_set):
                for photo in batch:
                    filed += self._place(photo)
        self.learning = replace(self.learning, filed=filed)

    def _place(self, photo: Photo) -> bool:
        """File a photo that the new model is sure of, or show it with the new guess."""
        before = self.photos.get(photo.id)
        if before is None or before.state is not State.WAITING:
            return False
        self.photos.put([replace(photo, group=before.group, stands_at=before.stands_at)])
        if photo.verdict is None or self.selection.what is not What.UNSURE:
            return False
        match photo.verdict.kind:
            case VerdictKind.FILED:
                return self.write(lambda reviewer: reviewer.file_as_sorted(photo))
            case VerdictKind.UNSURE:
                return False
            case _:  # as `sort` leaves it
                self.photos.take_away([photo.id])
                return False

    def _waiting(self) -> int:
        return sum(photo.state is State.WAITING for photo in self.photos.all())

    def _begin_reading(self) -> None:
        arguments = (
            self.selection,
            self.classifier,
            self._folders.state,
            self.photos,
            self._stopped.is_set,
        )
        self._reader = threading.Thread(target=load, args=arguments, name="reading", daemon=True)
        self._reader.start()
