"""The report of a training: a page, plots and figures in files, beside the model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.model.manifest import Manifest
from core.pages.templates import render
from core.runtime.durations import duration
from core.training.data.labelled import Fault
from core.training.evaluation.comparison import Comparison
from core.training.evaluation.epochs import Epoch
from core.training.evaluation.measure import Predicted
from core.training.evaluation.metrics import Evaluation, at_thresholds
from core.training.report.curves import curves
from core.training.report.mistakes import Mistake, most_unsure, pictures, worst_mistakes
from core.training.report.plots import (
    confusion_plot,
    coverage_plot,
    history_plot,
    precision_recall_plot,
    reliability_plot,
    roc_plot,
    svg,
)
from core.training.report.reading import read_history

REPORT = "report.html"
METRICS = "metrics.json"
PLOTS = "plots"
_MOST = 24  # mistakes, and as many photos that it is unsure of
_MOST_FAULTS = 200
_MOST_SUSPICIOUS = 48
_FEWEST = 20  # photos of each class, from which on a curve says anything of it
_THRESHOLDS = [number / 100 for number in range(50, 100, 5)]


@dataclass(frozen=True, slots=True)
class Training:
    """A finished training, for its report."""

    manifest: Manifest
    history: Sequence[Epoch]  # of a network's training; a head's has none
    parts: Mapping[str, Evaluation]  # held out, held-out sources, test: those that there are
    sources: Mapping[str, Evaluation]
    shown: str  # the part that plots and photos are of
    predicted: Predicted  # of that part
    faults: Sequence[Fault]
    suspicious: tuple[Mistake, ...] = ()  # labels that look wrong, the firmest first
    comparison: Comparison | None = None  # with the model that serves
    serves: bool = False  # it serves from now on
    is_stored: bool = True  # among the person's models, and not in a folder of its own


def write_report(training: Training, folder: Path) -> None:
    """Write `report.html`, which needs no other file, `plots/*.png` and `metrics.json`."""
    manifest, predicted = training.manifest, training.predicted
    evaluation = training.parts[training.shown]
    probabilities, targets = predicted.probabilities, predicted.targets
    curve = at_thresholds(probabilities, targets, manifest.classes, _THRESHOLDS)
    plots = {
        "confusion": confusion_plot(evaluation.confusion),
        "reliability": reliability_plot(probabilities, targets),
        "coverage": coverage_plot(curve, manifest.filing_thresholds),
    }
    counts = np.bincount(targets, minlength=len(manifest.labels))
    if counts[counts > 0].min() >= _FEWEST:
        plots["roc"] = roc_plot(probabilities, targets, manifest.labels)
        plots["precision-recall"] = precision_recall_plot(probabilities, targets, manifest.labels)
    if training.history:
        for what in ("loss", "accuracy"):
            plots[what] = history_plot(training.history, what, manifest.recipe["epoch_kept"])
    (folder / PLOTS).mkdir()
    for name, figure in plots.items():
        figure.savefig(folder / PLOTS / f"{name}.png", dpi=120)
    metrics = {
        "version": manifest.version,
        "metrics": manifest.metrics,
        "sources": {source: asdict(one) for source, one in training.sources.items()},
        "comparison": asdict(training.comparison) if training.comparison else None,
        "history": [asdict(epoch) for epoch in training.history],
    }
    text = json.dumps(metrics, indent=1, ensure_ascii=False)
    (folder / METRICS).write_text(text + "\n", encoding="utf-8")
    reading, kept = None, 0
    if training.history:
        kept = manifest.recipe["epoch_kept"]
        reading = read_history(training.history, len(manifest.classes), kept)
    named = manifest.version if training.is_stored else "FOLDER"
    page = render(
        "core.training.report",
        "training.html.j2",
        scripts=["pages/charts.js", "report.js"],
        it=training,
        manifest=manifest,
        recipe=manifest.recipe,
        seconds=duration(manifest.recipe["seconds"]),
        settings=_settings(manifest.recipe),
        reading=reading,
        evaluation=evaluation,
        pets=" and ".join(c.folder for c in manifest.filed),
        curves=None if reading is None else curves(training.history, reading, kept),
        plots={name: svg(figure) for name, figure in plots.items()},
        faults=training.faults[:_MOST_FAULTS],
        suspicious=pictures(training.suspicious[:_MOST_SUSPICIOUS], model=named),
        mistakes=pictures(worst_mistakes(predicted, manifest.labels, _MOST), model=named),
        unsure=pictures(most_unsure(predicted, manifest.labels, _MOST), model=named),
    )
    (folder / REPORT).write_text(page, encoding="utf-8")


def _settings(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Choose the settings that mean something for this network."""
    left_out = {"history", "stages", "epochs_done", "epoch_kept", "seconds"}
    if recipe.get("name") == recipe.get("network"):
        left_out.add("name")
    if recipe.get("optimizer") not in (None, "muon", "adamw"):
        left_out.add("weight_decay")  # the others have none
    return {
        key.replace("_", " "): ", ".join(map(str, value))
        if isinstance(value, (list, tuple))
        else value
        for key, value in recipe.items()
        if key not in left_out and value is not None and value != () and value != []
    }
