"""The head: one dense layer from the mean of a feature map to the classes."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import ModelRefused
from core.paths import display

HEAD = "head.npz"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Head:
    """The weights of a head."""

    kernel: Floats  # shape (channels, classes)
    bias: Floats  # shape (classes,)

    def logits(self, features: Floats) -> Floats:
        """Compute logits, shape `(..., classes)`, from features, `(..., channels)`.

        Of the mean of a feature map they are the photo's; of each place they show where in the
        photo a class is: Zhou et al., "Learning Deep Features for Discriminative Localization",
        2016.
        """
        logits: Floats = features @ self.kernel + self.bias
        return logits

    def write(self, folder: Path) -> None:
        np.savez(folder / HEAD, kernel=self.kernel, bias=self.bias)


def read_head(folder: Path, *, channels: int, classes: int) -> Head:
    """Read head.npz of a model's folder.

    Raises ModelRefused if it is missing, damaged, or made for other channels or classes.
    """
    path = folder / HEAD
    try:
        with np.load(path, allow_pickle=False) as arrays:
            head = Head(arrays["kernel"].astype(np.float32), arrays["bias"].astype(np.float32))
    except OSError as error:
        raise ModelRefused(
            f"{display(path)} cannot be read ({error.strerror or error}). Train the model again."
        ) from error
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise ModelRefused(
            f"{display(path)} is damaged ({error}). Train the model again."
        ) from error
    if head.kernel.shape != (channels, classes) or head.bias.shape != (classes,):
        raise ModelRefused(
            f"{display(path)} is for a network of {head.kernel.shape[0]} channels and "
            f"{len(head.bias)} classes; this one has {channels} and {classes}. Train the model "
            "again."
        )
    if not (np.isfinite(head.kernel).all() and np.isfinite(head.bias).all()):
        raise ModelRefused(f"{display(path)} holds no numbers. Train the model again.")
    return head
