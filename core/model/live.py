"""The model that serves, followed as another is promoted."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from core.errors import CatdogError
from core.model.classifier import Classifier
from core.model.promotion import hold
from core.model.registry import find_model, promoted_version

_CHECK_SECONDS = 5.0  # between two reads of the pointer

logger = logging.getLogger(__name__)


class Serving:
    """Hands out the classifier of the promoted model. Safe to share between threads.

    It is asked for anew for each answer, and kept for as long as that takes. A model that was
    named is never changed for another.
    """

    def __init__(
        self,
        models_dir: Path,
        choice: str | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load the model, as `find_model` finds it. Raises ModelRefused."""
        self._models_dir = models_dir
        self._follows = choice is None
        self._clock = clock
        self._lock = threading.Lock()
        self._pointed_to = promoted_version(models_dir) if self._follows else None
        self._failed: str | None = None
        folder = find_model(models_dir, choice)
        self._classifier = Classifier(folder)
        self._held = hold(models_dir, folder)
        self._next_check = clock() + _CHECK_SECONDS

    def classifier(self) -> Classifier:
        """Return the classifier that serves now.

        Every 5 seconds at most the pointer is read, and another model loaded if it names one. If
        that fails, the last good one goes on serving.
        """
        if (
            self._follows
            and self._clock() >= self._next_check
            and self._lock.acquire(blocking=False)
        ):
            try:
                self._follow()
            finally:
                self._next_check = self._clock() + _CHECK_SECONDS
                self._lock.release()
        return self._classifier

    def _follow(self) -> None:
        version = promoted_version(self._models_dir)
        if version == self._pointed_to:
            return
        serving = self._classifier.manifest.version
        try:
            folder = find_model(self._models_dir)
            self._classifier = Classifier(folder)
        except CatdogError as error:
            if version != self._failed:  # it is tried each time, and logged once
                logger.error("the model %s goes on serving: %s", serving, error)
            self._failed = version
            return
        self._pointed_to, self._failed = version, None
        if self._held is not None:
            self._held.release()
        self._held = hold(self._models_dir, folder)
        new = self._classifier.manifest.version
        logger.info("the model %s serves in the place of %s", new, serving)
