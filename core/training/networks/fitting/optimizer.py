"""The optimizers: Keras's, and its Muon made to take convolutions."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from core.training.networks.recipe import LEARNING_RATES


def make_optimizer(
    name: str, learning_rate: Any, weight_decay: float
) -> keras.optimizers.Optimizer:
    """Make the optimizer of that name; `learning_rate` may be a schedule.

    Weight decay is decoupled (Loshchilov and Hutter, 2019) for `muon` and `adamw`; the others, as
    people know them, have none.
    """
    match name:
        case "muon":
            return ConvolutionMuon(
                learning_rate, weight_decay=weight_decay, adam_weight_decay=weight_decay
            )
        case "adamw":
            return keras.optimizers.AdamW(learning_rate, weight_decay=weight_decay)
        case "adam":
            return keras.optimizers.Adam(learning_rate)
        case "rmsprop":
            return keras.optimizers.RMSprop(learning_rate)
        case "sgd":
            return keras.optimizers.SGD(learning_rate, momentum=0.9, nesterov=True)
    raise ValueError(f"there are the optimizers {', '.join(LEARNING_RATES)}. Received: {name}")


@keras.saving.register_keras_serializable("catdog")
class ConvolutionMuon(keras.optimizers.Muon):  # type: ignore[misc]  # Keras has no types
    """Muon for the kernels of convolutions, taken as matrices; AdamW for everything else.

    Keras's own takes matrices alone, which here is only the last layer, the one that Muon does
    not suit. A kernel of shape `(h, w, in, out)` counts as `(h * w * in, out)`: Jordan, "Muon: An
    optimizer for hidden layers in neural networks", 2024. Updates are scaled to the size of
    AdamW's (Liu et al., "Muon is Scalable for LLM Training", 2025), so that both share one
    learning rate and one weight decay.
    """

    def _should_use_adamw(self, variable: Any) -> bool:
        return len(variable.shape) != 4

    def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        direction = ops.add(gradient, self.momentum * m) if self.nesterov else m
        matrix = ops.reshape(direction, (-1, variable.shape[-1]))
        update = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, ops.reshape(update, variable.shape))
