"""RESULTS.md: the figures, on what they were measured, and what falls short."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from benchmarks.measuring.figures import Figure, Standing, number
from core.model.manifest import read_manifest
from core.model.registry import DEFAULT_MODEL

_PACKAGES = (
    "ai-edge-litert",
    "keras",
    "numpy",
    "pillow",
    "python-telegram-bot",
    "tensorflow",
)


def machine() -> dict[str, str]:
    """Return what this is measured on: the machine, and the versions of what matters."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "processor": f"{os.cpu_count()} x {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "model": read_manifest(DEFAULT_MODEL).version,
        **versions,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def page(figures: Sequence[Figure], command: str, not_measured: Sequence[str]) -> str:
    """Return the page. `not_measured` are sentences about rows that are missing."""
    about = "\n".join(f"- {name}: {what}" for name, what in machine().items())
    rows = "\n".join(map(_row, figures))
    known = "".join(map(_known_miss, figures))
    missing = "".join(f"\n{sentence}\n" for sentence in not_measured)
    return f"""# Speed

Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}, which writes the whole page anew: what a
person has to say about these figures stands in [docs/speed.md](../docs/speed.md).

What is compared was measured in one run, in turns; the figure is the median of the rounds, with the
lowest and the highest. The baseline is the plain way of `benchmarks/baseline.py`, on the same
network. MB are 1,000,000 bytes.

{about}

| row | measured | figure | lowest to highest | line | holds | |
| --- | --- | --- | --- | --- | --- | --- |
{rows}
{known}{missing}"""


def _row(figure: Figure) -> str:
    spread = ""
    if len(figure.values) > 1:
        spread = f"{number(min(figure.values))} to {number(max(figure.values))}"
    cells = (
        str(figure.row),
        figure.what,
        f"{number(figure.median)} {figure.unit}",
        spread,
        str(figure.line or ""),
        figure.standing.value,
        figure.note,
    )
    return f"| {' | '.join(cells)} |"


def _known_miss(figure: Figure) -> str:
    miss = figure.known_miss
    if miss is None or figure.standing is not Standing.KNOWN_MISS:
        return ""
    return f"\nKnown not to hold in row {figure.row} ({miss.meanwhile} meanwhile): {miss.reason}\n"
