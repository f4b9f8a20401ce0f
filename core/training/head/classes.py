"""Which classes a head has: those of the model before, those of the photos, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced

import numpy as np

from core.labels import PhotoClass, Role, in_order
from core.model.head import Head
from core.training.data.dataset import Indices
from core.training.evaluation.metrics import Flags
from core.training.head.own_photos import OwnPhotos
from core.training.head.replay import Replay

_RARER = 2.0  # logits


@dataclass(frozen=True, slots=True)
class HeadClasses:
    """The classes of a head to train, and how the replay set's labels stand for them."""

    classes: tuple[PhotoClass, ...]
    added: tuple[str, ...]  # labels that the model before does not have
    dropped: tuple[str, ...]  # labels of its that are no class any more

    def index(self, label: str) -> int:
        """Return the place of a label's class; photos of a dropped class are of neither."""
        labels = [one.label for one in self.classes]
        if label in self.dropped:
            (label,) = (one.label for one in self.classes if one.role is Role.NEITHER)
        return labels.index(label)

    def targets(self, labels: Sequence[str]) -> Indices:
        known = {label: self.index(label) for label in set(labels)}
        return np.array([known[label] for label in labels], dtype=np.intp)


def combine(
    before: Sequence[PhotoClass], own: Sequence[PhotoClass], *, replace: bool = False
) -> HeadClasses:
    """Add the classes of a person's photos to those of the model before.

    With `replace` the classes that are filed are those of the photos alone; photos of the others
    are of neither then, and *both* stays only where two of its classes do.
    """
    known = {one.label: one for one in before}
    added = tuple(one.label for one in own if one.label not in known)
    classes = {**known, **{one.label: one for one in own if one.label in added}}
    dropped: set[str] = set()
    if replace:
        kept = {one.label for one in own}
        dropped = {one.label for one in before if one.role is Role.FILE and one.label not in kept}
        if dropped and "both" not in kept:
            dropped |= {one.label for one in before if one.role is Role.BOTH}
    return HeadClasses(
        in_order(one for label, one in classes.items() if label not in dropped),
        added,
        tuple(sorted(dropped)),
    )


def with_parents(
    classes: HeadClasses, head: Head, before: Sequence[PhotoClass], own: OwnPhotos
) -> HeadClasses:
    """Give each class that is added the parent that its photos were taken for until now.

    It is a kind of that, if that is filed: `tom` is a kind of `cat`.
    """
    made = list(classes.classes)
    labels = [one.label for one in made]
    for column, one in enumerate(made):
        if one.label not in classes.added or one.role is not Role.FILE:
            continue
        parent = before[_taken_for(head, own, column)]
        if parent.role is Role.FILE and parent.label in labels:
            made[column] = replaced(one, parent=parent.parent or parent.label)
    return replaced(classes, classes=tuple(made))


def carried_over(
    head: Head, before: Sequence[PhotoClass], classes: HeadClasses, own: OwnPhotos
) -> Head:
    """Return a head for other classes that knows what the head before knows.

    A class that is added begins as a rare kind of what its photos were taken for until now.
    """
    labels = [one.label for one in before]
    kernel = np.zeros((len(head.kernel), len(classes.classes)), np.float32)
    bias = np.zeros(len(classes.classes), np.float32)
    for column, one in enumerate(classes.classes):
        if one.label in labels:
            index, rarer = labels.index(one.label), 0.0
        else:
            index, rarer = _taken_for(head, own, column), _RARER
        kernel[:, column], bias[column] = head.kernel[:, index], head.bias[index] - rarer
    return Head(kernel, bias)


def _taken_for(head: Head, own: OwnPhotos, column: int) -> int:
    """Return the class that the head before takes the photos of a class for, on the whole."""
    return int(head.logits(own.views[own.targets == column, 0]).mean(axis=0).argmax())


def shows_no_new_kind(replay: Replay, classes: HeadClasses) -> Flags:
    """Return which replay photos show nothing that is now a class of its own: `rabbits/`."""
    added = [one for one in classes.classes if one.label in classes.added]
    kinds = {name.lower().removesuffix("s") for one in added for name in (one.label, one.folder)}
    return np.array(
        [kind.lower().removesuffix("s") not in kinds for kind in replay.kinds], np.bool_
    )
