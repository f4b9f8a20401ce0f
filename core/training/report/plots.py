"""Plots, as SVG to be put into pages."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from core.probabilities import Floats
from core.training.dataset import Indices
from core.training.figures import ECE_BINS, AtThreshold

_BLUE, _ORANGE, _GREY = "#2b5d8a", "#c8641e", "#999999"


def coverage_plot(curve: Sequence[AtThreshold], threshold: float) -> str:
    """Plot how much is filed, and how rightly, over thresholds."""
    figure, axes = _figure("threshold", "")
    for key, label, colour in (
        ("coverage", "of what should be filed: filed", _BLUE),
        ("filed_precision", "of those: in the right folder", "black"),
        ("neither_filed", "of neither: filed all the same", _ORANGE),
    ):
        known = [(one.threshold, getattr(one, key)) for one in curve]
        known = [(at, share) for at, share in known if share is not None]
        if known:
            axes.plot(*zip(*known, strict=True), color=colour, label=label, marker=".")
    axes.axvline(threshold, color=_GREY, linestyle=":", label=f"the model's, {threshold:g}")
    axes.set_ylim(0, 1.02)
    axes.legend(loc="center left", frameon=False)
    return _svg(figure)


def reliability_plot(probabilities: Floats, targets: Indices) -> str:
    """Plot how often the likeliest class is right, over the confidence in it."""
    figure, axes = _figure("confidence", "right")
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
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(0, 1.02)
    axes.legend(loc="upper left", frameon=False)
    return _svg(figure)


def _figure(across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return figure, axes


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    found = text.getvalue()
    return found[found.index("<svg") :]  # without the XML declaration, which HTML does not take
