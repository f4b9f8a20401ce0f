"""The table and the curves of docs/model.md, made from the log that training runs leave.

    python benchmarks/ablation_report.py docs/ablations.jsonl docs/model.md docs/learning-curves.svg

Replaces what stands between the marks in docs/model.md, and draws the curves of the longest run
and of the sittings before it.
With --check nothing is written, and it ends with 1 if the table in docs/model.md is another.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from core.training.history import Epoch
from core.training.report.plots import history_plot

BEGIN, END = "<!-- ablations begin -->", "<!-- ablations end -->"
_HEAD = (
    "what was changed",
    "stages",
    "minutes",
    "held out",
    "told apart",
    "left out",
    "told apart",
)


def table(runs: list[dict[str, Any]]) -> str:
    """Write a Markdown table, a row a run; runs of the same stages stand together, in order."""
    lines = ["| " + " | ".join(_HEAD) + " |", "| " + " | ".join(["---"] * len(_HEAD)) + " |"]
    for run in sorted(runs, key=lambda run: (_pixels(run), run["created"])):
        cells = [run["recipe"]["name"], _stages(run), f"{run['recipe']['seconds'] / 60:.0f}"]
        for part in ("validation", "left out"):
            figures = run["metrics"].get(part)
            for key in ("accuracy", "told_apart"):
                cells.append(f"{figures[key]:.1%}" if figures else "-")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args(arguments)
    runs = [json.loads(line) for line in given.log.read_text(encoding="utf-8").splitlines()]
    page = given.page.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    new = f"{before}{BEGIN}\n{table(runs)}\n{END}{after}"
    if given.check:
        return int(new != page)
    given.page.write_text(new, encoding="utf-8")
    history_plot(_longest(runs)).savefig(given.picture, metadata={"Date": None})
    return 0


def _longest(runs: list[dict[str, Any]]) -> list[Epoch]:
    """Find the epochs of the run that took longest, with those of the sittings before it."""
    by_length = {_length(run["recipe"]): run for run in runs}
    sittings: list[list[dict[str, Any]]] = []
    run: dict[str, Any] | None = max(runs, key=lambda run: _length(run["recipe"])[1])
    while run is not None:
        sittings.insert(0, run["recipe"]["history"])
        before = run["recipe"].get("before", {})  # its version is another if it was exported again
        run = by_length.get((before.get("epochs_done"), before.get("seconds")))
    entries = [entry for sitting in sittings for entry in sitting]
    return [Epoch(**{**entry, "number": number}) for number, entry in enumerate(entries, start=1)]


def _length(recipe: dict[str, Any]) -> tuple[int, int]:
    """Count the epochs and seconds of a run and of the sittings before it."""
    before = recipe.get("before", {})
    return (
        len(recipe["history"]) + before.get("epochs_done", 0),
        recipe["seconds"] + before.get("seconds", 0),
    )


def _stages(run: dict[str, Any]) -> str:
    return ", ".join(f"{stage['size']} px x {stage['epochs']}" for stage in run["recipe"]["stages"])


def _pixels(run: dict[str, Any]) -> int:
    """How much a run looks at, so that comparable ones stand together."""
    return sum(stage["size"] ** 2 * stage["epochs"] for stage in run["recipe"]["stages"])


if __name__ == "__main__":
    sys.exit(main())
