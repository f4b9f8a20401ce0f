"""The curves of a training as TensorBoard's logs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.training.history import Epoch

FOLDER = "tensorboard"


def write_tensorboard(history: Sequence[Epoch], folder: Path) -> None:
    """Write `tensorboard/train` and `tensorboard/validation`, laid over each other as Keras's."""
    from tensorboardX import SummaryWriter

    for part in ("train", "validation"):
        with SummaryWriter(str(folder / FOLDER / part)) as writer:
            for epoch in history:
                own = part == "train"
                loss = epoch.loss if own else epoch.validation_loss
                accuracy = epoch.accuracy if own else epoch.validation_accuracy
                writer.add_scalar("epoch_loss", loss, epoch.number)
                writer.add_scalar("epoch_accuracy", accuracy, epoch.number)
