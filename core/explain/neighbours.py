"""Which photos taught a model: those of a person's own that are nearest to a photo."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import UnreadableImage
from core.explain.answer import Answer
from core.images.decode import open_image, read_photo
from core.model.network import Network, find_network
from core.model.preprocessing import Pixels, preprocess
from core.model.registry import network_folders
from core.training.data.labelled import LabelledPhoto
from core.training.data.learnt_photos import SEEN, read_seen
from core.training.head.replay import read_replay

Floats = npt.NDArray[np.float32]

NEAREST = 8
_CHUNK = 1 << 20  # bytes that are read at once


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A photo that a model learnt from."""

    label: str
    similarity: float  # cosine, -1 to 1
    found_as_labelled: float | None  # probability of its label, by a head that had not seen it
    path: Path | None  # where it is, if that is known


def nearest_of_head(answer: Answer, photos: Iterable[Path]) -> list[Neighbour]:
    """Find the nearest of the photos that a head learnt from.

    `photos` are where to look for their files, which are known by their content. Returns nothing
    for a model that learnt from none of a person's own. Raises ModelRefused.
    """
    folder, manifest = answer.classifier.folder, answer.manifest
    if answer.feature_map is None or manifest.network is None or not (folder / SEEN).exists():
        return []
    seen = read_seen(folder)
    if not len(seen.hashes):
        return []
    network = Network(find_network(manifest.network, network_folders(folder, manifest.network)))
    theirs = seen.embeddings.astype(np.float32) * read_replay(network).scales
    similarity = _cosines(theirs, answer.feature_map.mean(axis=(0, 1)))
    rows = similarity.argsort(kind="stable")[::-1][:NEAREST]
    wanted = {int(seen.hashes[row]): None for row in rows}
    paths = dict(_found(photos, set(wanted)))
    labels = manifest.labels
    return [
        Neighbour(
            label=str(seen.labels[row]),
            similarity=float(similarity[row]),
            found_as_labelled=float(seen.probabilities[row, labels.index(str(seen.labels[row]))]),
            path=paths.get(int(seen.hashes[row])),
        )
        for row in rows
    ]


def nearest_of_folder(
    own: Floats, theirs: Floats, photos: list[tuple[Path, str]]
) -> list[Neighbour]:
    """Find the nearest of photos, with their labels, whose embeddings are known, `(n, units)`."""
    similarity = _cosines(theirs, own)
    rows = similarity.argsort(kind="stable")[::-1][:NEAREST]
    return [Neighbour(photos[row][1], float(similarity[row]), None, photos[row][0]) for row in rows]


def learnt_from(
    photos: Sequence[LabelledPhoto], answer: Answer, *, most: int
) -> tuple[list[tuple[Path, str]], Pixels]:
    """Decode photos that a whole network learnt from, at most so many, spread over all.

    Returns: their files with their labels, n of them, and pixels of shape `(n, size, size, 3)`.
    Photos that are held out by their content, and what cannot be read, are left out.
    """
    from core.training.data.dataset import is_held_out, spread  # needs the extra, as such models do

    how = answer.classifier.preprocessing
    found: list[tuple[Path, str]] = []
    pixels: list[Pixels] = []
    for row in spread(np.arange(len(photos)), most):
        photo = photos[row]
        try:
            content = read_photo(photo.path)
            if is_held_out(hashlib.sha256(content).digest()):
                continue
            pixels.append(preprocess(open_image(content, min_side=how.decoded_side), how))
        except UnreadableImage:
            continue
        found.append((photo.path, photo.label))
    return found, np.array(pixels, np.uint8)


def _cosines(theirs: Floats, own: Floats) -> Floats:
    lengths = np.linalg.norm(theirs, axis=1) * np.linalg.norm(own)
    cosines: Floats = (theirs @ own / np.maximum(lengths, 1e-9)).astype(np.float32)
    return cosines


def _found(photos: Iterable[Path], wanted: set[int]) -> Iterator[tuple[int, Path]]:
    """Look for photos by the first 8 bytes of their SHA-256, until all are found."""
    for path in photos:
        if not wanted:
            return
        try:
            with path.open("rb") as file:
                digest = hashlib.sha256()
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
        except OSError:
            continue  # it is not needed
        short = int.from_bytes(digest.digest()[:8], "big")
        if short in wanted:
            wanted.discard(short)
            yield short, path
