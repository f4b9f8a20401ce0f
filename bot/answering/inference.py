"""Predictions off the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from core.images.decode import opener
from core.model.classifier import Classifier
from core.model.heatmap import painted
from core.model.manifest import Manifest
from core.model.verdict import Verdict, in_effect, judge

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
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_FOLLOW_SECONDS)
            self._classifier = await loop.run_in_executor(self._pool, self._serving)

    async def infer(self, content: bytes, *, explains: bool = False) -> Inference:
        """Predict a photo from its file's bytes, and paint its heatmap if it `explains`.

        Raises UnreadableImage.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._pool, partial(self._infer, content, explains=explains)
        )

    def close(self) -> None:
        """Let what is in hand finish, and end the threads."""
        self._pool.shutdown(wait=True)

    def _infer(self, content: bytes, *, explains: bool) -> Inference:
        classifier = self._classifier
        picture = None
        if explains:
            # as for an answer: a JPEG decoded larger is not quite the same to the network
            prediction, heat = classifier.explain(opener(content))
            if heat is not None and heat.any():  # else it is the same everywhere
                stream = io.BytesIO()
                painted(content, heat, side=_SHOWN_SIDE_PIXELS).save(stream, "JPEG", quality=85)
                picture = stream.getvalue()
        else:
            prediction = classifier.classify(opener(content))
        verdict = judge(prediction, classifier.manifest.classes, self._threshold)
        sha256 = hashlib.sha256(content).hexdigest()
        return Inference(sha256, verdict, classifier.manifest, picture)
