"""Choosing the photos of the replay set, and embedding them with the network in 8 bits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.images.decode import open_image
from core.labels import Role
from core.model.network import Network
from core.model.preprocessing import Pixels, Preprocessing, preprocess
from core.model.probabilities import probabilities_from_logits
from core.runtime.lookahead import map_ahead
from core.training.data.dataset import Dataset, Indices
from core.training.evaluation.metrics import Flags
from core.training.head.fit_head import Samples, fit_head, nothing_known
from core.training.head.replay import FOLDS, Replay, in_steps, scales_of
from core.training.networks.transfer.composites import composite
from core.training.networks.transfer.drawn_batches import draw_chances
from core.training.networks.transfer.learning import outputs_for

FIT, HELD_OUT = 3_000, 3_000  # photos that the network learnt from, and others
_COMPOSITES = 0.12  # of them: two photos in one
_FIRMLY = 0.95  # a label is wrong, if another class is so likely
_DECAY = 1e-3  # of a head that begins with nothing
_SEED = 11


@dataclass(frozen=True, slots=True)
class _Shown:
    """One image of the replay set: a photo, or two put together."""

    row: int
    other: int | None
    label: str


def replay_set(
    dataset: Dataset, network: Network, *, on_photo: Callable[[], None] = lambda: None
) -> Replay:
    """Embed some photos of each class and source that were learnt from, and of those that were not.

    Photos whose labels look wrong are left out: those that a head fitted to the other part firmly
    takes for another class.
    """
    random = np.random.default_rng(_SEED)
    held_out_rows = np.concatenate([dataset.validation, dataset.of_held_out_sources])
    shown = [
        *_choose(dataset, dataset.training, FIT, random),
        *_choose(dataset, held_out_rows, HELD_OUT, random),
    ]
    is_held_out = np.isin([one.row for one in shown], held_out_rows)
    how = network.info.preprocessing
    numbered = list(enumerate(shown))

    def embedding(item: tuple[int, _Shown]) -> npt.NDArray[np.float32]:
        number, one = item
        return network.embedding(_image(dataset, one, how, np.random.default_rng((_SEED, number))))

    features = []
    for _, one in map_ahead(embedding, numbered):
        features.append(one)
        on_photo()
    embeddings = np.stack(features)
    scales = scales_of(embeddings)
    origins = [dataset.photos[one.row] for one in shown]
    replay = Replay(
        embeddings=in_steps(embeddings, scales),
        scales=scales,
        labels=np.array([one.label for one in shown]),
        sources=np.array([origin.source or "" for origin in origins]),
        kinds=np.array(
            [
                origin.kind or "" if one.other is None else ""
                for one, origin in zip(shown, origins, strict=True)
            ]
        ),
        folds=np.where(is_held_out, random.permutation(len(shown)) % FOLDS, -1).astype(np.int8),
    )
    return replay.of(~_wrong_labels(replay, outputs_for(dataset.classes)))


def _choose(
    dataset: Dataset, rows: Indices, most: int, random: np.random.Generator
) -> Iterator[_Shown]:
    """Choose photos: classes alike, neither twice as often, sources more alike than large."""
    filed = [index for index, one in enumerate(dataset.classes) if one.role is Role.FILE]
    chances = draw_chances(dataset, rows, 0.5, {Role.NEITHER: 2.0, Role.BOTH: 2.0})
    number = min(most, len(rows))
    chosen = random.choice(len(rows), number, replace=False, p=chances)
    for index in np.sort(chosen):
        yield _Shown(int(rows[index]), None, dataset.classes[dataset.targets[rows[index]]].label)
    if len(filed) < 2:
        return
    pets = rows[np.isin(dataset.targets[rows], filed)]
    for _ in range(round(_COMPOSITES * number)):
        row, other = (int(one) for one in random.choice(pets, 2, replace=False))
        if dataset.targets[row] == dataset.targets[other]:
            yield _Shown(row, other, dataset.classes[dataset.targets[row]].label)
        else:
            yield _Shown(row, other, "both")


def _image(
    dataset: Dataset, shown: _Shown, how: Preprocessing, random: np.random.Generator
) -> Pixels:
    """Return a photo, or two put together, as served."""

    def served(row: int) -> Pixels:
        return preprocess(open_image(dataset.photos[row].path, min_side=how.decoded_side), how)

    photo = served(shown.row)
    return photo if shown.other is None else composite(photo, served(shown.other), random)


def _wrong_labels(replay: Replay, labels: tuple[str, ...]) -> Flags:
    """Return which labels look wrong, each part judged by a head fitted to the other."""
    targets = np.array([labels.index(label) for label in replay.labels], dtype=np.intp)
    features = replay.features
    wrong = np.zeros(len(targets), np.bool_)
    for judged in (replay.held_out, ~replay.held_out):
        learnt = ~judged
        counts = np.bincount(targets[learnt], minlength=len(labels))
        weights = (1.0 / np.maximum(counts, 1))[targets[learnt]].astype(np.float32)
        head = fit_head(
            Samples(features[learnt], targets[learnt], weights),
            nothing_known(features.shape[1], len(labels)),
            decay=_DECAY,
        )
        probabilities = probabilities_from_logits(head.logits(features[judged]), 1.0)
        firm = probabilities.max(axis=1) >= _FIRMLY
        wrong[judged] = firm & (probabilities.argmax(axis=1) != targets[judged])
    return wrong
