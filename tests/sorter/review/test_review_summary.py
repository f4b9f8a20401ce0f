"""What a review says of the model, and the threshold that would have filed the same."""

from __future__ import annotations

from pathlib import Path

from sorter.review.decisions import Decision
from sorter.review.review_summary import summary_of

FILED = frozenset({"cat", "dog"})


def decision(label: str, guess: str | None, confidence: float | None) -> Decision:
    return Decision(
        "r", Path("f"), Path("p"), 1, 1, label, True, "s", model_label=guess, confidence=confidence
    )


def test_the_threshold_files_the_most_with_none_wrong() -> None:
    said = [
        decision("cat", "cat", 0.95),
        decision("dog", "dog", 0.9),
        decision("cat", "dog", 0.8),
        decision("cat", "cat", 0.7),
        decision("other", "other", 0.9),
        decision("dog", None, None),
    ]
    summary = summary_of(said, FILED)
    assert (summary.answers, summary.guesses, summary.right) == (6, 5, 4)
    assert (summary.threshold, summary.filed, summary.wrong) == (0.9, 2, 0)


def test_where_the_surest_guess_is_wrong_there_is_no_threshold() -> None:
    summary = summary_of([decision("cat", "dog", 0.9), decision("cat", "cat", 0.8)], FILED)
    assert summary.threshold is None


def test_nothing_said_is_nothing_known() -> None:
    assert summary_of([], FILED).guesses == 0
