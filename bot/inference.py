"""Predictions off the event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from core.classifier import Classifier
from core.inference import predict_photo
from core.prediction import Prediction

_WORKERS = 2  # one decodes while the other is in the network


class InferencePool:
    """A few threads that decode photos and run the network, so that the loop never waits."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="inference")

    async def predict(self, content: bytes) -> Prediction:
        """Predict a photo from its file's bytes. Raises UnreadableImage."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, predict_photo, self._classifier, content)

    def close(self) -> None:
        """Let what is in hand finish, and end the threads."""
        self._pool.shutdown(wait=True)
