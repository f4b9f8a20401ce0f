"""Recipes of networks that are trained from scratch: every setting that shapes what is learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from core.model.preprocessing import Preprocessing, stored_size_for

_SMALLEST = 32  # pixels: a network that halves four times still has two places
# by optimizer, where to start from; that of Muon is the best of several, the others are the usual
LEARNING_RATES = {"muon": 6e-3, "adamw": 2e-3, "adam": 1e-3, "rmsprop": 1e-3, "sgd": 0.1}


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How a training photo is varied each time it is learnt from.

    A crop takes `min_area` to all of the photo, its sides stretched against each other by up to
    `aspect`; `brightness`, `contrast` and `saturation` are the most that a factor moves off 1.
    The others are shares of photos, alike for all classes: `turned` are turned by one to three
    quarters, `shrunk` shown whole but small, on a plain ground or on a photo of neither class.
    `paired` are those of classes that are filed, shown beside one of another such class: what
    they are is half the one and half the other.
    """

    min_area: float
    aspect: float = 1.33
    brightness: float = 0.3
    contrast: float = 0.3
    saturation: float = 0.3
    flip: bool = True
    rotation: float = 0.0  # degrees, at most, either way
    grey: float = 0.0
    turned: float = 0.0
    shrunk: float = 0.0
    sharpened: float = 0.0
    blurred: float = 0.0
    compressed: float = 0.0
    noisy: float = 0.0
    paired: float = 0.0


class Schedule(StrEnum):
    """How the learning rate goes after the warm-up."""

    COSINE = "cosine"  # down to nothing
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Stage:
    """Some epochs at one image size; small first is quicker and as good."""

    size: int  # pixels, both sides
    epochs: int
    augmentation: Augmentation


