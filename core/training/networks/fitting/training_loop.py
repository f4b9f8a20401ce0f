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
from core.training.networks.fitting.checkpoints import BEST, LAST, Checkpoints, read_epochs
from core.training.networks.fitting.optimizer import make_optimizer
from core.training.networks.recipe import Recipe, Schedule

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"

if ON_TENSORFLOW:
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
    on_step: Callable[[int], None] = lambda steps_done: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Fitted:
    """Train a network, going on from the checkpoint in `work` if there is one.

    It begins with random weights. After each epoch `last.keras` (with the optimizer's state) and
    `history.json` are replaced there. In the last stage `best.keras` keeps the network of the best
    epoch (`kept_epoch`), and with a patience the run stops after so many epochs without a better
    one.
    """
    keras.utils.set_random_seed(recipe.seed)
    steps = steps_per_epoch(dataset, recipe)
    if ON_TENSORFLOW:
        tensorflow_speed.compute_convolutions_in_bfloat16()
    resumes = (work / LAST).exists()
    model = load(work / LAST, recipe) if resumes else _fresh(dataset, recipe, steps)
    done = int(model.optimizer.iterations) // steps
    checkpoints = Checkpoints(
        work,
        recipe,
        read_epochs(work)[:done],
        held_out=len(dataset.validation),
        on_step=on_step,
        on_epoch=on_epoch,
    )
    end = 0
    for stage in recipe.stages:
        end += stage.epochs
        if done >= end or checkpoints.has_stalled():
            continue
        photos = whole_photos(dataset, dataset.validation, stage.size)
        model.fit(
            training_batches(dataset, recipe, stage, range(done * steps, end * steps)),
            steps_per_epoch=steps,
            initial_epoch=done,
            epochs=end,
            validation_data=(photos, targets_of(dataset, dataset.validation)),
            validation_batch_size=recipe.batch_size,
            callbacks=[checkpoints],
            shuffle=False,
            verbose=0,
        )
        done = end
    return best_so_far(dataset, recipe, work)


def best_so_far(dataset: Dataset, recipe: Recipe, work: Path) -> Fitted:
    """Load the network of the best epoch, or before the last stage the last one.

    Raises UsageRefused if not one epoch is done.
    """
    path = next((work / name for name in (BEST, LAST) if (work / name).exists()), None)
    if path is None:
        raise UsageRefused("Not one epoch is done: there is nothing to finish with.")
    best = load(path, recipe, compile=False)
    network = build(recipe, best.output.shape[-1])
    network.set_weights(best.get_weights())
    history = read_epochs(work)
    kept = history[-1]
    if path.name == BEST:
        last_stage = history[recipe.epochs_before_last_stage :]
        kept = last_stage[kept_epoch(last_stage, len(dataset.validation))]
    return Fitted(network, tuple(history), kept.number)


def _fresh(dataset: Dataset, recipe: Recipe, steps: int) -> keras.Model:
    outputs = outputs_for(dataset)
    model = for_training(build(recipe, outputs))
    if ON_TENSORFLOW and not recipe.is_own:
        model = tensorflow_speed.with_fused_normalization(model)
    loss: Any
    if outputs == 1:
        loss = keras.losses.BinaryCrossentropy(True, label_smoothing=recipe.label_smoothing)
        accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    else:
        loss = keras.losses.CategoricalCrossentropy(True, label_smoothing=recipe.label_smoothing)
        accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
    rates = _learning_rates(recipe, steps)
    model.compile(
        optimizer=make_optimizer(recipe.optimizer, rates, recipe.weight_decay),
        loss=loss,
        metrics=[accuracy],
        # XLA compiles this net to half the speed on CPUs (measured with TensorFlow 2.21)
        jit_compile=False if ON_TENSORFLOW else "auto",
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
    """Return the number of logits of the classes: one for two, told apart by a sigmoid."""
    return 1 if len(dataset.classes) == 2 else len(dataset.classes)
