"""What a review came to: how often the model was right, and from which confidence on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sorter.review.decisions import Decision


@dataclass(frozen=True, slots=True)
class ReviewSummary:
    """The answers of a review so far."""

    answers: int
    guesses: int  # of them, those for which the model had a guess
    right: int  # of these, those that the person agreed with
    threshold: float | None  # the lowest that would have filed no photo wrongly, 0 to 1
    filed: int  # with that threshold, and none of them wrongly unless `wrong` says so
    wrong: int


def summary_of(done: Sequence[Decision], filed_labels: frozenset[str]) -> ReviewSummary:
    """Return what the decisions say of the model's guesses.

    The threshold is the one that files the most of what the model guessed rightly, among those
    that file at most one in a hundred wrongly.
    """
    guessed = [one for one in done if one.model_label is not None and one.confidence is not None]
    right = sum(one.model_label == one.label for one in guessed)
    best: tuple[float | None, int, int] = (None, 0, 0)
    wrong = 0
    candidates = [one for one in guessed if one.model_label in filed_labels]
    candidates.sort(key=lambda one: -(one.confidence or 0.0))
    for filed, one in enumerate(candidates, start=1):
        wrong += one.model_label != one.label
        if wrong * 100 <= filed and one.model_label == one.label:
            best = (one.confidence, filed, wrong)
    return ReviewSummary(len(done), len(guessed), right, *best)
