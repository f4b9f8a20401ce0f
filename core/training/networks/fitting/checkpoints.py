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
from core.runtime.atomic_write import replacing, write_atomically
from core.training.evaluation.epochs import Epoch, kept_epoch
from core.training.networks.recipe import Recipe
from core.training.networks.unfinished import HISTORY

LAST = "last.keras"
BEST = "best.keras"


def read_epochs(work: Path) -> list[Epoch]:
    path = work / HISTORY
    if not path.exists():
        return []
    return [Epoch(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]


class Checkpoints(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Keeps the history, the checkpoints and the best network, and stops a stalled run."""

    def __init__(
        self,
        work: Path,
        recipe: Recipe,
        history: list[Epoch],
        *,
        held_out: int,  # photos
        on_step: Callable[[int], None] = lambda steps_done: None,
        on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    ) -> None:
        super().__init__()
        self.history = history
        self._work = work
        self._recipe = recipe
        self._held_out = held_out
        self._sizes = [stage.size for stage in recipe.stages for _ in range(stage.epochs)]
        self._on_step = on_step
        self._on_epoch = on_epoch

    @property
    def _last_stage(self) -> list[Epoch]:
        return self.history[self._recipe.epochs_before_last_stage :]

    def has_stalled(self) -> bool:
        """Return whether the last stage went on long enough without a better epoch."""
        epochs, patience = self._last_stage, self._recipe.patience
        if patience is None or not epochs:
            return False
        return len(epochs) - 1 - kept_epoch(epochs, self._held_out) >= patience

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._on_step(int(self.model.optimizer.iterations))

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
                f"rate. Received: {self._recipe.learning_rate:g}"
            )
        self.history.append(done)
        last_stage = self._last_stage
        if last_stage and kept_epoch(last_stage, self._held_out) == len(last_stage) - 1:
            self._save(BEST, include_optimizer=False)
        # the history first: a run killed in between repeats the epoch and rewrites its line
        text = json.dumps([asdict(epoch) for epoch in self.history], indent=1)
        write_atomically(self._work / HISTORY, text)
        self._save(LAST, include_optimizer=True)
        self._on_epoch(done)
        self.model.stop_training = self.has_stalled()

    def _save(self, name: str, *, include_optimizer: bool) -> None:
        with replacing(self._work / name) as path:
            self.model.save(path, include_optimizer=include_optimizer)
