"""Photos that are nearly the same: cut a little, scaled or compressed anew."""

from __future__ import annotations

import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image

from core.model.preprocessing import Pixels

Hashes = npt.NDArray[np.uint64]

_NEAR = 3  # of 64 bits that may differ
_FEWEST = 6  # bits that are set, or are not: with fewer, photos are all sky, and all alike
_AT_ONCE = 512


def difference_hash(photo: Pixels) -> int:
    """Compute 64 bits that change little when a photo does: where it gets brighter to the right."""
    bits = imagehash.dhash(Image.fromarray(photo)).hash
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def nearest(hashes: Hashes, among: Hashes) -> npt.NDArray[np.intp]:
    """Search for each photo one of some others that it is nearly the same as.

    Returns: its place in `among`, -1 where there is none.
    """
    found = np.full(len(hashes), -1, dtype=np.intp)
    if not len(among):
        return found
    for first in range(0, len(hashes), _AT_ONCE):
        some = hashes[first : first + _AT_ONCE]
        distances = np.bitwise_count(some[:, np.newaxis] ^ among[np.newaxis])
        closest = distances.argmin(axis=1)
        is_near = distances[np.arange(len(some)), closest] <= _NEAR
        set_bits = np.bitwise_count(some)
        is_telling = (set_bits >= _FEWEST) & (set_bits <= 64 - _FEWEST)
        found[first : first + _AT_ONCE] = np.where(is_near & is_telling, closest, -1)
    return found
