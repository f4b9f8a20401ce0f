"""Predictions off the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from PIL import Image

from core.classifier import Classifier
from core.heatmap import overlay
from core.image import open_image
from core.manifest import Manifest
from core.prediction import Decision, decide
from core.preprocessing import Pixels, load_photo

Made = TypeVar("Made")

_WORKERS = 2  # one decodes while the other is in the network
_MAX_PIXELS = 50_000_000  # decoded, one large photo at a time: under 1 GB of memory
_SHOWN_SIDE = 1280  # pixels; Telegram shows no larger photos


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen in a photo."""

    sha256: str
    decision: Decision
    picture: bytes | None = None  # a JPEG with the heat map, if asked for and the model has one


class InferencePool:
    """A few threads that decode photos and run the network, so that the loop never waits."""

    def __init__(self, classifier: Classifier, threshold: float | None = None) -> None:
        """`threshold` (0 to 1) stands in for the model's own."""
        self._classifier = classifier
        self._threshold = threshold
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="inference")

    @property
    def manifest(self) -> Manifest:
        return self._classifier.manifest

    @property
    def threshold(self) -> float:
        return self.manifest.threshold if self._threshold is None else self._threshold

    async def look(self, content: bytes) -> Looked:
        """Predict a photo from its file's bytes. Raises UnreadableImage."""
        return await self._run(lambda: self._look(content))

    async def explain(self, content: bytes) -> Looked:
        """Predict a photo, and paint over it what the network looked at. Raises UnreadableImage."""
        return await self._run(lambda: self._explain(content))

    def close(self) -> None:
        """Let what is in hand finish, and end the threads."""
        self._pool.shutdown(wait=True)

    async def _run(self, work: Callable[[], Made]) -> Made:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _look(self, content: bytes) -> Looked:
        prediction = self._classifier.predict(self._load(content)[None])[0]
        return Looked(_sha256(content), decide(prediction, self.threshold))

    def _explain(self, content: bytes) -> Looked:
        # as for an answer: a JPEG decoded larger is not quite the same to the network
        prediction, heat = self._classifier.look(self._load(content))
        picture = None
        if heat is not None and heat.any():  # else it is the same everywhere
            image = open_image(content, min_side=_SHOWN_SIDE, max_pixels=_MAX_PIXELS)
            image.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE), Image.Resampling.BILINEAR)
            stream = io.BytesIO()
            overlay(image, heat).save(stream, "JPEG", quality=85)
            picture = stream.getvalue()
        return Looked(_sha256(content), decide(prediction, self.threshold), picture)

    def _load(self, content: bytes) -> Pixels:
        return load_photo(content, self.manifest.preprocessing, max_pixels=_MAX_PIXELS)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