NONE = Augmentation(
    min_area=1.0, aspect=1.0, brightness=0.0, contrast=0.0, saturation=0.0, flip=False
)
LIGHT = Augmentation(min_area=0.7, aspect=1.2, brightness=0.2, contrast=0.2, saturation=0.2)
MILD = Augmentation(
    min_area=0.5,
    brightness=0.35,
    contrast=0.35,
    saturation=0.35,
    grey=0.05,
    turned=0.2,
    shrunk=0.12,
    sharpened=0.2,
    blurred=0.15,
    compressed=0.1,
    noisy=0.1,
    paired=0.04,
)
CLOSER = replace(MILD, min_area=0.4)
# crops show animals larger than whole photos do; the last epochs make up for that: Touvron et
# al., "Fixing the train-test resolution discrepancy", 2019
WHOLE = replace(MILD, min_area=0.75, turned=0.16, shrunk=0.1)
STRONG = replace(CLOSER, min_area=0.25, brightness=0.5, contrast=0.5, saturation=0.5, turned=0.25)
AUGMENTATIONS = {"none": NONE, "light": LIGHT, "strong": STRONG}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of one training run; stands whole in the manifest of what it makes."""

    name: str = "residual"
    network: str = "residual"  # or FILE.py:FUNCTION, a person's own
    arguments: tuple[tuple[str, Any], ...] = ()  # of that function, by name
    widths: tuple[int, ...] = (48, 96, 192)  # channels, each at half the size
    blocks: tuple[int, ...] = (1, 2, 3)  # of each width, of `residual`
    dense: int | None = None  # units of the layer before the last, of those that have one
    dropout: float | None = None  # wherever a network has some; None: its own
    stages: tuple[Stage, ...] = (
        Stage(64, 12, MILD),
        Stage(96, 12, CLOSER),
        Stage(128, 6, MILD),
        Stage(144, 2, WHOLE),
    )
    batch_size: int = 96
    optimizer: str = "muon"
    learning_rate: float = 6e-3  # at its highest, after the warm-up
    schedule: Schedule = Schedule.COSINE
    warmup_epochs: float = 1.0
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    balance: float = 1.0  # 0: photos count alike; 1: classes do, whatever their numbers
    patience: int | None = None  # epochs of the last stage without a better one; None: all
    seed: int = 1

    @property
    def is_own(self) -> bool:
        """Whether the network is a person's own."""
        return ".py:" in self.network

    @property
    def epochs(self) -> int:
        return sum(stage.epochs for stage in self.stages)

    @property
    def epochs_before_last_stage(self) -> int:
        return self.epochs - self.stages[-1].epochs

    @property
    def size(self) -> int:
        """The image size that the trained model serves at, in pixels."""
        return self.stages[-1].size

    @property
    def stored_size(self) -> int:
        """The size that photos are decoded to once, a little larger than in any stage."""
        return stored_size_for(max(stage.size for stage in self.stages))

    @property
    def preprocessing(self) -> Preprocessing:
        return Preprocessing(self.size, self.stored_size)

    def with_epochs(self, epochs: int) -> Recipe:
        """Stretch or shorten every stage alike; short runs skip the early ones."""
        stages: list[Stage] = []
        done, before = 0, 0
        for stage in self.stages:
            before += stage.epochs
            until = epochs * before // self.epochs
            if until > done:
                stages.append(replace(stage, epochs=until - done))
            done = until
        return replace(self, stages=tuple(stages))

    def with_image_size(self, size: int) -> Recipe:
        """End at another image size, in pixels; smaller stages stay as much smaller."""
        scale = size / self.size
        return replace(
            self,
            stages=tuple(
                replace(stage, size=max(_SMALLEST, round(stage.size * scale)))
                for stage in self.stages
            ),
        )

    def with_batches_for(self, photos: int) -> Recipe:
        """Make batches smaller where there are so few photos that an epoch is hardly a step."""
        if photos >= _FEWEST_STEPS * self.batch_size:
            return self
        return replace(self, batch_size=max(2, photos // _ENOUGH_STEPS))

    def with_augmentation(self, augmentation: Augmentation) -> Recipe:
        """Vary photos in one way in all stages."""
        stages = tuple(replace(stage, augmentation=augmentation) for stage in self.stages)
        return replace(self, stages=stages)


def recipe_from(settings: Mapping[str, Any]) -> Recipe:
    """Read a recipe from what `asdict` made of it, by way of JSON."""
    stages = tuple(
        Stage(**{**stage, "augmentation": Augmentation(**stage["augmentation"])})
        for stage in settings["stages"]
    )
    known: dict[str, Any] = {
        name: tuple(value) if name in ("widths", "blocks") else value
        for name, value in settings.items()
    }
    known["arguments"] = tuple((name, value) for name, value in settings["arguments"])
    known["stages"], known["schedule"] = stages, Schedule(settings["schedule"])
    return Recipe(**known)


RESIDUAL = Recipe()
_FEWEST_STEPS = 4  # of an epoch: with fewer, twenty epochs teach nothing
_ENOUGH_STEPS = 8


def classic(
    network: str,
    size: int = 128,
    widths: tuple[int, ...] = (),
    dense: int | None = None,
    learning_rate: float = 1e-3,
) -> Recipe:
    """Write the recipe that people know: Adam, light variation, every photo alike."""
    return Recipe(
        name=network,
        network=network,
        widths=widths,
        blocks=(),
        dense=dense,
        stages=(Stage(size, 20, LIGHT),),
        optimizer="adam",
        learning_rate=learning_rate,
        weight_decay=0.0,
        label_smoothing=0.0,
        balance=0.0,
        batch_size=64,
    )


RECIPES = {  # by network
    "residual": RESIDUAL,
    "sequential-bn": classic("sequential-bn", 128, (32, 64, 128, 128), 256),
    "vgg-small": classic(
        # a dense layer on so many inputs: at 1e-3 Adam soon has no unit left that answers
        "vgg-small",
        128,
        (32, 64, 128),
        128,
        learning_rate=3e-4,
    ),
    "minimal": classic("minimal", 64, (32,), 128),
}
