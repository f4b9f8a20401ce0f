"""Row 2: from a JPEG's bytes to its Prediction, with everything loaded."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from functools import partial

from benchmarks import baseline
from benchmarks.measuring.figures import Figure, KnownMiss, at_least, in_turns, milliseconds, ratios
from benchmarks.measuring.photos import jpegs_of
from benchmarks.measuring.setting import Setting
from core.batch import predict_photo
from core.model.classifier import Classifier
from core.model.registry import DEFAULT_MODEL

_LONG_SIDE = 640  # pixels
_MISS = KnownMiss(
    at_least(11),
    "the network takes 2.6 ms of 4.6; one of fewer pixels names fewer photos rightly.",
)


def measure(setting: Setting) -> list[Figure]:
    photos = list(jpegs_of(setting.photos[: setting.sizes.warm_photos], _LONG_SIDE))
    classifier = Classifier(DEFAULT_MODEL)
    model = baseline.load()

    def theirs(photo: bytes) -> object:
        return baseline.predict(model, io.BytesIO(photo))

    def timed(predict: Callable[[bytes], object]) -> float:
        begin = time.perf_counter()
        for photo in photos:
            predict(photo)
        return (time.perf_counter() - begin) / len(photos)

    ways = {
        "baseline": partial(timed, theirs),
        "catdog": partial(timed, partial(predict_photo, classifier)),
    }
    for way in ways.values():
        way()  # what the first call alone does
    times = in_turns(ways, setting.sizes.rounds)
    return [
        Figure(
            2,
            "warm, a JPEG of 640 px to its prediction: the baseline's time over ours",
            ratios(times["baseline"], times["catdog"]),
            line=at_least(16),
            note=f"{milliseconds(times['baseline'])} on all cores against "
            f"{milliseconds(times['catdog'])} on one thread",
            known_miss=_MISS,
        )
    ]
