"""What a run leaves behind after each epoch, to go on from and to choose from."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import keras

from core.errors import CatdogError
from core.training.evaluation.epochs import HISTORY, Epoch, kept_epoch
from core.training.networks.recipe import Recipe

LAST = "last.keras"
BEST = "best.keras"


def read_history(work: Path) -> list[Epoch]:
    path = work / HISTORY
    if not path.exists():
        return []
    return [Epoch(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]


def epochs_before_last_stage(recipe: Recipe) -> int:
    return recipe.epochs - recipe.stages[-1].epochs


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Keeps the history, the checkpoints and the best network, and stops a stalled run."""

    def __init__(
        self,
        work: Path,
        recipe: Recipe,
        history: list[Epoch],
        on_epoch: Callable[[Epoch], None],
        photos: int,  # held out
    ) -> None:
        super().__init__()
        self.history = history
        self._work = work
        self._patience = recipe.patience
        self._learning_rate = recipe.learning_rate
        self._before_last_stage = epochs_before_last_stage(recipe)
        self._photos = photos
        self._sizes = [stage.size for stage in recipe.stages for _ in range(stage.epochs)]
        self._on_epoch = on_epoch

    def has_stalled(self) -> bool:
        """Tell whether the last stage went on long enough without a better epoch."""
        last_stage = self.history[self._before_last_stage :]
        if self._patience is None or not last_stage:
            return False
        return len(last_stage) - 1 - kept_epoch(last_stage, self._photos) >= self._patience

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        assert logs is not None
        done = Epoch(
            number=epoch + 1,
            size=self._sizes[epoch],
            loss=float(logs["loss"]),
            accuracy=float(logs["accuracy"]),
            validation_loss=float(logs["val_loss"]),
            validation_accuracy=float(logs["val_accuracy"]),
            seconds=time.monotonic() - self._started,
        )
        if not math.isfinite(done.validation_loss):
            raise CatdogError(
                "Training has diverged: the loss is not a number any more. Use a lower learning "
                f"rate. Received: {self._learning_rate:g}"
            )
        self.history.append(done)
        last_stage = self.history[self._before_last_stage :]
        if last_stage and kept_epoch(last_stage, self._photos) == len(last_stage) - 1:
            self._save(BEST, include_optimizer=False)
        # the history first: a run killed in between repeats the epoch and rewrites its line
        text = json.dumps([asdict(epoch) for epoch in self.history], indent=1)
        _replace(self._work / HISTORY, lambda path: path.write_text(text, encoding="utf-8"))
        self._save(LAST, include_optimizer=True)
        self._on_epoch(done)
        self.model.stop_training = self.has_stalled()

    def _save(self, name: str, *, include_optimizer: bool) -> None:
        _replace(
            self._work / name,
            lambda path: self.model.save(path, include_optimizer=include_optimizer),
        )


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that a killed run leaves the old one or the new one, whole."""
    new = path.with_name(f"new-{path.name}")
    write(new)
    new.replace(path)
