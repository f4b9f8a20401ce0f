"""The page that walks a photo through a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.explain.answer import Answer
from core.explain.evidence import Evidence, of_network, of_pooled
from core.explain.neighbours import Neighbour
from core.explain.views.answer_view import answer_view, dial_data
from core.explain.views.evidence_view import evidence_view
from core.explain.views.inside_view import inside_view
from core.explain.views.neighbours_view import neighbour_views
from core.explain.views.what_if_view import covered_view, series_view, varied_view, what_if_data
from core.explain.what_if import SQUARES, cover, series, single_changes
from core.pages.templates import render
from core.training.networks.inspected import Inspected

_SCRIPTS = ("scripts/filter.js", "scripts/dial.js", "scripts/what_if.js")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What is explained, and what is known of it."""

    name: str  # of the photo
    answer: Answer
    inspected: Inspected | None  # None: the Keras file could not be looked into
    not_inspected: str  # why, in a sentence, and what to do
    neighbours: Sequence[Neighbour]  # of the photos that it learnt from, where they are known
    own_photos: int  # how many photos of the person's own the model learnt from
    network: str  # name of its architecture


def explain_page(subject: Subject) -> str:
    """Write the page: one file that asks no host for anything."""
    answer, inspected = subject.answer, subject.inspected
    evidence = _evidence(answer, inspected)
    view = answer_view(answer, evidence)
    squares = [cover(answer, share) for share in SQUARES]
    return render(
        "core.explain",
        "explain.html.j2",
        scripts=_SCRIPTS,
        it=subject,
        manifest=answer.manifest,
        preprocessing=answer.classifier.preprocessing,
        answer=view,
        inside=None if inspected is None else inside_view(answer, inspected),
        evidence=None if evidence is None else evidence_view(answer, evidence),
        squares=[covered_view(answer, one) for one in squares],
        what_if=what_if_data(answer, squares),
        dial=dial_data(answer, view),
        changes=[varied_view(answer, one) for one in single_changes(answer)],
        series=[series_view(answer, one) for one in series(answer)],
        neighbours=neighbour_views(subject.neighbours),
    )


def _evidence(answer: Answer, inspected: Inspected | None) -> Evidence | None:
    """Take the answer apart: by what is served where that shows it, else by the Keras file."""
    if answer.head is not None and answer.feature_map is not None:
        head = answer.head
        return of_pooled(answer.feature_map, head.kernel, head.bias, answer.likeliest)
    return None if inspected is None else of_network(inspected, answer.likeliest)
