"""Row 1: from the start of a process to the printed answer for one photo."""

from __future__ import annotations

from functools import partial

from benchmarks.measuring.figures import Figure, at_least, at_most, in_turns, milliseconds, ratios
from benchmarks.measuring.setting import Setting, catdog, module

_MOST_SECONDS = 0.35  # on the machine that the project is made on


def measure(setting: Setting) -> list[Figure]:
    photo = setting.photos[0]
    ways = {
        "baseline": module("baseline", "predict", photo),
        "catdog": catdog("predict", photo),
    }
    for command in ways.values():
        setting.seconds_of(command)  # into the page cache
    times = in_turns(
        {name: partial(setting.seconds_of, command) for name, command in ways.items()},
        setting.sizes.rounds,
    )
    ours, theirs = times["catdog"], times["baseline"]
    against = f"{milliseconds(theirs)} against {milliseconds(ours)}"
    return [
        Figure(
            1,
            "cold start: the baseline's time over ours",
            ratios(theirs, ours),
            line=at_least(12),
            note=against,
        ),
        Figure(
            1, "cold start", ours, "s", at_most(_MOST_SECONDS), "`catdog predict PHOTO`, all of it"
        ),
    ]
