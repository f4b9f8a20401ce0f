"""Transfer learning that does not forget: all layers learn the classes, and keep to ImageNet's."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from core.labels import PhotoClass, Role
from core.model.head import Head
from core.model.preprocessing import Pixels
from core.model.probabilities import probabilities_from_logits
from core.runtime.lookahead import map_ahead
from core.training.data.dataset import Dataset, Indices
from core.training.networks.architectures.efficientnet_lite import (
    IMAGENET_CLASSES,
    efficientnet_lite,
    load_imagenet_weights,
)
from core.training.networks.fitting.augment import augment
from core.training.networks.recipe import MILD, WHOLE, Augmentation
from core.training.networks.transfer.composites import composite

LAST = "last.keras"
CURVE = "curve.json"
CHECKPOINT_STEPS = 500
_CLASSES, _IMAGENET = "classes", "imagenet"
_GROUNDS = 12  # photos of neither in each batch, for others to be shown small on

Floats = npt.NDArray[np.float32]
Batch = tuple[Pixels, dict[str, Floats]]


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a training, whose learning rate rises and falls once."""

    epochs: float  # photos seen, as a multiple of those to learn from
    learning_rate: float  # at its highest: a warm-up, then a cosine to nothing
    warmup_steps: int
    sizes: tuple[tuple[float, int], ...]  # (share of the steps, pixels), one after the other
    whole_share: float  # of the steps, the last ones: photos are hardly cropped
    composites: float  # share of photos put together of two
    matched: float  # share of these in which the second takes on colours of the first
    source_power: float  # a source with n photos is drawn n to this power times
    neither: float  # how often neither is drawn, for each of the classes that are filed

    def size(self, share: float) -> int:
        """Give the pixels when so large a share of the steps is done, 0 to 1."""
        for until, size in self.sizes:
            share -= until
            if share < 0:
                return size
        return self.sizes[-1][1]


