"""The tables and the curves of docs/model.md, made from the log that training runs leave.

    python benchmarks/ablation_report.py docs/ablations.jsonl docs/model.md docs/learning-curves.svg

Replaces what stands between the marks in docs/model.md, and draws the curves of the longest run
and of the sittings before it.
With --check nothing is written, and it ends with 1 if a table in docs/model.md is another.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.training.history import Epoch
from core.training.report.plots import history_plot

BEGIN, END = "<!-- {} begin -->", "<!-- {} end -->"
_HEAD = (
    "what was changed",
    "stages",
    "minutes",
    "held out",
    "told apart",
    "left out",
    "told apart",
)
# of what `catdog evaluate --variations` does to photos, what the recipe shows in training, too
_VARIED = {
    "turned": ("turned left", "turned right", "upside down"),
    "blurred": ("blurred",),
    "JPEG quality 15": ("JPEG quality 15",),
    "at 40 %": ("at 40 % on a plain ground", "at 40 % on a busy ground"),
}


def table(runs: list[dict[str, Any]]) -> str:
    """Write a Markdown table, a row a run; runs of the same stages stand together, in order."""
    rows = [_HEAD]
    for run in runs:
        cells = [run["recipe"]["name"], _stages(run), f"{run['recipe']['seconds'] / 60:.0f}"]
        for part in ("validation", "left out"):
            figures = run["metrics"].get(part)
            for key in ("accuracy", "told_apart"):
                cells.append(f"{figures[key]:.1%}" if figures else "-")
        rows.append(tuple(cells))
    return _markdown(rows)


def varied_table(runs: list[dict[str, Any]]) -> str:
    """Write how cats and dogs of sources left out are told apart, varied, and pairs of them not."""
    rows = [("what was changed", "stages", "as they are", *_VARIED, "pairs in doubt")]
    for run in runs:
        if not run.get("variations"):
            continue
        shares = [
            sum(run["variations"][name]["told_apart"] for name in names) / len(names)
            for names in _VARIED.values()
        ]
        shares = [run["metrics"]["left out"]["told_apart"], *shares, run["pairs"]["unsure"]]
        rows.append((run["recipe"]["name"], _stages(run), *(f"{share:.1%}" for share in shares)))
    return _markdown(rows)


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *others = rows
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *others))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args(arguments)
    runs = [json.loads(line) for line in given.log.read_text(encoding="utf-8").splitlines()]
    page = new = given.page.read_text(encoding="utf-8")
    runs.sort(key=lambda run: (_pixels(run), run["created"]))
    for name, rows in (("ablations", table(runs)), ("variations", varied_table(runs))):
        begin, end = BEGIN.format(name), END.format(name)
        before, _, rest = new.partition(begin)
        _, _, after = rest.partition(end)
        new = f"{before}{begin}\n{rows}\n{end}{after}"
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
