"""Row 2: from a JPEG's bytes to its Prediction, with everything loaded."""

from __future__ import annotations

import io
import itertools
import time

from benchmarks import baseline
from benchmarks.figures import Figure, Line, in_turns, milliseconds, ratios
from benchmarks.photos import jpegs_of
from benchmarks.setting import Setting
from core.batch import predict_photo
from core.model.classifier import Classifier
from core.model.registry import DEFAULT_MODEL

_LONG_SIDE = 640  # pixels


def measure(setting: Setting) -> list[Figure]:
    number = setting.sizes.warm_photos
    photos = list(jpegs_of([*itertools.islice(setting.photos, number)], _LONG_SIDE))
    classifier = Classifier(DEFAULT_MODEL)
    model = baseline.load()

    def ours() -> float:
        begin = time.perf_counter()
        for photo in photos:
            predict_photo(classifier, photo)
        return (time.perf_counter() - begin) / len(photos)

    def theirs() -> float:
        begin = time.perf_counter()
        for photo in photos:
            baseline.predict(model, io.BytesIO(photo))
        return (time.perf_counter() - begin) / len(photos)

    ours(), theirs()  # what the first call alone does
    times = in_turns({"baseline": theirs, "catdog": ours}, setting.sizes.rounds)
    return [
        Figure(
            2,
            "warm, a JPEG of 640 px to its prediction: the baseline's time over ours",
            ratios(times["baseline"], times["catdog"]),
            line=Line.AT_LEAST,
            limit=16,
            note=f"{milliseconds(times['baseline'])} on all cores against "
            f"{milliseconds(times['catdog'])} on one thread",
        )
    ]
