"""The answer, as the page shows it: photo, verdict, and how logits became shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from core.explain.answer import Answer
from core.explain.evidence import Evidence
from core.explain.views.drawings import spread_out
from core.labels import PhotoClass
from core.model.heatmap import overlay
from core.model.verdict import VerdictKind, in_effect
from core.model.wording import describe
from core.pages.pictures import Encoding, data_url


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class on the way from its logit to its share."""

    label: str
    name: str  # in words
    logit: float
    scaled: float  # by the temperature
    power: float  # e to that
    probability: float
    threshold: float
    is_answer: bool


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What is served, and why."""

    words: str
    because: str
    kind: str  # good or bad: a photo that is filed, or not
    rows: tuple[ClassRow, ...]
    lead: float  # of the answer over all others together, in units of its temperature
    is_sigmoid: bool
    photo: str
    heat: str | None
    seen: str  # as the network sees it
    planes: tuple[str, ...]  # its red, green and blue


def answer_view(answer: Answer, evidence: Evidence | None) -> AnswerView:
    """Show the photo, the verdict, and how logits became shares."""
    heat = answer.heat
    if heat is None and evidence is not None and evidence.places is not None:
        heat = spread_out(evidence.places)
    probabilities = answer.probabilities(answer.logits[np.newaxis])[0]
    scaled = answer.class_logits / answer.manifest.temperature
    rows = tuple(
        ClassRow(
            label=one.label,
            name=one.words["en"],
            logit=float(answer.class_logits[index]),
            scaled=float(scaled[index]),
            power=float(np.exp(scaled[index])),
            probability=float(probabilities[index]),
            threshold=in_effect(one, answer.threshold),
            is_answer=index == answer.likeliest,
        )
        for index, one in enumerate(answer.manifest.classes)
    )
    others = np.delete(scaled, answer.likeliest)
    seen = Image.fromarray(answer.pixels)
    return AnswerView(
        words=describe(answer.verdict, answer.manifest),
        because=_because(answer),
        kind="good" if answer.verdict.kind is VerdictKind.FILED else "bad",
        rows=rows,
        lead=float(scaled[answer.likeliest] - np.logaddexp.reduce(others)),
        is_sigmoid=len(answer.logits) == 1,
        photo=data_url(answer.shown, quality=85),
        heat=None if heat is None else data_url(overlay(answer.shown, heat)),
        seen=data_url(seen, Encoding.PNG),
        planes=tuple(data_url(plane) for plane in seen.split()),
    )


def dial_data(answer: Answer, view: AnswerView) -> dict[str, Any]:
    """Give the page's script what the dial turns."""
    labels = answer.manifest.labels
    return {
        "logits": [row.logit for row in view.rows],
        "labels": list(labels),
        "names": [row.name for row in view.rows],
        "thresholds": [row.threshold for row in view.rows],
        "parents": [
            -1 if one.parent is None else labels.index(one.parent)
            for one in answer.manifest.classes
        ],
        "temperature": answer.manifest.temperature,
        "answer": answer.likeliest,
    }


def _because(answer: Answer) -> str:
    """Say in a sentence what follows from the confidence, and why."""
    verdict, own = answer.verdict, answer.verdict.likeliest
    name, limit = own.words["en"], in_effect(own, answer.threshold)
    sure = _percent(verdict.prediction.confidence)
    alone = verdict.prediction.probabilities[own.label]
    together = "" if abs(alone - verdict.prediction.confidence) < 1e-9 else ", its kinds included,"
    reached = f"The confidence in “{name}”{together} is {sure}; from {_percent(limit)} on it is"
    return f"{reached} sure. {_what_follows(verdict.kind, own)}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def _what_follows(kind: VerdictKind, own: PhotoClass) -> str:
    return {
        VerdictKind.FILED: f"So “catdog sort” would put the photo into {own.folder}/.",
        VerdictKind.UNSURE: "That is not reached, so “catdog sort” would leave it where it is.",
        VerdictKind.NEITHER: "So it shows nothing that is filed, and “catdog sort” leaves it.",
        VerdictKind.BOTH: "So it shows more than one kind, and “catdog sort” leaves it.",
    }[kind]
