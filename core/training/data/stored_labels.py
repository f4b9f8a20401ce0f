"""Labels from the store: those that people gave, and catdog's own guesses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.labels import PhotoClass, in_order
from core.paths import display
from core.store.database import Store, columns_below, from_column
from core.store.feedback_table import Feedback, find_photo, recorded
from core.training.data.labelled import Fault, LabelledFolder, LabelledPhoto


@dataclass(frozen=True, slots=True)
class Corrected:
    """Labelled folders with the labels that people gave besides."""

    labelled: LabelledFolder
    added: int
    missing: int  # labels whose photo is not found any more, or was never kept
    faults: tuple[Fault, ...]  # photos that people do not agree on, or of no class that is learnt


def with_feedback(
    labelled: LabelledFolder, store: Store, known: Sequence[PhotoClass] = ()
) -> Corrected:
    """Add the photos that people labelled in the bot, on the review page, or by moving them.

    Labels count that the folders have, or that `known` classes have. Raises StoreUnusable.
    """
    classes = {one.label: one for one in (*known, *labelled.classes)}
    opinions_on: defaultdict[str, list[Feedback]] = defaultdict(list)  # by SHA-256
    for feedback in recorded(store):
        opinions_on[feedback.sha256].append(feedback)
    label_of = {photo.path.absolute(): photo.label for photo in labelled.photos}
    added: list[LabelledPhoto] = []
    faults: list[Fault] = []
    missing = 0
    for opinions in opinions_on.values():
        photo = next(filter(None, (find_photo(store, one) for one in reversed(opinions))), None)
        if photo is None:
            missing += 1
            continue
        labels = set({one.person: one.label for one in opinions}.values())  # each one's last
        if len(labels) > 1:
            names = " and ".join(sorted(labels))
            faults.append(Fault(photo, f"{display(photo)} was called {names}: it is not used."))
            continue
        (label,) = labels
        if label not in classes:
            faults.append(
                Fault(photo, f"{display(photo)} was called {label}, which is not learnt here.")
            )
        elif label_of.get(photo.absolute()) != label:
            added.append(LabelledPhoto(photo, label))
    photos = (*labelled.photos, *added)
    learnt = labelled.labels | {photo.label for photo in added}
    corrected = replace(
        labelled, photos=photos, classes=in_order(classes[label] for label in learnt)
    )
    return Corrected(corrected, len(added), missing, tuple(faults))


def guesses(labelled: LabelledFolder, store: Store) -> frozenset[Path]:
    """Return the photos that catdog itself filed where they are, and nobody has corrected since.

    Their folder is a guess, not a label. Raises StoreUnusable.
    """
    if labelled.folder is None:
        return frozenset()
    feedback = recorded(store)
    labelled_by_people = {one.sha256 for one in feedback}
    start, end = columns_below(labelled.folder.resolve())
    with store.reading() as db:
        rows = db.execute(
            "SELECT coalesce(found_at, dst) AS path, size, sha256 FROM moves WHERE state = 'done'"
            " AND undoes IS NULL AND label IS NOT NULL AND path >= ? AND path < ?",
            (start, end),
        ).fetchall()
    size_of = {
        from_column(row["path"]): row["size"]
        for row in rows
        if row["sha256"] not in labelled_by_people
    }
    corrected = {one.path for one in feedback if one.path is not None}
    return frozenset(
        photo.path
        for photo in labelled.photos
        if (real := photo.path.resolve()) in size_of
        and real not in corrected
        and _size(real) == size_of[real]
    )


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
