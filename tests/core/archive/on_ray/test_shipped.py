"""The model that comes to another machine is the driver's, or none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.archive.classify import Looking
from core.archive.on_ray.shipped import Shipped
from core.errors import ModelRefused
from core.model.classifier import Classifier


@pytest.mark.parametrize("kind", ["head", "whole"])
def test_it_answers_as_the_drivers_does(kind: str, looking: Looking, request: object) -> None:
    ours = looking.classifier
    if kind == "whole":
        ours = Classifier(request.getfixturevalue("tiny_model"))  # type: ignore[attr-defined]
    theirs = Shipped.of(ours).load()
    size = ours.preprocessing.size
    photos = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), np.uint8)
    assert theirs.predict(photos) == ours.predict(photos)


def test_one_that_changed_on_its_way_is_refused(looking: Looking) -> None:
    shipped = Shipped.of(looking.classifier)
    name = next(name for name in shipped.files if Path(name).suffix == ".tflite")
    altered = replace(shipped, files={**shipped.files, name: shipped.files[name][:-1] + b"?"})
    with pytest.raises(ModelRefused, match="is not the driver's"):
        altered.load()
