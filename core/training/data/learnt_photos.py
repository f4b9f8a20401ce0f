"""seen.npz: what a head learnt from, and how heads that did not learn from it judged it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ModelRefused
from core.model.head import Head
from core.paths import display

SEEN = "seen.npz"
_HASH_BYTES = 8  # of a photo's SHA-256


@dataclass(frozen=True, slots=True)
class Seen:
    """Photos that a head learnt from, n of them, and the replay set's m that are held out.

    By these a later head is compared with this one on photos from which neither learnt.
    """

    hashes: npt.NDArray[np.uint64]  # shape (n,)
    labels: npt.NDArray[np.str_]  # shape (n,)
    probabilities: npt.NDArray[np.float32]  # out of fold, shape (n, classes)
    embeddings: npt.NDArray[np.uint8]  # shape (n, channels), in the replay set's steps
    held_out: npt.NDArray[np.float32]  # out of fold, shape (m, classes); NaN where none was made
    kernels: npt.NDArray[np.float32]  # of the heads of the folds, shape (FOLDS, channels, classes)
    biases: npt.NDArray[np.float32]  # shape (FOLDS, classes)

    @property
    def heads(self) -> tuple[Head, ...]:
        """The heads of the folds: what a later training's folds begin with."""
        return tuple(Head(*one) for one in zip(self.kernels, self.biases, strict=True))

    def write(self, folder: Path) -> None:
        np.savez_compressed(folder / SEEN, **{name: getattr(self, name) for name in Seen.__slots__})


def read_seen(folder: Path) -> Seen:
    """Read what the head of a model's folder learnt from. Raises ModelRefused."""
    remedy = "Install catdog again, or train again."
    return Seen(**read_arrays(folder / SEEN, Seen.__slots__, remedy=remedy))


def read_arrays(
    path: Path, names: Iterable[str], *, remedy: str, sha256: str | None = None
) -> dict[str, npt.NDArray[Any]]:
    """Read arrays of an .npz file, which may be known by its SHA-256. Raises ModelRefused."""
    try:
        content = path.read_bytes()
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError("it is not the file that network.json names")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except OSError as error:
        raise ModelRefused(
            f"{display(path)} cannot be read ({error.strerror or error}). {remedy}"
        ) from error
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise ModelRefused(f"{display(path)} is damaged ({error}). {remedy}") from error


def short_hashes(sha256: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Shorten SHA-256s in hexadecimal to their first 8 bytes."""
    return np.array([int(one[: 2 * _HASH_BYTES], 16) for one in sha256], dtype=np.uint64)


def learnt_from(folder: Path, sha256: Sequence[str]) -> int:
    """Count the photos, by their SHA-256 in hexadecimal, that a model's head learnt from."""
    if not (folder / SEEN).exists():  # a whole network does not say
        return 0
    return int(np.isin(short_hashes(sha256), read_seen(folder).hashes).sum())