# Small images are quicker and as good at first; then hard sources count for more, images are as
# large as those that are served, and composites more often and harder to tell from photos.
_STAGES = (
    Stage(
        epochs=3.5,
        learning_rate=5e-4,
        warmup_steps=120,
        sizes=((0.6, 160), (0.4, 192)),
        whole_share=0.2,
        composites=0.08,
        matched=0.0,
        source_power=0.5,
        neither=1.2,
    ),
    Stage(
        epochs=2.5,
        learning_rate=3.5e-4,
        warmup_steps=60,
        sizes=((0.65, 192), (0.35, 224)),
        whole_share=0.25,
        composites=0.14,
        matched=0.7,
        source_power=0.35,
        neither=1.0,
    ),
)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Settings of one training run; stand whole in network.json."""

    network: str = "efficientnet-lite0"
    size: int = 224  # pixels that the trained network serves at
    stored_size: int = 192  # pixels that photos are decoded to
    stages: tuple[Stage, ...] = _STAGES
    batch_size: int = 64
    weight_decay: float = 0.02  # AdamW's
    label_smoothing: float = 0.05
    answers: float = 1.0  # weight of keeping to the answers for ImageNet's classes
    softening: float = 2.0  # temperature of these answers
    seed: int = 1

    @classmethod
    def read(cls, settings: Mapping[str, Any]) -> Transfer:
        """Read settings as JSON keeps them."""
        stages = tuple(
            Stage(**{**stage, "sizes": tuple((share, size) for share, size in stage["sizes"])})
            for stage in settings["stages"]
        )
        return cls(**{**settings, "stages": stages})

    @property
    def epochs(self) -> float:
        return sum(stage.epochs for stage in self.stages)

    def steps(self, photos: int) -> tuple[int, ...]:
        """Count the steps of each stage for so many photos to learn from."""
        return tuple(
            max(1, round(photos * stage.epochs / self.batch_size)) for stage in self.stages
        )

    def changed(
        self,
        *,
        epochs: float | None = None,
        learning_rate: float | None = None,
        size: int | None = None,
    ) -> Transfer:
        """Scale all stages to so many epochs, to a highest rate, to a size that is served."""
        longer = 1.0 if epochs is None else epochs / self.epochs
        highest = max(stage.learning_rate for stage in self.stages)
        faster = 1.0 if learning_rate is None else learning_rate / highest
        larger = 1.0 if size is None else size / self.size
        stages = tuple(
            replace(
                stage,
                epochs=stage.epochs * longer,
                learning_rate=stage.learning_rate * faster,
                sizes=tuple((share, round(pixels * larger)) for share, pixels in stage.sizes),
            )
            for stage in self.stages
        )
        return replace(
            self,
            stages=stages,
            size=size or self.size,
            stored_size=round(self.stored_size * larger),
        )


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
    plan = _Plan(settings, len(dataset.training))
    steps = plan.steps
    model = _resumed(work) or _fresh(settings, len(outputs_for(dataset.classes)))
    done = int(model.optimizer.iterations)
    curve = _read_curve(work)
    teacher = _teacher(settings)
    batches = _with_answers(
        _batches(dataset, sources, settings, plan, range(done, steps)), teacher, settings
    )
    while done < steps:
        some = min(CHECKPOINT_STEPS, steps - done)
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


class _Plan:
    """Which stage each step is of."""

    def __init__(self, settings: Transfer, photos: int) -> None:
        self._stages = list(zip(settings.stages, settings.steps(photos), strict=True))
        self.steps = sum(steps for _, steps in self._stages)

    def at(self, step: int) -> tuple[int, float]:
        """Give the number of a step's stage, and the share of it that is done, 0 to 1."""
        for number, (_, steps) in enumerate(self._stages):
            if step < steps:
                return number, step / steps
            step -= steps
        return len(self._stages) - 1, 1.0

    def learning_rate(self, step: int) -> float:
        number, share = self.at(step)
        stage, steps = self._stages[number]
        done, warmup = share * steps, min(stage.warmup_steps, steps // 2)
        if done < warmup:
            return stage.learning_rate * (done + 1) / warmup
        falling = (done - warmup) / max(1, steps - warmup)
        return stage.learning_rate * 0.5 * (1 + math.cos(math.pi * falling))


def _fresh(settings: Transfer, outputs: int) -> keras.Model:
    network, top = _pretrained(settings.network)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False
    pooled = layers.GlobalAveragePooling2D(name="pooled")(network.output)
    classes = layers.Dense(outputs, name=_CLASSES)(layers.Dropout(0.2)(pooled))
    model = keras.Model(network.input, {_CLASSES: classes, _IMAGENET: top(pooled)})
    model.compile(
        optimizer=keras.optimizers.AdamW(weight_decay=settings.weight_decay),  # rate: _Plan's
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
    dataset: Dataset, sources: Sequence[str], settings: Transfer, plan: _Plan, steps: range
) -> Iterator[tuple[Pixels, Floats]]:
    """Yield augmented batches and one-hot targets; each follows from the seed and its step."""
    chances = [draw_chances(dataset, sources, stage) for stage in settings.stages]
    rows = dataset.training
    roles = [one.role for one in dataset.classes]
    is_filed = np.array([role is Role.FILE for role in roles])[dataset.targets]
    neither = rows[~is_filed[rows]]
    outputs = outputs_for(dataset.classes)
    both = outputs.index("both")

    def make(step: int) -> tuple[Pixels, Floats]:
        number, share = plan.at(step)
        stage = settings.stages[number]
        random = np.random.default_rng((settings.seed, step))
        augmentation = WHOLE if share >= 1 - stage.whole_share else MILD
        # sorted, so that the decoded photos are read from the file in their order
        drawn = np.sort(random.choice(rows, settings.batch_size, p=chances[number]))
        photos = _augmented(dataset, drawn, neither, stage.size(share), augmentation, random)
        targets = dataset.targets[drawn].copy()
        _put_together(photos, targets, is_filed[drawn], stage, both, random)
        return photos, np.eye(len(outputs), dtype=np.float32)[targets]

    for _, batch in map_ahead(make, steps):
        yield batch


def draw_chances(dataset: Dataset, sources: Sequence[str], stage: Stage) -> npt.NDArray[np.float64]:
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
        weights = counts[place] ** (stage.source_power - 1.0)
        share = stage.neither if one.role is Role.NEITHER else 1.0
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
    stage: Stage,
    both: int,
    random: np.random.Generator,
) -> None:
    """Replace a share of the photos that are filed by composites, in place.

    Two in three are of two classes, and are of *both* then; the third is of two photos of one
    class, so that a seam alone says nothing.
    """
    alone = photos.copy()
    classes = targets.copy()
    for index in np.flatnonzero(filed & (random.random(len(photos)) < stage.composites)):
        same = bool(random.random() < 1 / 3)
        others = np.flatnonzero(filed & ((classes == classes[index]) == same))
        others = others[others != index]
        if not len(others):
            continue
        other = alone[random.choice(others)]
        photos[index] = composite(alone[index], other, random, matched=stage.matched)
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
