"""When a photo is looked at again: the first look leaves it in doubt, a closer one may not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.preprocessing import Pixels, Preprocessing, preprocess

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SecondLook:
    """How a photo in doubt is looked at again: mirrored, and larger than at first.

    The weighted mean of both looks' logits counts. In doubt is a photo whose two highest logits
    lie less than `margin` apart at the first look: a temperature fitted later does not change
    which.
    """

    size: int  # pixels, both sides
    stored_size: int  # pixels, as in Preprocessing
    margin: float  # above 0
    weight: float = 0.5  # of the second look's logits, 0 to 1

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"the margin must be above 0. Received: {self.margin}")
        if not 0 <= self.weight <= 1:
            raise ValueError(f"the weight must be 0 to 1. Received: {self.weight}")
        _ = self.preprocessing  # which refuses sizes that cannot be

    @property
    def preprocessing(self) -> Preprocessing:
        return Preprocessing(self.size, self.stored_size)

    def pixels(self, image: Image.Image) -> Pixels:
        """Turn an upright RGB image into what the network sees: as `preprocess`, but mirrored."""
        return preprocess(image, self.preprocessing)[:, ::-1]

    def is_due(self, logits: Logits) -> bool:
        """Tell by the first look's logits, shape `(1, classes)`, or `(1, 1)` for one sigmoid."""
        if logits.shape[-1] == 1:
            return bool(abs(logits[0, 0]) < self.margin)
        second, first = np.sort(logits[0])[-2:]
        return bool(first - second < self.margin)

    def combined(self, first: Logits, second: Logits) -> Logits:
        """Compute the logits that count, of those of both looks, of any shape."""
        combined: Logits = first * np.float32(1 - self.weight) + second * np.float32(self.weight)
        return combined
