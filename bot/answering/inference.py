"""Predictions off the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from core.images.decode import opener
from core.model.classifier import Classifier
from core.model.heatmap import painted
from core.model.manifest import Manifest
from core.model.verdict import Prediction, Verdict, in_effect, judge

Made = TypeVar("Made")

_WORKERS = 2  # photos that are predicted at once
_FOLLOW_SECONDS = 2.0  # between checks which model serves
_SHOWN_SIDE_PIXELS = 1280  # Telegram shows no larger photos


@dataclass(frozen=True, slots=True)
class Inference:
    """What a model makes of a photo."""

    sha256: str  # of the file
    verdict: Verdict
    manifest: Manifest  # of that model: another may serve by now
    picture: bytes | None = None  # a JPEG with the heatmap, if asked for and the model has one


class InferencePool:
    """A few threads that decode photos and run the network, so that the loop never waits."""

    def __init__(self, serving: Callable[[], Classifier], threshold: float | None = None) -> None:
        """`serving` returns the model that serves now; `threshold` can only raise the model's."""
        self._serving = serving
        self._classifier = serving()
        self._threshold = threshold
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="inference")

    @property
    def manifest(self) -> Manifest:
        return self._classifier.manifest

    @property
    def threshold(self) -> float:
        """The lowest probability, 0 to 1, from which on a class that is filed is sure."""
        return min(in_effect(one, self._threshold) for one in self.manifest.filed)

    async def follow(self) -> None:
        """Take another model as soon as it serves, for ever."""
        while True:
            await asyncio.sleep(_FOLLOW_SECONDS)
            self._classifier = await self._run(self._serving)

    async def predict(self, content: bytes) -> Inference:
        """Predict a photo from its file's bytes. Raises UnreadableImage."""
        return await self._run(lambda: self._predict(content))

    async def explain(self, content: bytes) -> Inference:
        """Predict a photo, and paint the heatmap over it. Raises UnreadableImage."""
        return await self._run(lambda: self._explain(content))

    def close(self) -> None:
        """Let what is in hand finish, and end the threads."""
        self._pool.shutdown(wait=True)

    async def _run(self, work: Callable[[], Made]) -> Made:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _predict(self, content: bytes) -> Inference:
        classifier = self._classifier
        return self._judged(classifier, content, classifier.classify(opener(content)))

    def _explain(self, content: bytes) -> Inference:
        # as for an answer: a JPEG decoded larger is not quite the same to the network
        classifier = self._classifier
        prediction, heat = classifier.explain(opener(content))
        picture = None
        if heat is not None and heat.any():  # else it is the same everywhere
            stream = io.BytesIO()
            shown = painted(content, heat, side=_SHOWN_SIDE_PIXELS)
            shown.save(stream, "JPEG", quality=85)
            picture = stream.getvalue()
        return self._judged(classifier, content, prediction, picture)

    def _judged(
        self,
        classifier: Classifier,
        content: bytes,
        prediction: Prediction,
        picture: bytes | None = None,
    ) -> Inference:
        manifest = classifier.manifest
        verdict = judge(prediction, manifest.classes, self._threshold)
        return Inference(hashlib.sha256(content).hexdigest(), verdict, manifest, picture)
