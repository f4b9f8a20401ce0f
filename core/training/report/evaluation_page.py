"""The page that `catdog evaluate --html` writes."""

from __future__ import annotations

from core.pages.templates import render
from core.training.evaluation.examine import Examination
from core.training.report.mistakes import pictures, worst_mistakes
from core.training.report.plots import coverage_plot, reliability_plot, svg

_MOST = 24  # mistakes that are shown


def evaluation_page(examination: Examination) -> str:
    """Write an examination as HTML, with plots and the worst mistakes."""
    manifest = examination.manifest
    predicted = examination.measured.predicted
    return render(
        "core.training.report",
        "evaluation.html.j2",
        scripts=["report.js"],
        it=examination,
        manifest=manifest,
        evaluation=examination.measured.evaluation,
        pets=" and ".join(c.folder for c in manifest.filed),
        coverage=svg(coverage_plot(examination.curve, manifest.filing_thresholds)),
        reliability=svg(reliability_plot(predicted.probabilities, predicted.targets)),
        mistakes=pictures(
            worst_mistakes(predicted, manifest.labels, _MOST), model=manifest.version
        ),
    )
