"""The page that `catdog evaluate --html` writes: one file, with all that it needs inside."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from core.labels import Role
from core.training.examine import Examination
from core.training.report.mistakes import sheets, worst_mistakes
from core.training.report.plots import coverage_plot, reliability_plot

_MOST = 48  # mistakes that are shown


def evaluation_page(examination: Examination) -> str:
    """Write an examination as HTML, with plots and the worst mistakes."""
    manifest = examination.manifest
    predicted = examination.measured.predicted
    environment = Environment(
        loader=PackageLoader("core.training.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = _percent
    environment.filters["points"] = lambda share: f"{100 * share:.1f}"
    page: str = environment.get_template("evaluation.html.j2").render(
        it=examination,
        manifest=manifest,
        evaluation=examination.measured.evaluation,
        pets=" and ".join(c.folder for c in manifest.classes if c.role is Role.FILE),
        coverage=coverage_plot(examination.curve, examination.threshold),
        reliability=reliability_plot(predicted.probabilities, predicted.targets),
        sheets=list(_data_urls(sheets(worst_mistakes(predicted, manifest.labels, _MOST)))),
    )
    return page


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _data_urls(images: Iterable[Image.Image]) -> Iterable[str]:
    for image in images:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=80)
        yield f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
