"""Embeddings of a person's photos, each in several views."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from core.model.head import Floats
from core.model.network import Network
from core.model.preprocessing import Pixels, squash
from core.runtime.lookahead import map_ahead
from core.training.data.dataset import Dataset, Indices
from core.training.data.labelled import LabelledPhoto
from core.training.data.near_duplicates import Hashes, nearest
from core.training.head.replay import FOLDS

VIEWS = 4  # of each photo; the first is the one that is served
_CROPPED = 0.85  # of each side
_WEBP_QUALITY = 80
_REPLAY_SIDE = 160  # pixels: a square of as many as a photo of 140 pixels on its shorter side


@dataclass(frozen=True, slots=True)
class OwnPhotos:
    """Photos of a person's class folders, n of them."""

    photos: tuple[LabelledPhoto, ...]
    sha256: tuple[str, ...]
    targets: Indices  # of the classes of the head that is trained
    views: Floats  # embeddings, shape (n, VIEWS, channels)
    folds: Indices  # shape (n,): in which fold a photo is judged


def no_photos(channels: int) -> OwnPhotos:
    none = np.zeros(0, np.intp)
    return OwnPhotos((), (), none, np.zeros((0, VIEWS, channels), np.float32), none)


def embed(
    dataset: Dataset,
    network: Network,
    targets: Indices,
    *,
    on_photo: Callable[[], None] = lambda: None,
) -> OwnPhotos:
    """Embed the photos of a dataset, whose pixels are of the network's `stored_size`."""
    rows = np.concatenate([dataset.training, dataset.validation])
    size = network.info.preprocessing.size

    def views_of(row: int) -> Floats:
        photo = Image.fromarray(dataset.pixels[row])
        return np.stack([network.embedding(view) for view in _views(photo, size)])

    views = []
    for _, own in map_ahead(views_of, (int(row) for row in rows)):
        views.append(own)
        on_photo()
    return OwnPhotos(
        photos=tuple(dataset.photos[row] for row in rows),
        sha256=tuple(dataset.sha256[row] for row in rows),
        targets=targets[rows],
        views=np.stack(views),
        folds=_folds([dataset.sha256[row] for row in rows], dataset.difference_hashes[rows]),
    )


def _views(photo: Image.Image, size: int) -> list[Pixels]:
    """Return a photo as served, mirrored, nearer, and scaled and encoded as the replay set's are.

    Photos of one's own are sharp, those of the replay set were small and encoded twice: a head must
    not tell classes by that.
    """
    left, top = ((1 - _CROPPED) / 2 * side for side in photo.size)
    near = photo.resize(
        (size, size),
        Image.Resampling.BILINEAR,
        box=(left, top, photo.width - left, photo.height - top),
    )
    file = io.BytesIO()
    squash(photo, min(_REPLAY_SIDE, photo.width)).save(file, "WEBP", quality=_WEBP_QUALITY)
    again = Image.open(file).convert("RGB")
    whole = squash(photo, size)
    views = (whole, ImageOps.mirror(whole), near, squash(again, size))
    return [np.asarray(view) for view in views]


def _folds(sha256: Sequence[str], hashes: Hashes) -> Indices:
    """Return each photo's fold: by its content, or that of the first that it is nearly the same as.

    So a photo is in the same fold in every training, and what is nearly the same in one.
    """
    folds = np.array([int(one[:8], 16) % FOLDS for one in sha256], dtype=np.intp)
    order = np.argsort(sha256)
    for index in range(1, len(order)):
        row, earlier = order[index], order[:index]
        twin = int(nearest(hashes[row : row + 1], hashes[earlier])[0])
        if twin >= 0:
            folds[row] = folds[earlier[twin]]
    return folds
