"""The settings of training on from ImageNet's weights, in stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.model.preprocessing import Preprocessing

PRETRAINED = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")
_SHORTER_SIDE = 140  # pixels: photos to learn from are of one sharpness, whatever their source


@dataclass(frozen=True, slots=True)
class TransferStage:
    """A part of a training, whose learning rate rises and falls once."""

    epochs: float  # photos drawn, as a multiple of those to learn from
    learning_rate: float  # at its highest: a warm-up, then a cosine to nothing
    warmup_steps: int
    sizes: tuple[tuple[float, int], ...]  # (share of the steps, pixels), one after the other
    whole_share: float  # of the steps, the last ones: photos are hardly cropped
    composites: float  # share of photos put together of two
    matched: float  # share of these in which the second takes on colours of the first
    source_power: float  # a source with n photos is drawn n to this power times
    neither: float  # how often neither is drawn, for each of the classes that are filed

    def size(self, share: float) -> int:
        """Return the pixels when so large a share of the steps is done, 0 to 1."""
        for until, size in self.sizes:
            share -= until
            if share < 0:
                return size
        return self.sizes[-1][1]


# Small images are quicker and as good at first; then hard sources count for more, images are as
# large as those that are served, and composites more often and harder to tell from photos.
_STAGES = (
    TransferStage(
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
    TransferStage(
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
    # larger than what it learns on: crops show animals larger than whole photos do (Touvron et al.,
    # "Fixing the train-test resolution discrepancy", 2019)
    size: int = 256  # pixels that the trained network serves at
    stored_size: int = 192  # pixels that photos are decoded to for training
    stages: tuple[TransferStage, ...] = _STAGES
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
            TransferStage(
                **{**stage, "sizes": tuple((share, size) for share, size in stage["sizes"])}
            )
            for stage in settings["stages"]
        )
        return cls(**{**settings, "stages": stages})

    @property
    def epochs(self) -> float:
        return sum(stage.epochs for stage in self.stages)

    @property
    def preprocessing(self) -> Preprocessing:
        """How the photos that are learnt from are stored."""
        return Preprocessing(self.stored_size, self.stored_size, _SHORTER_SIDE)

    @property
    def served(self) -> Preprocessing:
        """How photos are served."""
        return Preprocessing(self.size, self.size)

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
