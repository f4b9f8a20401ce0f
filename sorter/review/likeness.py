"""Photos that look alike, so that a burst takes one key."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

# Cosine of two embeddings, each without the mean of all. Of 240 photos of pets and other things
# each was 0.86 or more (99 of 100) like itself cropped by up to a tenth, turned by 3 degrees,
# brightened and encoded anew; none of 40 others was 0.75 like it.
ALIKE = 0.80
_NEIGHBOURS = 40  # photos before it, in the order of names, that a photo is compared with


def groups_of(
    embeddings: Iterable[tuple[Path, npt.NDArray[np.int8]]], *, alike: float = ALIKE
) -> dict[Path, int]:
    """Return a number for each photo that has one like it, the same for those that are alike.

    `embeddings` are int8 of shape `(channels,)`, in the order of folders and names, in which
    bursts stand together: a photo joins the group of the most similar of those just before it.
    """
    listed = list(embeddings)
    if len(listed) < 2:
        return {}
    mean = np.mean([one for _, one in listed], axis=0, dtype=np.float32)
    recent: deque[tuple[npt.NDArray[np.float32], int]] = deque(maxlen=_NEIGHBOURS)
    group_at: list[int] = []
    for place, (_, embedding) in enumerate(listed):
        centred = embedding.astype(np.float32) - mean
        centred /= max(float(np.linalg.norm(centred)), 1e-6)
        own = place
        if recent:
            cosines = np.stack([one for one, _ in recent]) @ centred
            nearest = int(cosines.argmax())
            if cosines[nearest] >= alike:
                own = recent[nearest][1]
        group_at.append(own)
        recent.append((centred, own))
    sizes = np.bincount(group_at, minlength=len(listed))
    return {
        path: group + 1
        for (path, _), group in zip(listed, group_at, strict=True)
        if sizes[group] > 1
    }
