"""Plots of a training and of a model."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from core.model.probabilities import Floats
from core.training.data.dataset import Indices
from core.training.evaluation.epochs import Epoch
from core.training.evaluation.metrics import ECE_BINS, AtThreshold

_BLUE, _ORANGE, _GREY = "#2b5d8a", "#c8641e", "#999999"
_OF_PAGE = {
    _BLUE: "var(--one)",
    _ORANGE: "var(--two)",
    _GREY: "var(--dim)",
    "#000000": "currentColor",
}


def history_plot(history: Sequence[Epoch], what: str, kept: int) -> Figure:
    """Plot `loss` or `accuracy` over the epochs, with image sizes and the epoch that was kept."""
    figure, axes = _figure("epoch", what, shares_up=what == "accuracy")
    epochs = [epoch.number for epoch in history]
    learnt = [getattr(epoch, what) for epoch in history]
    held_out = [getattr(epoch, f"validation_{what}") for epoch in history]
    axes.plot(epochs, learnt, color=_BLUE, marker=".", label="learnt from, varied")
    axes.plot(epochs, held_out, color=_ORANGE, marker=".", label="held out")
    axes.plot([kept], [held_out[kept - 1]], color=_ORANGE, marker="o", ls="", ms=9, label="kept")
    for before, after in pairwise(history):
        if after.size != before.size:
            axes.axvline(before.number + 0.5, color=_GREY, linestyle=":")
            top = axes.get_ylim()[1]
            axes.text(before.number + 0.7, top, f"{after.size} px", va="top", size=8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    return figure


def confusion_plot(confusion: Mapping[str, Mapping[str, int]]) -> Figure:
    """Plot what was taken for what; the darker, the larger the share of its row."""
    labels = list(confusion)
    counts = np.array([[confusion[label][other] for other in labels] for label in labels])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 1.6 + 0.7 * len(labels)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(counts.shape):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("taken for")
    axes.set_ylabel("what it is")
    return figure


def roc_plot(probabilities: Floats, targets: Indices, labels: Sequence[str]) -> Figure:
    """Plot, for each class against the others, what is found over what is wrongly taken for it."""
    figure, axes = _figure("of the others: taken for it", "of it: found", shares_across=True)
    for index, label in enumerate(labels):
        own = targets == index
        if own.any() and not own.all():
            wrong, found, _ = roc_curve(own, probabilities[:, index])
            area = roc_auc_score(own, probabilities[:, index])
            axes.plot(wrong, found, label=f"{label}, area {area:.3f}")
    axes.legend(loc="lower right", frameon=False)
    return figure


def precision_recall_plot(probabilities: Floats, targets: Indices, labels: Sequence[str]) -> Figure:
    """Plot, for each class against the others, precision over recall."""
    figure, axes = _figure("recall", "precision", shares_across=True)
    for index, label in enumerate(labels):
        own = targets == index
        if own.any():
            precision, recall, _ = precision_recall_curve(own, probabilities[:, index])
            axes.plot(recall, precision, label=label)
    axes.set_ylim(0, 1.02)
    axes.legend(loc="lower left", frameon=False)
    return figure


def coverage_plot(curve: Sequence[AtThreshold], thresholds: Mapping[str, float]) -> Figure:
    """Plot how much is filed, and how rightly, over thresholds, with those of the classes."""
    figure, axes = _figure("threshold", "")
    for key, label, colour in (
        ("coverage", "of what should be filed: filed", _BLUE),
        ("filed_precision", "of those: in the right folder", "black"),
        ("false_filing_rate", "of neither: filed all the same", _ORANGE),
    ):
        known = [(one.threshold, getattr(one, key)) for one in curve]
        known = [(at, share) for at, share in known if share is not None]
        if known:
            axes.plot(*zip(*known, strict=True), color=colour, label=label, marker=".")
    for label, threshold in thresholds.items():
        axes.axvline(threshold, color=_GREY, linestyle=":", label=f"{label}'s, {threshold:g}")
    axes.set_ylim(0, 1.02)
    axes.legend(loc="center left", frameon=False)
    return figure


def reliability_plot(probabilities: Floats, targets: Indices) -> Figure:
    """Plot how often the likeliest class is right, over the confidence in it."""
    figure, axes = _figure("confidence", "right", shares_across=True)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    bins = np.minimum((confidence * ECE_BINS).astype(np.intp), ECE_BINS - 1)
    counts = np.bincount(bins, minlength=ECE_BINS)
    filled = counts > 0
    means = np.bincount(bins, weights=confidence, minlength=ECE_BINS)[filled] / counts[filled]
    shares = np.bincount(bins, weights=right, minlength=ECE_BINS)[filled] / counts[filled]
    axes.plot((0, 1), (0, 1), color=_GREY, linestyle=":", label="as sure as it is right")
    axes.plot(means, shares, color=_BLUE, label="this model")
    # the larger a dot, the more photos
    axes.scatter(means, shares, s=12 + 300 * counts[filled] / counts.sum(), color=_BLUE, alpha=0.6)
    axes.set_xlim(min(0.3, float(means.min()) - 0.02), 1.02)
    axes.set_ylim(0, 1.02)
    axes.legend(loc="upper left", frameon=False)
    return figure


def _figure(
    across: str, up: str, *, shares_across: bool = False, shares_up: bool = True
) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if shares_across:
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    if shares_up:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    return figure, axes


def svg(figure: Figure) -> str:
    """Write a plot as an SVG element, to stand in HTML, in the colours of the page."""
    text = io.StringIO()
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    figure.savefig(text, format="svg", metadata={"Date": None})
    found = text.getvalue()
    for colour, own in _OF_PAGE.items():
        found = found.replace(colour, own)
    return found[found.index("<svg") :]  # without the XML declaration, which HTML does not take
