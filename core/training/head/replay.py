"""The replay set: embeddings of photos that every head learns from beside a person's own."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.model.head import Floats
from core.model.network import REPLAY, Network
from core.training.data.learnt_photos import read_arrays

if TYPE_CHECKING:
    from core.training.evaluation.metrics import Flags  # brings SciPy, which reading can do without

Strings = npt.NDArray[np.str_]

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Replay:
    """Photos as the network in 8 bits embeds them; n rows."""

    embeddings: npt.NDArray[np.uint8]  # shape (n, channels), in steps of `scales`
    scales: Floats  # shape (channels,)
    labels: Strings
    sources: Strings
    kinds: Strings  # what a photo shows beyond its class, where that is known, else ""
    folds: npt.NDArray[np.int8]  # in which fold it is judged; -1: the network learnt from it

    @property
    def held_out(self) -> Flags:
        """The photos that the network never learnt from."""
        flags: Flags = self.folds >= 0
        return flags

    @property
    def features(self) -> Floats:
        """The embeddings as floats, shape `(n, channels)`."""
        return self.embeddings.astype(np.float32) * self.scales

    def of(self, rows: Flags) -> Replay:
        """Return the replay set of some of the rows."""
        arrays = {name: getattr(self, name) for name in Replay.__slots__}
        return Replay(
            **{name: own if name == "scales" else own[rows] for name, own in arrays.items()}
        )


def write_replay(replay: Replay, network: Network) -> None:
    """Write a replay set beside its network, whose network.json records its SHA-256."""
    path = network.folder / REPLAY
    np.savez_compressed(path, **{name: getattr(replay, name) for name in Replay.__slots__})
    files = {**network.info.files, REPLAY: hashlib.sha256(path.read_bytes()).hexdigest()}
    dataclasses.replace(network.info, files=files).write(network.folder)


def in_steps(features: Floats, scales: Floats) -> npt.NDArray[np.uint8]:
    """Round embeddings, 0 and more, to 8 bits with a scale for each channel."""
    steps: npt.NDArray[np.uint8] = np.clip(np.rint(features / scales), 0, 255).astype(np.uint8)
    return steps


def scales_of(features: Floats) -> Floats:
    """Choose the scale of each channel, so that its largest value is 255."""
    scales: Floats = np.maximum(features.max(axis=0), 1e-3).astype(np.float32) / np.float32(255)
    return scales


def read_replay(network: Network) -> Replay:
    """Read the replay set of a network. Raises ModelRefused."""
    arrays = read_arrays(
        network.folder / REPLAY,
        Replay.__slots__,
        remedy="Install catdog again.",
        sha256=network.info.files.get(REPLAY, ""),
    )
    return Replay(**arrays)
