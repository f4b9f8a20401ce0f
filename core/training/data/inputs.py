"""What a training learns from: folders, people's labels, catdog's own guesses; then pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import UsageRefused
from core.labels import PhotoClass
from core.model.preprocessing import Preprocessing
from core.paths import display
from core.runtime.console import Console, count_up
from core.store.database import Store
from core.training.data.dataset import Dataset, load
from core.training.data.labelled import LabelledFolder, scan, scan_parts
from core.training.data.stored_labels import guesses, with_feedback
from core.training.data.train_options import TrainOptions


@dataclass(frozen=True, slots=True)
class TrainContext:
    """Where a training finds what it needs, and writes how it goes."""

    models_dir: Path
    console: Console
    store: Store | None = None


@dataclass(frozen=True, slots=True)
class Inputs:
    """The photos of a training, before any is opened."""

    labelled: LabelledFolder
    tested: LabelledFolder | None  # measured last, and never before
    guessed: frozenset[Path]  # of those labelled: in a folder that catdog itself chose
    held_out_sources: tuple[str, ...]


def gather(
    options: TrainOptions, context: TrainContext, known: Sequence[PhotoClass] = ()
) -> Inputs:
    """List the photos to learn from, with a line about each group that is added or left out.

    `known` are classes that people's labels may be of besides those of the folders. Raises
    UsageRefused.
    """
    if options.data is None:
        own_test, labelled = None, LabelledFolder(None, (), (), not_photos=0)
    else:
        labelled, own_test = scan_parts(options.data)
    for note in labelled.notes:
        context.console.say(note)
    missing = set(options.held_out_sources) - {photo.source for photo in labelled.photos}
    if missing and options.data is not None:
        raise UsageRefused(
            f"No photo in {display(options.data)} is of the source {sorted(missing)[0]!r}: sources "
            "stand in a sources.csv there. Name another with --set hold_out=SOURCE."
        )
    labelled, guessed = _with_stored_labels(labelled, options, context, known)
    if options.with_table is not None:
        labelled = _with_table(labelled, options.with_table, context.console, known)
    if not labelled.photos:
        raise UsageRefused(
            "There are no photos to learn from. Name a folder with class folders, or label some "
            "with `catdog review`, the bot, or by moving what was filed wrongly."
        )
    test = options.test or own_test
    tested = scan(test) if test else None
    if tested and not tested.labels <= labelled.labels:
        raise UsageRefused(
            f"{tested.place} has classes that are not learnt here. Name another folder with --test."
        )
    return Inputs(labelled, tested, guessed, options.held_out_sources)


def _with_table(
    labelled: LabelledFolder, chosen: str, console: Console, known: Sequence[PhotoClass]
) -> LabelledFolder:
    """Add the photos that a table labels, with a line about each that is not used."""
    from core.training.data.archive_labels import with_table

    corrected = with_table(labelled, chosen, known)
    for fault in corrected.faults:
        console.say(f"Skipped: {fault.reason}")
    console.say(
        f"{corrected.added} photos that {chosen} labels are learnt from; {corrected.missing} are "
        "not there."
    )
    return corrected.labelled


def decode(
    inputs: Inputs, how: Preprocessing, *, holds_out: bool = True, work: Path, console: Console
) -> Dataset:
    """Decode the photos and split them, with a line about each that is skipped.

    Raises UsageRefused as `dataset.load`.
    """
    labelled = inputs.labelled
    console.say(
        f"{len(labelled.photos)} photos of {len(labelled.classes)} classes"
        f" in {labelled.place}"
        + (f", {labelled.not_photos} other files left alone" if labelled.not_photos else "")
    )
    with console.progress("Decoding", len(labelled.photos)) as on_progress:
        dataset = load(
            labelled,
            how,
            work=work,
            held_out_sources=inputs.held_out_sources,
            never_held_out=inputs.guessed,
            holds_out=holds_out,
            on_photo=count_up(on_progress),
        )
    for fault in dataset.faults:
        console.say(f"Skipped: {fault.reason}")
    parts = [f"{len(dataset.training)} to learn from"]
    if len(dataset.validation):
        parts.append(f"{len(dataset.validation)} held out")
    if len(dataset.of_held_out_sources):
        parts.append(f"{len(dataset.of_held_out_sources)} of held-out sources")
    console.say(f"{', '.join(parts)}.")
    return dataset


def _with_stored_labels(
    labelled: LabelledFolder,
    options: TrainOptions,
    context: TrainContext,
    known: Sequence[PhotoClass],
) -> tuple[LabelledFolder, frozenset[Path]]:
    """Add the photos that people labelled, and take away those that catdog filed by itself.

    Returns: the photos, and those of them that are guesses all the same.
    """
    console, store = context.console, context.store
    if store is None:
        return labelled, frozenset()
    guessed = guesses(labelled, store)
    if guessed and options.trust_filed:
        console.say(f"{len(guessed)} photos that catdog filed are learnt from, and not held out.")
    elif guessed:
        kept = tuple(photo for photo in labelled.photos if photo.path not in guessed)
        labelled = replace(labelled, photos=kept)
        console.say(
            f"{len(guessed)} photos that catdog filed are left out: nobody said that they are "
            "right. --trust-filed learns from them, too."
        )
        guessed = frozenset()
    if options.with_feedback:
        corrected = with_feedback(labelled, store, known)
        labelled = corrected.labelled
        for fault in corrected.faults:
            console.say(f"Skipped: {fault.reason}")
        console.say(
            f"{corrected.added} photos that people labelled are learnt from besides; "
            f"{corrected.missing} are not found any more, or were never kept."
        )
    return labelled, guessed
