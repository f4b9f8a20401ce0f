"""A training's learning curves, to be read off a page, each with what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.pages.charts import Chart, line_chart
from core.training.evaluation.epochs import Epoch
from core.training.report.reading import Reading

_NAMES = ("training", "validation")


@dataclass(frozen=True, slots=True)
class Curve:
    """The curves of accuracy or of loss, in training and validation, and what they say."""

    what: str
    chart: Chart
    finding: str


@dataclass(frozen=True, slots=True)
class Curves:
    """All that a training's epochs came to."""

    accuracy: Curve
    loss: Curve
    epochs: tuple[Epoch, ...]
    kept: int  # number of the epoch whose network was kept


def curves(history: Sequence[Epoch], reading: Reading, kept: int) -> Curves:
    """Draw the curves of a training, of one epoch or more, which are counted from 1."""
    return Curves(
        accuracy=_curve("accuracy", history, kept, reading.of_accuracy),
        loss=_curve("loss", history, kept, reading.of_loss),
        epochs=tuple(history),
        kept=kept,
    )


def _curve(what: str, history: Sequence[Epoch], kept: int, finding: str) -> Curve:
    larger = [
        (after.number, f"{after.size} px")
        for before, after in pairwise(history)
        if after.size != before.size
    ]
    lines = {
        name: [getattr(epoch, f"{prefix}{what}") for epoch in history]
        for name, prefix in zip(_NAMES, ("", "validation_"), strict=True)
    }
    chart = line_chart(
        lines,
        [epoch.number for epoch in history],
        x_title="epoch",
        y_title=what,
        is_share=what == "accuracy",
        marked=(kept, f"best: epoch {kept}"),
        notes=larger,
    )
    return Curve(what, chart, finding)
