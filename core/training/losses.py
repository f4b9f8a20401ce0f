"""The loss where a model keeps classes of which there is no photo to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

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
class KeptCrossentropy(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """Cross-entropy of logits against the answers beside the labels, in nats.

    These are what `keeping.py` has the model say: what the model before said, where it was right.
    What photos do not show is so kept: Li and Hoiem, "Learning without forgetting", 2016.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Compute it from labels and probabilities side by side, shape `(n, 2 * classes)`."""
        answers = y_true[:, y_pred.shape[-1] :]
        return keras.losses.categorical_crossentropy(answers, y_pred, from_logits=True)


@keras.saving.register_keras_serializable("catdog")
class LabelAccuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc]  # no types
    """The share of photos named right, where the targets are those of `KeptCrossentropy`.

    What has no label does not count.
    """

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """`sample_weight` is not asked for: photos count alike, as they do without it."""
        labels = y_true[:, : y_pred.shape[-1]]
        super().update_state(labels, y_pred, ops.sum(labels, axis=-1))
