"""The model's answers for a folder's photos: those that the store has, then all the others."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import UnreadableCode, UnreadableImage
from core.images.decode import Opener
from core.model.classifier import Classifier
from core.model.verdict import Prediction, judge, to_prediction
from core.paths import display
from core.runtime.lookahead import map_ahead
from core.store.answers import Answer, answers_of, keep_answers
from core.store.database import Store
from sorter.digests import Reading, sha256_of
from sorter.review.photos import Photo

log = logging.getLogger(__name__)

Kept = npt.NDArray[np.int8]  # an embedding in 8 bits, shape (channels,)

_KEPT_TOGETHER = 64  # answers in one transaction,
_KEPT_SECONDS = 0.5  # or as many as there are after this long


class Answers:
    """Turns answers that are kept into photos of a review, and makes those that are missing."""

    def __init__(self, classifier: Classifier, threshold: float | None) -> None:
        self._classifier = classifier
        self._threshold = threshold
        self._network = classifier.network

    def kept(self, store: Store, files: Sequence[Path]) -> Iterator[Photo | Path]:
        """Return each file as a photo if its answer is kept and still true, else as its path.

        A photo that another head of the same network answered is judged by its embedding. Files
        that are gone are skipped. Raises StoreUnusable.
        """
        known = answers_of(store, files)
        version = self._classifier.manifest.version
        network = self._network.sha256 if self._network else None
        for path in files:
            answer = known.get(path)
            try:
                status = path.lstat()
            except OSError:
                continue
            if answer is None or (answer.size, answer.mtime_ns) != (
                status.st_size,
                status.st_mtime_ns,
            ):
                yield path
            elif answer.model_version == version or answer.probabilities is None:
                yield self._photo(answer)
            elif answer.embedding is not None and answer.network_sha256 == network:
                yield self._photo(self._judged(answer, answer.embedding))
            else:
                yield path

    def make(
        self, store: Store, files: Iterable[Path], stop: Callable[[], bool]
    ) -> Iterator[list[Photo]]:
        """Classify files on all cores and keep the answers; return them as they come.

        Raises StoreUnusable.
        """
        waiting: list[tuple[Answer, Photo]] = []
        since = time.monotonic()
        for _, answered in map_ahead(self._answer, files):
            if answered is not None:
                waiting.append(answered)
            if len(waiting) >= _KEPT_TOGETHER or time.monotonic() - since >= _KEPT_SECONDS:
                keep_answers(store, [answer for answer, _ in waiting])
                yield [photo for _, photo in waiting]
                waiting, since = [], time.monotonic()
            if stop():
                break
        keep_answers(store, [answer for answer, _ in waiting])
        yield [photo for _, photo in waiting]

    def _answer(self, path: Path) -> tuple[Answer, Photo] | None:
        """Classify one file; None if it vanished or changed meanwhile, or showed a bug."""
        try:
            before = path.stat()
            photo, embedding = self._classified(path, before)
            if path.stat().st_mtime_ns != before.st_mtime_ns:
                return None
        except OSError:
            return None
        except Exception:
            log.exception("%s", display(path))
            return None
        manifest = self._classifier.manifest
        answer = Answer(
            path=path,
            size=photo.size,
            mtime_ns=photo.mtime_ns,
            model_version=manifest.version,
            verdict=photo.verdict.kind if photo.verdict else str(photo.unreadable),
            sha256=photo.sha256,
            network_sha256=self._network.sha256 if self._network else None,
            probabilities=self._probabilities(photo.verdict.prediction) if photo.verdict else None,
            embedding=embedding,
        )
        return answer, photo

    def _classified(self, path: Path, status: os.stat_result) -> tuple[Photo, Kept | None]:
        """Return a photo with its verdict, or why it has none. Raises OSError."""
        reading = Reading(path)
        try:
            prediction, embedding = self._predicted(reading.open)
        except UnreadableImage as error:
            sha256 = sha256_of(path)
            unread = Photo(path, status.st_size, status.st_mtime_ns, sha256, None, error.code)
            return unread, None
        verdict = judge(prediction, self._classifier.manifest.classes, self._threshold)
        sha256 = reading.digests.sha256
        return Photo(path, status.st_size, status.st_mtime_ns, sha256, verdict), embedding

    def _predicted(self, photo: Opener) -> tuple[Prediction, Kept | None]:
        """Predict a photo, and return its embedding as it is kept, if the model has any."""
        if self._network is None:
            return self._classifier.classify(photo), None
        prediction, embedding = self._classifier.classify_and_embed(photo)
        return prediction, self._network.to_int8(embedding)

    def _probabilities(self, prediction: Prediction) -> npt.NDArray[np.float32]:
        labels = self._classifier.manifest.labels
        return np.array([prediction.probabilities[label] for label in labels], np.float32)

    def _photo(self, answer: Answer) -> Photo:
        verdict = unreadable = None
        if answer.probabilities is None:
            unreadable = UnreadableCode(answer.verdict)
        else:
            manifest = self._classifier.manifest
            prediction = to_prediction(answer.probabilities, manifest.classes, manifest.version)
            verdict = judge(prediction, manifest.classes, self._threshold)
        return Photo(answer.path, answer.size, answer.mtime_ns, answer.sha256, verdict, unreadable)

    def _judged(self, answer: Answer, embedding: Kept) -> Answer:
        """Return an answer as the model at hand gives it, by the embedding."""
        assert self._network is not None
        prediction = self._classifier.predict_embedding(self._network.from_int8(embedding))
        return replace(answer, probabilities=self._probabilities(prediction))
