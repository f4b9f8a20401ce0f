"""Transfer learning that does not forget: all layers learn the classes, and keep to ImageNet's."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from core.head import Head
from core.labels import PhotoClass, Role
from core.lookahead import map_ahead
from core.preprocessing import Pixels
from core.probabilities import probabilities_from_logits
from core.training.augment import augment
from core.training.dataset import Dataset, Indices
from core.training.networks.composites import composite
from core.training.networks.efficientnet_lite import (
    IMAGENET_CLASSES,
    efficientnet_lite,
    load_imagenet_weights,
)
from core.training.recipe import MILD, WHOLE, Augmentation

LAST = "last.keras"
CURVE = "curve.json"
CHECKPOINT_STEPS = 500
_CLASSES, _IMAGENET = "classes", "imagenet"
_GROUNDS = 12  # photos of neither in each batch, for others to be shown small on

Floats = npt.NDArray[np.float32]
Batch = tuple[Pixels, dict[str, Floats]]


@dataclass(frozen=True, slots=True)
class Transfer:
    """Settings of one training run; stand whole in network.json."""

    network: str = "efficientnet-lite0"
    size: int = 224  # pixels that the trained network serves at
    large_size: int = 192  # pixels: crops show animals larger than whole photos do, by as much
    small_size: int = 160  # pixels, at first: quicker and as good
    small_share: float = 0.6  # of the steps
    whole_share: float = 0.2  # of the steps, the last ones: photos are hardly cropped
    epochs: float = 3.5  # photos seen, as a multiple of those to learn from
    batch_size: int = 64
    learning_rate: float = 5e-4  # at its highest: AdamW, warm-up, then a cosine to nothing
    warmup_share: float = 0.04
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    answers: float = 1.0  # weight of keeping to the answers for ImageNet's classes
    softening: float = 2.0  # temperature of these answers
    composites: float = 0.08  # share of photos put together of two
    source_power: float = 0.5  # a source with n photos is drawn n to this power times
    neither: float = 1.2  # how often neither is drawn, for each of the classes that are filed
    seed: int = 1


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
    sources: Sequence[str],
    settings: Transfer,
    *,
    work: Path,
    on_progress: Callable[[Progress, int], None] = lambda progress, steps: None,
) -> Transferred:
    """Train a network, going on from the checkpoint in `work` if there is one.

    It begins with the weights that were learnt from ImageNet and learns the classes of `dataset`
    and *both* from composites, while it keeps to the answers that it gave before for ImageNet's
    classes, on the very images that it sees: Li and Hoiem, "Learning without Forgetting", 2016.
    Batch normalization stays as it is. `sources` are those of the dataset's photos. Every
    CHECKPOINT_STEPS steps `last.keras` and `curve.json` are replaced.

    Raises ExtraMissing without the weights' package.
    """
    keras.utils.set_random_seed(settings.seed)
    steps = max(1, round(len(dataset.training) * settings.epochs / settings.batch_size))
    model = _resumed(work) or _fresh(settings, len(outputs_for(dataset.classes)), steps)
    done = int(model.optimizer.iterations)
    curve = _read_curve(work)
    teacher = _teacher(settings)
    batches = _with_answers(
        _batches(dataset, sources, settings, range(done, steps), steps), teacher, settings
    )
    while done < steps:
        some = min(CHECKPOINT_STEPS, steps - done)
        begun = time.monotonic()
        losses: list[float] = []
        hits: list[float] = []
        for _ in range(some):
            photos, targets = next(batches)
            logs = model.train_on_batch(photos, targets, return_dict=True)
            losses.append(float(logs["loss"]))
            hits.append(float(logs[f"{_CLASSES}_accuracy"]))
        done += some
        progress = Progress(
            done, float(np.mean(losses)), float(np.mean(hits)), time.monotonic() - begun
        )
        curve.append(progress)
        _save(model, curve, work)
        on_progress(progress, steps)
    kernel, bias = model.get_layer(_CLASSES).get_weights()
    network = keras.Model(model.input, model.get_layer("top_relu6").output)
    return Transferred(network, Head(kernel, bias), tuple(curve))


def outputs_for(classes: Sequence[PhotoClass]) -> tuple[str, ...]:
    """Name what the network learns to tell: the classes, and *both*, which composites show."""
    names = tuple(one.label for one in classes)
    return names if any(one.role is Role.BOTH for one in classes) else (*names, "both")


@keras.saving.register_keras_serializable("catdog")
class KeptAnswers(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """Cross-entropy between softened answers, given as probabilities, and logits."""

    def __init__(self, softening: float, name: str = "kept_answers", **rest: Any) -> None:
        super().__init__(name=name, **rest)
        self.softening = softening

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.categorical_crossentropy(y_true, y_pred / self.softening, from_logits=True)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "softening": self.softening}


def _fresh(settings: Transfer, outputs: int, steps: int) -> keras.Model:
    network, top = _pretrained(settings.network)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False
    pooled = layers.GlobalAveragePooling2D(name="pooled")(network.output)
    classes = layers.Dense(outputs, name=_CLASSES)(layers.Dropout(0.2)(pooled))
    model = keras.Model(network.input, {_CLASSES: classes, _IMAGENET: top(pooled)})
    warmup = max(1, round(settings.warmup_share * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, steps - warmup),
        warmup_target=settings.learning_rate,
        warmup_steps=warmup,
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=settings.weight_decay),
        loss={
            _CLASSES: keras.losses.CategoricalCrossentropy(
                True, label_smoothing=settings.label_smoothing
            ),
            _IMAGENET: KeptAnswers(settings.softening),
        },
        loss_weights={_CLASSES: 1.0, _IMAGENET: settings.answers},
        metrics={_CLASSES: [keras.metrics.CategoricalAccuracy(name="accuracy")]},
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    model.optimizer.build(model.trainable_variables)
    return model


def _pretrained(name: str) -> tuple[keras.Model, layers.Dense]:
    """Build a network with ImageNet's weights, and the layer that names ImageNet's classes."""
    network = efficientnet_lite(name)
    weights = load_imagenet_weights(network, name)
    top = layers.Dense(IMAGENET_CLASSES, name=_IMAGENET)
    top.build((None, network.output.shape[-1]))
    top.set_weights([weights.kernel, weights.bias])
    return network, top


def _teacher(settings: Transfer) -> keras.Model:
    """Build what tells the answers to keep: the network as it was."""
    network, top = _pretrained(settings.network)
    return keras.Model(network.input, top(layers.GlobalAveragePooling2D()(network.output)))


def _with_answers(
    batches: Iterator[tuple[Pixels, Floats]], teacher: keras.Model, settings: Transfer
) -> Iterator[Batch]:
    for photos, targets in batches:
        logits = teacher.predict_on_batch(photos)
        answers = probabilities_from_logits(logits, settings.softening).astype(np.float32)
        yield photos, {_CLASSES: targets, _IMAGENET: answers}


def _batches(
    dataset: Dataset, sources: Sequence[str], settings: Transfer, steps: range, total: int
) -> Iterator[tuple[Pixels, Floats]]:
    """Yield augmented batches and one-hot targets; each follows from the seed and its step."""
    chances = draw_chances(dataset, sources, settings)
    rows = dataset.training
    roles = [one.role for one in dataset.classes]
    is_filed = np.array([role is Role.FILE for role in roles])[dataset.targets]
    neither = rows[~is_filed[rows]]
    outputs = outputs_for(dataset.classes)
    both = outputs.index("both")

    def make(step: int) -> tuple[Pixels, Floats]:
        random = np.random.default_rng((settings.seed, step))
        size = settings.small_size if step < settings.small_share * total else settings.large_size
        whole = step >= (1 - settings.whole_share) * total
        # sorted, so that the decoded photos are read from the file in their order
        drawn = np.sort(random.choice(rows, settings.batch_size, p=chances))
        photos = _augmented(dataset, drawn, neither, size, WHOLE if whole else MILD, random)
        targets = dataset.targets[drawn].copy()
        _put_together(photos, targets, is_filed[drawn], settings.composites, both, random)
        return photos, np.eye(len(outputs), dtype=np.float32)[targets]

    for _, batch in map_ahead(make, steps):
        yield batch


def draw_chances(
    dataset: Dataset, sources: Sequence[str], settings: Transfer
) -> npt.NDArray[np.float64]:
    """Compute how likely each photo to learn from is drawn; they add up to 1.

    Classes are alike but for neither, and within each the sources are more alike than they are
    large.
    """
    own = np.array(sources)[dataset.training]
    classes = dataset.targets[dataset.training]
    chances = np.zeros(len(own))
    for index, one in enumerate(dataset.classes):
        rows = np.flatnonzero(classes == index)
        if not len(rows):
            continue
        _, place, counts = np.unique(own[rows], return_inverse=True, return_counts=True)
        weights = counts[place] ** (settings.source_power - 1.0)
        share = settings.neither if one.role is Role.NEITHER else 1.0
        chances[rows] = share * weights / weights.sum()
    scaled: npt.NDArray[np.float64] = chances / chances.sum()
    return scaled


def _augmented(
    dataset: Dataset,
    rows: Indices,
    neither: Indices,
    size: int,
    augmentation: Augmentation,
    random: np.random.Generator,
) -> Pixels:
    grounds = None
    if len(neither):
        grounds = dataset.pixels[np.sort(random.choice(neither, _GROUNDS))]
    return augment(dataset.pixels[rows], size, augmentation, random, grounds).copy()


def _put_together(
    photos: Pixels,
    targets: Indices,
    filed: npt.NDArray[np.bool_],
    share: float,
    both: int,
    random: np.random.Generator,
) -> None:
    """Replace a share of the photos that are filed by composites, in place.

    Two in three are of two classes, and are of *both* then; the third is of two photos of one
    class, so that a seam alone says nothing.
    """
    alone = photos.copy()
    classes = targets.copy()
    for index in np.flatnonzero(filed & (random.random(len(photos)) < share)):
        same = bool(random.random() < 1 / 3)
        others = np.flatnonzero(filed & ((classes == classes[index]) == same))
        others = others[others != index]
        if not len(others):
            continue
        photos[index] = composite(alone[index], alone[random.choice(others)], random)
        if not same:
            targets[index] = both


def _resumed(work: Path) -> keras.Model | None:
    return keras.models.load_model(work / LAST) if (work / LAST).exists() else None


def _read_curve(work: Path) -> list[Progress]:
    if not (work / CURVE).exists():
        return []
    raw = json.loads((work / CURVE).read_text(encoding="utf-8"))
    return [Progress(**entry) for entry in raw]


def _save(model: keras.Model, curve: list[Progress], work: Path) -> None:
    """Replace the checkpoint so that a killed run leaves the old one or the new one, whole."""
    new = work / f"new-{LAST}"
    model.save(new, include_optimizer=True)
    text = json.dumps([asdict(one) for one in curve], indent=1)
    (work / f"new-{CURVE}").write_text(text, encoding="utf-8")
    (work / f"new-{CURVE}").replace(work / CURVE)
    new.replace(work / LAST)
