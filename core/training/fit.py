"""Training itself: one run in stages, with checkpoints that a killed run goes on from."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras

from core.errors import CatdogError, UsageRefused
from core.training.architectures import build, for_training
from core.training.batches import steps_per_epoch, targets_of, training_batches, whole_photos
from core.training.dataset import Dataset
from core.training.history import Epoch
from core.training.optimizer import make_optimizer
from core.training.recipe import Recipe

if keras.backend.backend() == "tensorflow":
    from core.training import tensorflow_speed

LAST = "last.keras"
BEST = "best.keras"
HISTORY = "history.json"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained network: images of any size to `logits` and `activation`."""

    network: keras.Model
    history: tuple[Epoch, ...]

    @property
    def seconds(self) -> float:
        return sum(epoch.seconds for epoch in self.history)


def fit(
    dataset: Dataset,
    recipe: Recipe,
    *,
    work: Path,
    finish: bool = False,
    on_step: Callable[[int], None] = lambda steps_done: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Fitted:
    """Train a network, going on from the checkpoint in `work` if there is one.

    It begins with random weights. To `finish` is to go no further than the checkpoints, which
    there must be.

    After each epoch `last.keras` (with the optimizer's state) and `history.json` are replaced
    there. In the last stage `best.keras` keeps the network of the lowest validation loss, and
    the run stops after `recipe.patience` epochs without a lower one.
    """
    if finish:
        return _best_so_far(work, recipe)
    keras.utils.set_random_seed(recipe.seed)
    steps = steps_per_epoch(dataset, recipe)
    if keras.backend.backend() == "tensorflow":
        tensorflow_speed.compute_convolutions_in_bfloat16()
    model = _resumed(work) or _fresh(dataset, recipe, steps)
    done = int(model.optimizer.iterations) // steps
    keeper = Keeper(work, recipe, _read_history(work)[:done], on_epoch)
    begin = 0
    for stage in recipe.stages:
        end = begin + stage.epochs
        begin = end
        if done >= end or keeper.has_stalled():
            continue
        numbers = range(done * steps, end * steps)
        batches = training_batches(dataset, recipe, stage, numbers)
        photos = whole_photos(dataset, dataset.validation, stage.size)
        targets = targets_of(dataset, dataset.validation)
        model.fit(
            batches,
            steps_per_epoch=steps,
            initial_epoch=done,
            epochs=end,
            validation_data=(photos, targets),
            validation_batch_size=recipe.batch_size,
            callbacks=[keeper, _Steps(on_step)],
            shuffle=False,
            verbose=0,
        )
        done = end
    return _best_so_far(work, recipe)


def _best_so_far(work: Path, recipe: Recipe) -> Fitted:
    """Load the network of the lowest validation loss, or before the last stage the last one."""
    path = next((work / name for name in (BEST, LAST) if (work / name).exists()), None)
    if path is None:
        raise UsageRefused("Not one epoch is done: there is nothing to finish with.")
    best = keras.models.load_model(path, compile=False)
    network = build(recipe, best.output.shape[-1])
    network.set_weights(best.get_weights())
    return Fitted(network, tuple(_read_history(work)))


def _fresh(dataset: Dataset, recipe: Recipe, steps: int) -> keras.Model:
    outputs = outputs_for(dataset)
    model = for_training(build(recipe, outputs))
    if keras.backend.backend() == "tensorflow":
        model = tensorflow_speed.with_fused_normalization(model)
    warmup = round(recipe.warmup_epochs * steps)
    total = recipe.epochs * steps
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, total - warmup),
        warmup_target=recipe.learning_rate,
        warmup_steps=min(warmup, total - 1),
    )
    loss: Any
    if outputs == 1:
        loss = keras.losses.BinaryCrossentropy(True, label_smoothing=recipe.label_smoothing)
        accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    else:
        loss = keras.losses.CategoricalCrossentropy(True, label_smoothing=recipe.label_smoothing)
        accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
    model.compile(
        optimizer=make_optimizer(recipe.optimizer, schedule, recipe.weight_decay),
        loss=loss,
        metrics=[accuracy],
        # XLA compiles this net to half the speed on CPUs (measured with TensorFlow 2.21)
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    model.optimizer.build(model.trainable_variables)  # a first step that does it is traced twice
    return model


def outputs_for(dataset: Dataset) -> int:
    """Tell how many logits the classes take: one for two, told apart by a sigmoid."""
    return 1 if len(dataset.classes) == 2 else len(dataset.classes)


def _resumed(work: Path) -> keras.Model | None:
    path = work / LAST
    return keras.models.load_model(path) if path.exists() else None


def _read_history(work: Path) -> list[Epoch]:
    path = work / HISTORY
    if not path.exists():
        return []
    return [Epoch(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]


class _Steps(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Tells how many steps of the whole run are done."""

    def __init__(self, on_step: Callable[[int], None]) -> None:
        super().__init__()
        self._on_step = on_step

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._on_step(int(self.model.optimizer.iterations))


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Keeps the history, the checkpoints and the best network, and stops a stalled run."""

    def __init__(
        self, work: Path, recipe: Recipe, history: list[Epoch], on_epoch: Callable[[Epoch], None]
    ) -> None:
        super().__init__()
        self.history = history
        self._work = work
        self._patience = recipe.patience
        self._learning_rate = recipe.learning_rate
        self._before_last_stage = recipe.epochs - recipe.stages[-1].epochs
        self._sizes = [stage.size for stage in recipe.stages for _ in range(stage.epochs)]
        self._on_epoch = on_epoch

    def has_stalled(self) -> bool:
        """Tell whether the last stage went on long enough without a lower validation loss."""
        losses = self._last_stage_losses()
        return bool(losses) and len(losses) - 1 - losses.index(min(losses)) >= self._patience

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
        losses = self._last_stage_losses()
        if losses and losses[-1] == min(losses):
            self._save(BEST, include_optimizer=False)
        # the history first: a run killed in between repeats the epoch and rewrites its line
        text = json.dumps([asdict(epoch) for epoch in self.history], indent=1)
        _replace(self._work / HISTORY, lambda path: path.write_text(text, encoding="utf-8"))
        self._save(LAST, include_optimizer=True)
        self._on_epoch(done)
        self.model.stop_training = self.has_stalled()

    def _last_stage_losses(self) -> list[float]:
        return [epoch.validation_loss for epoch in self.history[self._before_last_stage :]]

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
