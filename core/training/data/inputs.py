"""What a training learns from: folders, what people said, what catdog guessed; then pixels."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageRefused
from core.model.preprocessing import Preprocessing
from core.paths import display
from core.runtime.console import Console, count_up
from core.store.database import Store
from core.training.data.dataset import Dataset, load
from core.training.data.labelled import LabelledFolder, scan, scan_parts
from core.training.data.stored_labels import guesses, with_feedback, without


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of photos besides the folders, and what of it is used."""

    store: Store | None = None
    feedback: bool = False  # learn from the photos that people labelled, too
    trust_filed: bool = False  # learn from what catdog filed and nobody corrected, too


@dataclass(frozen=True, slots=True)
class Inputs:
    """The photos of a training, before any is opened."""

    labelled: LabelledFolder
    tested: LabelledFolder | None  # measured last, and never before
    guessed: frozenset[Path]  # of those labelled: in a folder that catdog itself chose


def gather(
    data: Path,
    known: Known,
    *,
    console: Console,
    test: Path | None = None,
    leave_out: Collection[str] = (),
    sources: Path | None = None,
) -> Inputs:
    """List what there is to learn from in `data`, and tell of what is added and left out.

    Raises UsageRefused.
    """
    labelled, own_test = scan_parts(data, sources=sources)
    for note in labelled.notes:
        console.say(note)
    test = test or own_test
    if missing := set(leave_out) - {photo.source for photo in labelled.photos}:
        raise UsageRefused(
            f"No photo in {display(data)} is of the source {sorted(missing)[0]!r}: sources stand "
            "in a sources.csv there. Name another with --hold-out."
        )
    labelled, guessed = _with_what_is_known(labelled, known, console)
    tested = scan(test) if test else None
    if tested and not tested.labels <= labelled.labels:
        raise UsageRefused(
            f"{display(tested.folder)} has classes that {display(data)} does not have. Name "
            "another folder with --test."
        )
    return Inputs(labelled, tested, guessed)


def decode(
    inputs: Inputs,
    how: Preprocessing,
    *,
    leave_out: Collection[str] = (),
    holds_out: bool = True,
    work: Path,
    console: Console,
) -> Dataset:
    """Decode the photos and split them, with a line about each that is skipped.

    Raises UsageRefused as `dataset.load`.
    """
    labelled = inputs.labelled
    console.say(
        f"{len(labelled.photos)} photos of {len(labelled.classes)} classes in "
        f"{display(labelled.folder)}"
        + (f", {labelled.not_photos} other files left alone" if labelled.not_photos else "")
    )
    with console.progress("Decoding", len(labelled.photos)) as told:
        dataset = load(
            labelled,
            how,
            work=work,
            leave_out=leave_out,
            never_held_out=inputs.guessed,
            holds_out=holds_out,
            on_photo=count_up(told),
        )
    for fault in dataset.faults:
        console.say(f"Skipped: {fault.reason}")
    parts = [f"{len(dataset.training)} to learn from"]
    if len(dataset.validation):
        parts.append(f"{len(dataset.validation)} held out")
    if len(dataset.left_out):
        parts.append(f"{len(dataset.left_out)} of held-out sources")
    console.say(f"{', '.join(parts)}.")
    return dataset


def _with_what_is_known(
    labelled: LabelledFolder, known: Known, console: Console
) -> tuple[LabelledFolder, frozenset[Path]]:
    """Add what people said and take away what catdog guessed, and tell of both.

    Returns: the photos, and those of them that are guesses all the same.
    """
    if known.store is None:
        return labelled, frozenset()
    guessed = guesses(labelled, known.store)
    if guessed and known.trust_filed:
        console.say(f"{len(guessed)} photos that catdog filed are learnt from, and not held out.")
    elif guessed:
        labelled = without(labelled, guessed)
        console.say(
            f"{len(guessed)} photos that catdog filed are left out: nobody said that they are "
            "right. --trust-filed learns from them, too."
        )
        guessed = frozenset()
    if known.feedback:
        corrected = with_feedback(labelled, known.store)
        labelled = corrected.labelled
        for fault in corrected.faults:
            console.say(f"Skipped: {fault.reason}")
        console.say(
            f"{corrected.added} photos that people labelled are learnt from besides; "
            f"{corrected.missing} are not found any more, or were never kept."
        )
    return labelled, guessed
