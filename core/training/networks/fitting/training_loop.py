"""Training itself: one run in stages, with checkpoints that a killed run goes on from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from core.errors import UsageRefused
from core.training.data.dataset import Dataset
from core.training.evaluation.epochs import Epoch, kept_epoch
from core.training.networks.architectures import build, for_training, load
from core.training.networks.fitting.batches import (
    steps_per_epoch,
    targets_of,
    training_batches,
    whole_photos,
)
from core.training.networks.fitting.checkpoints import (
    BEST,
    LAST,
    Keeper,
    epochs_before_last_stage,
    read_history,
)
from core.training.networks.fitting.optimizer import make_optimizer
from core.training.networks.recipe import Recipe, Schedule

if keras.backend.backend() == "tensorflow":
    from core.training.networks.fitting import tensorflow_speed


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained network: images of any size to `logits` and `activation`."""

    network: keras.Model
    history: tuple[Epoch, ...]
    kept: int  # the number of the epoch whose network it is

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
    there. In the last stage `best.keras` keeps the network of the best epoch (`kept_epoch`), and
    with a patience the run stops after so many epochs without a better one.
    """
    if finish:
        return _best_so_far(dataset, recipe, work)
    keras.utils.set_random_seed(recipe.seed)
    steps = steps_per_epoch(dataset, recipe)
    if keras.backend.backend() == "tensorflow":
        tensorflow_speed.compute_convolutions_in_bfloat16()
    model = _resumed(work, recipe) or _fresh(dataset, recipe, steps)
    done = int(model.optimizer.iterations) // steps
    keeper = Keeper(work, recipe, read_history(work)[:done], on_epoch, len(dataset.validation))
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
    return _best_so_far(dataset, recipe, work)


def _best_so_far(dataset: Dataset, recipe: Recipe, work: Path) -> Fitted:
    """Load the network of the best epoch, or before the last stage the last one."""
    path = next((work / name for name in (BEST, LAST) if (work / name).exists()), None)
    if path is None:
        raise UsageRefused("Not one epoch is done: there is nothing to finish with.")
    best = load(path, recipe, compile=False)
    network = build(recipe, best.output.shape[-1])
    network.set_weights(best.get_weights())
    history = read_history(work)
    before = epochs_before_last_stage(recipe)
    last_stage = history[before:]
    kept = (
        history[-1]
        if path.name == LAST
        else (last_stage[kept_epoch(last_stage, len(dataset.validation))])
    )
    return Fitted(network, tuple(history), kept.number)


def _fresh(dataset: Dataset, recipe: Recipe, steps: int) -> keras.Model:
    outputs = outputs_for(dataset)
    model = for_training(build(recipe, outputs))
    if keras.backend.backend() == "tensorflow" and not recipe.is_own:
        model = tensorflow_speed.with_fused_normalization(model)
    loss: Any
    if outputs == 1:
        loss = keras.losses.BinaryCrossentropy(True, label_smoothing=recipe.label_smoothing)
        accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    else:
        loss = keras.losses.CategoricalCrossentropy(True, label_smoothing=recipe.label_smoothing)
        accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
    model.compile(
        optimizer=make_optimizer(
            recipe.optimizer, _learning_rates(recipe, steps), recipe.weight_decay
        ),
        loss=loss,
        metrics=[accuracy],
        # XLA compiles this net to half the speed on CPUs (measured with TensorFlow 2.21)
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    model.optimizer.build(model.trainable_variables)  # a first step that does it is traced twice
    return model


def _learning_rates(recipe: Recipe, steps: int) -> Any:
    """Warm up from nothing, then fall along a cosine to nothing, or stay."""
    warmup = round(recipe.warmup_epochs * steps)
    total = recipe.epochs * steps
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, total - warmup),
        alpha=1.0 if recipe.schedule == Schedule.CONSTANT else 0.0,
        warmup_target=recipe.learning_rate,
        warmup_steps=min(warmup, total - 1),
    )


def outputs_for(dataset: Dataset) -> int:
    """Tell how many logits the classes take: one for two, told apart by a sigmoid."""
    return 1 if len(dataset.classes) == 2 else len(dataset.classes)


def _resumed(work: Path, recipe: Recipe) -> keras.Model | None:
    path = work / LAST
    return load(path, recipe) if path.exists() else None


class _Steps(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Tells how many steps of the whole run are done."""

    def __init__(self, on_step: Callable[[int], None]) -> None:
        super().__init__()
        self._on_step = on_step

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._on_step(int(self.model.optimizer.iterations))
