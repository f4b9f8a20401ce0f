"""Predictions off the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from core.images.decode import opener
from core.model.classifier import Classifier
from core.model.heatmap import painted
from core.model.manifest import Manifest
from core.model.verdict import Prediction, Verdict, in_effect, judge

Made = TypeVar("Made")

_WORKERS = 2  # photos that are looked at at once
_LOOK = 2.0  # seconds between looks at which model serves
_SHOWN_SIDE = 1280  # pixels; Telegram shows no larger photos


@dataclass(frozen=True, slots=True)
class Inference:
    """What was seen in a photo."""

    sha256: str
    verdict: Verdict
    manifest: Manifest  # of the model that saw it: another may serve by now
    picture: bytes | None = None  # a JPEG with the heat map, if asked for and the model has one


class InferencePool:
    """A few threads that decode photos and run the network, so that the loop never waits."""

    def __init__(self, serving: Callable[[], Classifier], threshold: float | None = None) -> None:
        """`serving` gives the model that serves now; `threshold` can only raise the model's."""
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
        """Look for ever whether another model serves, and take it."""
        while True:
            await asyncio.sleep(_LOOK)
            self._classifier = await self._run(self._serving)

    async def predict(self, content: bytes) -> Inference:
        """Predict a photo from its file's bytes. Raises UnreadableImage."""
        return await self._run(lambda: self._predict(content))

    async def explain(self, content: bytes) -> Inference:
        """Predict a photo, and paint over it what the network looked at. Raises UnreadableImage."""
        return await self._run(lambda: self._explain(content))

    def close(self) -> None:
        """Let what is in hand finish, and end the threads."""
        self._pool.shutdown(wait=True)

    async def _run(self, work: Callable[[], Made]) -> Made:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _predict(self, content: bytes) -> Inference:
        classifier = self._classifier
        prediction = classifier.classify(opener(content))
        return self._inference(classifier, content, prediction)

    def _explain(self, content: bytes) -> Inference:
        # as for an answer: a JPEG decoded larger is not quite the same to the network
        classifier = self._classifier
        prediction, heat = classifier.explain(opener(content))
        picture = None
        if heat is not None and heat.any():  # else it is the same everywhere
            stream = io.BytesIO()
            shown = painted(content, heat, side=_SHOWN_SIDE)
            shown.save(stream, "JPEG", quality=85)
            picture = stream.getvalue()
        return replace(self._inference(classifier, content, prediction), picture=picture)

    def _inference(
        self, classifier: Classifier, content: bytes, prediction: Prediction
    ) -> Inference:
        manifest = classifier.manifest
        verdict = judge(prediction, manifest.classes, self._threshold)
        return Inference(hashlib.sha256(content).hexdigest(), verdict, manifest)
