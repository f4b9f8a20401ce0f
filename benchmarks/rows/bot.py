"""Rows 6 and 7: the bot, and the baseline's, when people send photos all at once."""

from __future__ import annotations

from functools import partial

from benchmarks import bot_load
from benchmarks.measuring.figures import Figure, at_least, in_turns, ratios
from benchmarks.measuring.photos import jpegs_of
from benchmarks.measuring.setting import Setting, module
from benchmarks.rows.watch import memory_figures


def measure(setting: Setting) -> list[Figure]:
    """Send bursts to both, without a limit on sending."""
    people, each = setting.sizes.people, setting.sizes.photos_each
    pictures = list(jpegs_of(setting.photos[: people * each], bot_load.LONG_SIDE, is_noisy=True))
    weight = sum(map(len, pictures)) / len(pictures)
    loads: dict[str, list[bot_load.Load]] = {"baseline": [], "catdog": []}

    def send(name: str) -> float:
        if name == "catdog":
            load = bot_load.run(0, people, each, pictures)
        else:
            load = bot_load.burst(
                lambda url: module("baseline", "bot", url), people, each, pictures
            )
        assert load.answered == people * each, f"{name}: {load.answered} were answered"
        loads[name].append(load)
        return load.last / load.answered

    times = in_turns({name: partial(send, name) for name in loads}, setting.sizes.rounds)
    return [
        Figure(
            7,
            "bot: photos answered a second, ours over the baseline's",
            ratios(times["baseline"], times["catdog"]),
            line=at_least(8),
            note=f"{people} people send {each} photos each at once, of {weight / 1e3:.0f} KB",
        ),
        *(
            Figure(
                7,
                f"bot of {name}: {what}",
                tuple(float(getattr(load, field)) for load in loads[name]),
                "s",
                note="from the sending to the answer",
            )
            for name in loads
            for what, field in (("half are answered in", "median"), ("95 % are", "p95"))
        ),
        *memory_figures(
            "bot",
            idle=[load.idle for load in loads["catdog"]],
            loaded=[load.memory for load in loads["catdog"]],
            baseline_idle=[load.idle for load in loads["baseline"]],
        ),
    ]
