"""The photos of one training of a head: gathered, decoded, embedded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.runtime.console import Console, count_up
from core.training.data.dataset import Dataset
from core.training.data.inputs import Inputs, TrainContext, decode, gather
from core.training.data.train_options import TrainOptions
from core.training.head.base_model import Base, read_base
from core.training.head.classes import HeadClasses, combine, shows_no_new_kind, with_parents
from core.training.head.material import ADDED_DECAY, DECAY, Material
from core.training.head.own_photos import embed
from core.training.model_folders import work_folder
from core.training.one_progress import one_progress

_FEWEST = 5  # photos of a class below which nothing is promoted: they say too little


@dataclass(frozen=True, slots=True)
class HeadData:
    """What a head is fitted to, and what it began as."""

    base: Base
    classes: HeadClasses
    inputs: Inputs
    dataset: Dataset
    material: Material
    work: Path  # a folder for as long as the training takes
    console: Console


@contextmanager
def prepared(
    options: TrainOptions, context: TrainContext, *, warns: bool = False
) -> Iterator[HeadData]:
    """Gather, decode and embed the photos, all under one progress bar.

    With `warns` a line each says what is known to keep the head from serving before anything is
    computed. Raises UsageRefused for data that cannot be learnt from, and ModelRefused.
    """
    base = read_base(context.models_dir)
    known = base.manifest.classes if options.classes == "add" else ()
    inputs = gather(options, context, known)
    classes = combine(
        base.manifest.classes, inputs.labelled.classes, replace=options.classes == "replace"
    )
    if warns:
        for reason in unpromotable(inputs, classes):
            context.console.say(f"It will not serve by itself. {reason}")
    photos = len(inputs.labelled.photos)
    shares = {  # in photos that are decoded
        "Decoding": photos,
        "Embedding": 1.5 * photos,
        "Fitting": 0.5 * photos + 500.0,
        "Testing": len(inputs.tested.photos) if inputs.tested else 0.0,
    }
    with (
        work_folder(context.models_dir) as work,
        one_progress(context.console, "Training", shares) as console,
    ):
        yield _prepared(base, classes, inputs, work, console)


def _prepared(
    base: Base, classes: HeadClasses, inputs: Inputs, work: Path, console: Console
) -> HeadData:
    how = base.network.info.preprocessing
    dataset = decode(inputs, how, holds_out=False, work=work, console=console)
    labels = [photo.label for photo in dataset.photos]
    with console.progress("Embedding", len(labels)) as on_progress:
        targets = classes.targets(labels)
        own = embed(dataset, base.network, targets, on_photo=count_up(on_progress))
    classes = with_parents(classes, base.head, base.manifest.classes, own)
    rows = np.concatenate([dataset.training, dataset.validation])
    kept = shows_no_new_kind(base.replay, classes)
    replay = base.replay.of(kept)
    decays = [ADDED_DECAY if one.label in classes.added else DECAY for one in classes.classes]
    material = Material(
        own,
        replay,
        classes.targets(replay.labels.tolist()),
        classes.classes,
        np.array(decays, np.float32),
        never_learnt=np.isin(rows, dataset.validation),
        judged=np.array([one.path not in inputs.guessed for one in own.photos], np.bool_),
        held_out_rows=kept[base.replay.held_out],
    )
    return HeadData(base, classes, inputs, dataset, material, work, console)


def unpromotable(inputs: Inputs, classes: HeadClasses) -> list[str]:
    """Return what keeps a head from being promoted that is known before anything is computed."""
    reasons = []
    if classes.dropped:
        reasons.append(
            f"It leaves out {', '.join(classes.dropped)}, which the current model has: only you "
            "can decide, with --promote."
        )
    counts = Counter(photo.label for photo in inputs.labelled.photos)
    few = [label for label, count in counts.items() if count < _FEWEST]
    if few:
        reasons.append(
            f"There are fewer than {_FEWEST} photos of {', '.join(sorted(few))}: too few to tell "
            "whether it is any good."
        )
    return reasons
