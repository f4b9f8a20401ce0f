"""Transfer learning that does not forget: all layers learn the classes, and keep to ImageNet's."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers

from core.labels import PhotoClass, Role
from core.model.head import Floats, Head
from core.model.preprocessing import Pixels
from core.model.probabilities import probabilities_from_logits
from core.runtime.atomic_write import replacing, write_atomically
from core.training.data.dataset import Dataset
from core.training.networks.architectures.efficientnet_lite import (
    IMAGENET_CLASSES,
    efficientnet_lite,
    load_imagenet_weights,
)
from core.training.networks.transfer.drawn_batches import Plan, drawn_batches
from core.training.networks.transfer.transfer_recipe import Transfer

LAST = "last.keras"
CURVE = "curve.json"
CHECKPOINT_STEPS = 500
_CLASSES, _IMAGENET = "classes", "imagenet"


@dataclass(frozen=True, slots=True)
class Progress:
    """What some steps came to."""

    step: int  # done in all
    loss: float
    accuracy: float  # on augmented photos
    seconds: float


@dataclass(frozen=True, slots=True)
class Transferred:
    """A trained network."""

    network: keras.Model  # up to its feature map, for images of any size
    head: Head  # for the classes that `outputs_for` names
    curve: tuple[Progress, ...]


def transfer(
    dataset: Dataset,
    settings: Transfer,
    *,
    work: Path,
    on_progress: Callable[[Progress, int], None] = lambda progress, steps: None,
) -> Transferred:
    """Train a network, going on from the checkpoint in `work` if there is one.

    It begins with the weights that were learnt from ImageNet and learns the classes of `dataset`
    and *both* from composites, while it keeps to the answers that it gave before for ImageNet's
    classes, on the very same images: Li and Hoiem, "Learning without Forgetting", 2016. Batch
    normalization stays as it is. Every CHECKPOINT_STEPS steps `last.keras` and `curve.json` are
    replaced.

    Raises ExtraMissing without the weights' package.
    """
    keras.utils.set_random_seed(settings.seed)
    plan = Plan(settings, len(dataset.training))
    resumes = (work / LAST).exists()
    model = keras.models.load_model(work / LAST) if resumes else _fresh(dataset, settings)
    done = int(model.optimizer.iterations)
    curve = _read_curve(work)
    batches = _batches(dataset, settings, plan, range(done, plan.steps))
    while done < plan.steps:
        some = min(CHECKPOINT_STEPS, plan.steps - done)
        begun = time.monotonic()
        losses: list[float] = []
        hits: list[float] = []
        for step in range(done, done + some):
            photos, targets = next(batches)
            model.optimizer.learning_rate.assign(plan.learning_rate(step))
            logs = model.train_on_batch(photos, targets, return_dict=True)
            losses.append(float(logs["loss"]))
            hits.append(float(logs[f"{_CLASSES}_accuracy"]))
        done += some
        seconds = time.monotonic() - begun
        progress = Progress(done, float(np.mean(losses)), float(np.mean(hits)), seconds)
        curve.append(progress)
        write_atomically(work / CURVE, json.dumps([asdict(one) for one in curve], indent=1))
        with replacing(work / LAST) as path:
            model.save(path, include_optimizer=True)
        on_progress(progress, plan.steps)
    kernel, bias = model.get_layer(_CLASSES).get_weights()
    network = keras.Model(model.input, model.get_layer("top_relu6").output)
    return Transferred(network, Head(kernel, bias), tuple(curve))


def outputs_for(classes: Sequence[PhotoClass]) -> tuple[str, ...]:
    """Return the labels that the network learns: the classes, and *both*, which composites show."""
    names = tuple(one.label for one in classes)
    return names if any(one.role is Role.BOTH for one in classes) else (*names, "both")


def _fresh(dataset: Dataset, settings: Transfer) -> keras.Model:
    network, imagenet = _pretrained(settings)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False
    pooled = layers.GlobalAveragePooling2D(name="pooled")(network.output)
    outputs = len(outputs_for(dataset.classes))
    classes = layers.Dense(outputs, name=_CLASSES)(layers.Dropout(0.2)(pooled))
    softened = layers.Rescaling(1 / settings.softening, name=_IMAGENET)(imagenet(pooled))
    model = keras.Model(network.input, {_CLASSES: classes, _IMAGENET: softened})
    model.compile(
        optimizer=keras.optimizers.AdamW(weight_decay=settings.weight_decay),  # rate: the plan's
        loss={
            _CLASSES: keras.losses.CategoricalCrossentropy(
                True, label_smoothing=settings.label_smoothing
            ),
            _IMAGENET: keras.losses.CategoricalCrossentropy(True),
        },
        loss_weights={_CLASSES: 1.0, _IMAGENET: settings.answers},
        metrics={_CLASSES: [keras.metrics.CategoricalAccuracy(name="accuracy")]},
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    model.optimizer.build(model.trainable_variables)
    return model


def _pretrained(settings: Transfer) -> tuple[keras.Model, layers.Dense]:
    """Build a network with ImageNet's weights, and the layer that names ImageNet's classes."""
    network = efficientnet_lite(settings.network)
    weights = load_imagenet_weights(network, settings.network)
    top = layers.Dense(IMAGENET_CLASSES)
    top.build((None, network.output.shape[-1]))
    top.set_weights([weights.kernel, weights.bias])
    return network, top


def _batches(
    dataset: Dataset, settings: Transfer, plan: Plan, steps: range
) -> Iterator[tuple[Pixels, dict[str, Floats]]]:
    """Yield photos, and for each output of the model what it should say of them.

    For the classes that is one-hot; for ImageNet's it is the softened answers of the teacher, the
    network as it was.
    """
    network, imagenet = _pretrained(settings)
    pooled = layers.GlobalAveragePooling2D()(network.output)
    teacher = keras.Model(network.input, imagenet(pooled))
    labels = outputs_for(dataset.classes)
    one_hot = np.eye(len(labels), dtype=np.float32)
    both = labels.index("both")
    for photos, targets in drawn_batches(dataset, settings, plan, steps, both=both):
        logits = teacher.predict_on_batch(photos)
        answers = probabilities_from_logits(logits, settings.softening).astype(np.float32)
        yield photos, {_CLASSES: one_hot[targets], _IMAGENET: answers}


def _read_curve(work: Path) -> list[Progress]:
    if not (work / CURVE).exists():
        return []
    raw = json.loads((work / CURVE).read_text(encoding="utf-8"))
    return [Progress(**entry) for entry in raw]
