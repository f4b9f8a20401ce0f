"""Sheets of the worst mistakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.model.classifier import Classifier
from core.training.data.labelled import LabelledPhoto
from core.training.evaluation.measure import Predicted
from core.training.report.mistakes import sheets, worst_mistakes, write_sheets


@pytest.fixture
def predicted(tmp_path: Path, draw: Callable[..., Image.Image]) -> Predicted:
    """Sixty dogs, red as cats are: every second one taken for a cat, each more firmly."""
    photos = []
    for number in range(60):
        path = tmp_path / f"dog-{number:02}-with-a-name-too-long-for-its-picture.png"
        draw("cats", number).save(path)
        photos.append(LabelledPhoto(path, "dog"))
    wrong = np.arange(60) % 2 == 1
    cat = np.where(wrong, 0.5 + np.arange(60) / 200, 0.1)
    probabilities = np.stack([cat, 1 - cat, np.zeros(60)], axis=1)
    return Predicted(tuple(photos), probabilities, np.ones(60, dtype=np.intp), ())


def test_the_firmest_mistakes_come_first(predicted: Predicted, classifier: Classifier) -> None:
    worst = worst_mistakes(predicted, classifier.manifest.labels)
    assert [mistake.path.name[4:6] for mistake in worst] == [
        f"{number:02}" for number in range(59, 0, -2)
    ]
    assert {(mistake.label, mistake.taken_for) for mistake in worst} == {("dog", "cat")}
    assert worst[0].confidence == pytest.approx(0.795)
    assert len(worst_mistakes(predicted, classifier.manifest.labels, most=4)) == 4


def test_a_sheet_shows_the_photos_under_each_other(
    predicted: Predicted, classifier: Classifier, tmp_path: Path
) -> None:
    worst = worst_mistakes(predicted, classifier.manifest.labels)
    worst[1].path.unlink()  # it is gone by now: its place stays grey
    twice = list(sheets([*worst, *worst]))
    assert [sheet.height for sheet in twice] == [6 * 200 + 6, 2 * 200 + 6]
    assert twice[0].width == 8 * 166 + 6
    first, second = (twice[0].getpixel((6 + 166 * place + 80, 6 + 80)) for place in (0, 1))
    assert isinstance(first, tuple)
    assert first[0] > first[2] + 40, "red, as the photo is"
    assert second == (235, 235, 235)
    caption = np.asarray(twice[0].crop((6, 166, 166, 200)))
    assert (caption < 100).any()
    write_sheets(worst, tmp_path / "new" / "sheets")
    assert [path.name for path in (tmp_path / "new" / "sheets").iterdir()] == ["mistakes-1.jpg"]
