"""The loss where a model keeps classes of which there is no photo to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

# times the cross-entropy of the labels. Learning from 130 photos of a source left out, four times
# over, weights half of each: with 1 it lost 0.2 to 0.4 points of 1,600 photos held out of other
# sources, with 3 0.0 to 0.2, and without it 0.7; of the source, 4 to 8 photos were gained and 3 to
# 5 lost
_KEEPING = 3.0
_FAR_BELOW = -1e4  # logits: nothing is left of such a class after softmax


@keras.saving.register_keras_serializable("catdog")
class PresentCrossentropy(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """Cross-entropy of logits among the classes that are present, in nats.

    Photos of cats and dogs alone say which is which, and nothing of what is neither. Had they to
    say that too, the network would soon take everything for a cat or a dog: with the loss among
    all classes 238 of 2,808 photos of other sources were lost, and 40 gained. After Ahn et al.,
    "SS-IL: Separated softmax for incremental learning", 2021.
    """

    def __init__(
        self, present: Sequence[bool], label_smoothing: float = 0.0, **options: Any
    ) -> None:
        """`present` tells of each class whether there are photos of it."""
        super().__init__(**options)
        self.present = list(present)
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Compute the loss of each photo from one-hot or soft labels, shape `(n, classes)`."""
        present = ops.cast(ops.convert_to_tensor(self.present), y_pred.dtype)
        smooth = present / ops.sum(present)
        labels = (1 - self.label_smoothing) * y_true + self.label_smoothing * smooth
        logits = y_pred + (1 - present) * _FAR_BELOW
        return keras.losses.categorical_crossentropy(labels, logits, from_logits=True)

    def get_config(self) -> dict[str, Any]:
        """Return what makes this loss, as Keras saves it."""
        return {
            **super().get_config(),
            "present": self.present,
            "label_smoothing": self.label_smoothing,
        }


@keras.saving.register_keras_serializable("catdog")
class KeepingCrossentropy(PresentCrossentropy):
    """The same, and beside it how far the answers are from those of the model before, in nats.

    What the photos do not show is so kept: Li and Hoiem, "Learning without forgetting", 2016.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Compute it from labels and the probabilities before, side by side: `(n, 2 * classes)`."""
        classes = y_pred.shape[-1]
        labels, before = y_true[:, :classes], y_true[:, classes:]
        kept = keras.losses.categorical_crossentropy(before, y_pred, from_logits=True)
        return super().call(labels, y_pred) + _KEEPING * kept


@keras.saving.register_keras_serializable("catdog")
class LabelAccuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc]  # no types
    """The share of photos named right, where the targets are those of `KeepingCrossentropy`."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        super().update_state(y_true[:, : y_pred.shape[-1]], y_pred, sample_weight)
