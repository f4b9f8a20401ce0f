"""The photo covered and changed, as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from core.explain.answer import Answer
from core.explain.views.drawings import framed, map_picture
from core.explain.what_if import Covered, Series, Varied, said
from core.pages.pictures import Encoding, data_url

_SHOWN_SIDE = 240  # pixels of a changed photo's longer side


@dataclass(frozen=True, slots=True)
class CoveredView:
    """The square that changes the most."""

    share: float
    map: str
    worst: str  # the photo with a frame there
    worst_probability: float
    answer_there: str  # in words: what becomes of the answer
    changes_mind: int  # of so many places


@dataclass(frozen=True, slots=True)
class VariedView:
    """A changed photo."""

    name: str
    picture: str
    probability: float  # of the answer
    verdict: str
    differs: bool


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A photo changed by degrees."""

    key: str
    title: str
    changed: str
    steps: tuple[VariedView, ...]


def covered_view(answer: Answer, covered: Covered) -> CoveredView:
    """Draw the confidence as a map over the places of the square."""
    confidence = covered.probabilities[..., answer.likeliest]
    row, column = np.unravel_index(int(confidence.argmin()), confidence.shape)
    left, top = covered.starts[column], covered.starts[row]
    part = (left, top, left + covered.share, top + covered.share)
    same = said(answer.verdict)
    return CoveredView(
        share=covered.share,
        map=data_url(map_picture(-confidence, side=13), Encoding.PNG),
        worst=data_url(framed(answer.shown, part)),
        worst_probability=float(confidence[row, column]),
        answer_there=(
            "stays"
            if covered.verdicts[row][column] == same
            else f"becomes “{covered.verdicts[row][column]}”"
        ),
        changes_mind=sum(one != same for line in covered.verdicts for one in line),
    )


def what_if_data(answer: Answer, squares: Sequence[Covered]) -> dict[str, Any]:
    """Give the page's script what was computed beforehand."""
    return {
        "answer": answer.likeliest,
        "names": [one.words["en"] for one in answer.manifest.classes],
        "squares": [
            {
                "share": one.share,
                "starts": list(one.starts),
                "probabilities": np.round(one.probabilities, 6).tolist(),
                "verdicts": [list(line) for line in one.verdicts],
            }
            for one in squares
        ],
    }


def varied_view(answer: Answer, varied: Varied) -> VariedView:
    shown = varied.image.copy()
    shown.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE), Image.Resampling.LANCZOS)
    return VariedView(
        name=varied.name,
        picture=data_url(shown, quality=75),
        probability=varied.probabilities[answer.likeliest],
        verdict=varied.verdict,
        differs=varied.verdict != said(answer.verdict),
    )


def series_view(answer: Answer, series: Series) -> SeriesView:
    return SeriesView(
        series.key,
        series.title,
        series.changed,
        tuple(varied_view(answer, one) for one in series.varied),
    )
