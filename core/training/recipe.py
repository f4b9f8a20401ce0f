"""The recipe that makes the default model: every setting that shapes what is learnt."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How a training photo is varied each time it is seen.

    A crop takes `min_area` to all of the photo, its sides stretched against each other by up to
    `aspect`; `brightness`, `contrast` and `saturation` are the most that a factor moves off 1.
    The others are shares of photos, alike for all classes: `turned` are turned by one to three
    quarters, `shrunk` shown whole but small, on a plain ground or on a photo of neither class.
    """

    min_area: float
    aspect: float = 1.33
    brightness: float = 0.3
    contrast: float = 0.3
    saturation: float = 0.3
    flip: bool = True
    grey: float = 0.0
    turned: float = 0.0
    shrunk: float = 0.0
    sharpened: float = 0.0
    blurred: float = 0.0
    compressed: float = 0.0
    noisy: float = 0.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Some epochs at one image size; small first is quicker and as good."""

    size: int  # pixels, both sides
    epochs: int
    augmentation: Augmentation


MILD = Augmentation(
    min_area=0.5,
    brightness=0.35,
    contrast=0.35,
    saturation=0.35,
    grey=0.05,
    turned=0.12,
    shrunk=0.08,
    sharpened=0.2,
    blurred=0.15,
    compressed=0.1,
    noisy=0.1,
)
STRONGER = replace(MILD, min_area=0.4)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of one training run; stands whole in the manifest of what it makes."""

    name: str = "default"
    widths: tuple[int, ...] = (48, 96, 192)  # channels, each at half the one before's size
    blocks: tuple[int, ...] = (1, 2, 3)  # of each width
    stages: tuple[Stage, ...] = (Stage(64, 12, MILD), Stage(96, 14, STRONGER), Stage(128, 12, MILD))
    batch_size: int = 96
    learning_rate: float = 6e-3  # at its highest: warm-up, then a cosine to nothing
    warmup_epochs: float = 1.0
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    kinds_weight: float = 0.08  # of the loss of kinds, where some are given
    patience: int = 5  # epochs of the last stage without a lower validation loss
    seed: int = 1

    @property
    def epochs(self) -> int:
        return sum(stage.epochs for stage in self.stages)

    @property
    def size(self) -> int:
        """The image size that the trained model serves at, in pixels."""
        return self.stages[-1].size

    @property
    def stored_size(self) -> int:
        """The size that photos are decoded to once, a little larger than is ever looked at."""
        return max(stage.size for stage in self.stages) * 9 // 8

    def with_epochs(self, epochs: int) -> Recipe:
        """Stretch or shorten every stage alike; short runs skip the early ones."""
        if epochs < 1:
            raise ValueError(f"a training run takes at least 1 epoch. Received: {epochs}")
        stages: list[Stage] = []
        done, before = 0, 0
        for stage in self.stages:
            before += stage.epochs
            until = epochs * before // self.epochs
            if until > done:
                stages.append(replace(stage, epochs=until - done))
            done = until
        return replace(self, stages=tuple(stages))


DEFAULT = Recipe()
