"""The photos of one training of a head, gathered, decoded and embedded."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from core.model.head import Head
from core.model.registry import UNFINISHED
from core.runtime.console import Console, count_up
from core.training.data.dataset import Dataset
from core.training.data.inputs import Inputs, decode
from core.training.head.base_model import Base
from core.training.head.calibrated import Before, CalibratedHead, fit_calibrated
from core.training.head.classes import HeadClasses, carried_over, shows_no_new_kind, with_parents
from core.training.head.folds import ADDED_DECAY, DECAY, Material
from core.training.head.own_photos import OwnPhotos, embed

FEWEST = 5  # photos of a class below which nothing is promoted: they say too little

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class HeadData:
    """What a head is fitted to, and what it began as."""

    base: Base
    classes: HeadClasses
    inputs: Inputs
    dataset: Dataset
    own: OwnPhotos
    material: Material
    never_learnt: Flags  # of own photos: those in validation/
    judged: Flags  # of own photos: a guess of catdog's own is no label to judge by
    held_out: Flags  # of the replay set's photos that are held out: those that count here

    def fit(self) -> CalibratedHead:
        base, classes = self.base, self.classes

        def carried(head: Head) -> Head:
            return carried_over(head, base.manifest.classes, classes, self.own)

        # threads of BLAS wait for each other more than they work on so little; folds share cores
        with threadpool_limits(1):
            return fit_calibrated(
                self.material,
                Before(carried(base.head), tuple(carried(head) for head in base.seen.heads)),
                self.classes.classes,
                never_learnt=self.never_learnt,
                judged=self.judged,
            )

    def described(self) -> dict[str, Any]:
        """Say what was learnt from, for the manifest."""
        return {
            "fingerprint": self.dataset.fingerprint,
            "files": len(self.inputs.labelled.photos),
            "skipped": len(self.dataset.faults),
            "training": dict(Counter(one.label for one in self.own.photos)),
        }


@contextmanager
def work_folder(models_dir: Path) -> Iterator[Path]:
    """Make a folder on the models' disk for as long as a training takes."""
    unfinished = models_dir / UNFINISHED
    unfinished.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="head-", dir=unfinished))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def prepare(
    base: Base, classes: HeadClasses, inputs: Inputs, *, work: Path, console: Console
) -> HeadData:
    """Decode and embed the photos. Raises UsageRefused if none can be read."""
    dataset = decode(
        inputs, base.network.info.preprocessing, holds_out=False, work=work, console=console
    )
    labels = [photo.label for photo in dataset.photos]
    with console.progress("Embedding", len(labels)) as told:
        own = embed(dataset, base.network, classes.targets(labels), on_photo=count_up(told))
    classes = with_parents(classes, base.head, base.manifest.classes, own)
    rows = np.concatenate([dataset.training, dataset.validation])
    kept = shows_no_new_kind(base.replay, classes)
    replay = base.replay.of(kept)
    return HeadData(
        base=base,
        classes=classes,
        inputs=inputs,
        dataset=dataset,
        own=own,
        material=Material(
            own,
            replay,
            classes.targets(replay.labels.tolist()),
            classes.classes,
            np.array(
                [ADDED_DECAY if one.label in classes.added else DECAY for one in classes.classes],
                np.float32,
            ),
        ),
        never_learnt=np.isin(rows, dataset.validation),
        judged=np.array([one.path not in inputs.guessed for one in own.photos], np.bool_),
        held_out=kept[base.replay.held_out],
    )


def unpromotable(inputs: Inputs, classes: HeadClasses) -> list[str]:
    """Say what keeps a head from being promoted that is known before anything is computed."""
    reasons = []
    if classes.dropped:
        reasons.append(
            f"It leaves out {', '.join(classes.dropped)}, which the current model has: only you "
            "can decide, with --promote."
        )
    counts = Counter(photo.label for photo in inputs.labelled.photos)
    few = [label for label, count in counts.items() if count < FEWEST]
    if few:
        reasons.append(
            f"There are fewer than {FEWEST} photos of {', '.join(sorted(few))}: too few to tell "
            "whether it is any good."
        )
    return reasons
