"""Going on from a model that serves, on a person's own photos, without forgetting the others."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import keras

from core.console import Console
from core.manifest import KERAS, Manifest, read_checked, read_manifest
from core.training.architectures import LOGITS, build
from core.training.batches import steps_per_epoch
from core.training.dataset import Dataset
from core.training.fit import Fitted, outputs_for
from core.training.labelled import LabelledFolder
from core.training.progress import fit_with_progress
from core.training.recipe import FINE_TUNE, Recipe

_KEPT = 0.6  # of the weights before
HEAD_EPOCHS = 2
_STEPS_OF_NEW_HEAD = 60
_HEAD_RATE = 4.0  # times the rate of the whole network


def recipe_for(manifest: Manifest, recipe: Recipe = FINE_TUNE) -> Recipe:
    """Make the recipe that goes on from a model: its network and image size, `recipe`'s rest."""
    known = manifest.recipe
    return replace(
        recipe,
        architecture=known.get("architecture", "default"),
        widths=tuple(known["widths"]),
        blocks=tuple(known["blocks"]),
    ).with_image_size(manifest.preprocessing.size)


def with_classes_of(labelled: LabelledFolder, manifest: Manifest) -> LabelledFolder:
    """Keep the model's classes where the photos show no others, so that none is lost."""
    if labelled.labels <= set(manifest.labels):
        return replace(labelled, classes=manifest.classes)
    return labelled


def fine_tune(
    dataset: Dataset,
    recipe: Recipe,
    current: Path,
    *,
    work: Path,
    console: Console,
    finish: bool = False,
) -> Fitted:
    """Go on from the model in the folder `current`, as `head_first` does.

    It learns the answers of the model before, corrected where labels say otherwise (with two
    classes the labels themselves), and the weights are averaged with those before: Wortsman et al.,
    "Robust fine-tuning of zero-shot models", 2022.
    For other classes the last layer is new, and neither is done. Goes on from the checkpoints in
    `work`. Raises ModelRefused.
    """
    before = read_network(current)
    same_classes = has_classes_of(current, dataset)
    start = build(recipe, outputs_for(dataset))
    if same_classes:
        start.set_weights(before.get_weights())
    else:
        _take_over(before, start)
    fitted = head_first(
        dataset,
        recipe,
        start,
        new_head=not same_classes,
        keep=before if keeps_answers(current, dataset) else None,
        work=work,
        console=console,
        finish=finish,
    )
    if same_classes:
        fitted.network.set_weights(
            [
                _KEPT * old + (1 - _KEPT) * new
                for old, new in zip(before.get_weights(), fitted.network.get_weights(), strict=True)
            ]
        )
    return fitted


def has_classes_of(current: Path, dataset: Dataset) -> bool:
    """Tell whether the model in a folder has the classes to learn, and no others."""
    return read_manifest(current).classes == dataset.classes


def keeps_answers(current: Path, dataset: Dataset) -> bool:
    """Tell whether `fine_tune` keeps to the answers of the model in the folder `current`."""
    return has_classes_of(current, dataset) and outputs_for(dataset) > 1


def head_first(
    dataset: Dataset,
    recipe: Recipe,
    start: keras.Model,
    *,
    new_head: bool,
    keep: keras.Model | None = None,
    work: Path,
    console: Console,
    finish: bool = False,
) -> Fitted:
    """Train a network that has learnt before: first its last layer alone, then all of it.

    Batch normalization stays as it is; so do the answers of `keep`, but for those that labels
    correct. A `new_head`, which knows nothing, learns for longer where photos are few.
    """
    epochs = HEAD_EPOCHS
    head = replace(recipe, learning_rate=recipe.learning_rate * _HEAD_RATE, fewest_steps=1)
    if new_head:
        epochs = max(epochs, math.ceil(_STEPS_OF_NEW_HEAD / steps_per_epoch(dataset, head)))
    head = replace(head, stages=(replace(recipe.stages[-1], epochs=epochs),))
    last = _last_layer(start).name
    first = fit_with_progress(
        dataset,
        head,
        work=_made(work / "head"),
        console=console,
        start=start,
        learns=lambda layer: layer.name == last,
        keep=keep,
        finish=finish,
    )
    second = fit_with_progress(
        dataset,
        recipe,
        work=_made(work / "all"),
        console=console,
        start=first.network,
        learns=lambda layer: not isinstance(layer, keras.layers.BatchNormalization),
        keep=keep,
        finish=finish,
    )
    done = len(first.history)
    later = (replace(epoch, number=epoch.number + done) for epoch in second.history)
    return Fitted(second.network, (*first.history, *later))


def read_network(folder: Path) -> keras.Model:
    """Read the network of the model in `folder`. Raises ModelRefused."""
    read_checked(folder, read_manifest(folder), KERAS)  # refuses what is not the manifest's
    return keras.models.load_model(folder / KERAS)


def network_for(recipe: Recipe, folder: Path) -> keras.Model:
    """Read the network of a model, for images of any size if it takes them. Raises ModelRefused."""
    served = read_network(folder)  # for one size
    network = build(recipe, served.output[LOGITS].shape[-1])
    network.set_weights(served.get_weights())
    return network


def _take_over(before: keras.Model, start: keras.Model) -> None:
    """Give a network the weights of another, but for its last layer, which has other outputs."""
    last = _last_layer(start)
    for old, new in zip(before.layers, start.layers, strict=True):
        if new is not last:
            new.set_weights(old.get_weights())


def _last_layer(network: keras.Model) -> keras.layers.Layer:
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)][-1]


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
