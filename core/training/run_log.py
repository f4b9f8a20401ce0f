"""The log of finished training runs, from which tables of what pays are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from core.manifest import Manifest
from core.training.figures import Evaluation


def append_run(log: Path, manifest: Manifest, sources: Mapping[str, Evaluation]) -> None:
    """Append what a finished run was and came to, as one line of JSON.

    `recipe` holds every setting, the seed, the seconds and each epoch's figures; `metrics` those
    of the exported model on whole parts; `sources` a few on the photos held out, by source.
    """
    run = {
        "created": manifest.created,
        "version": manifest.version,
        "data": manifest.data,
        "recipe": manifest.recipe,
        "temperature": manifest.temperature,
        "threshold": manifest.threshold,
        "metrics": manifest.metrics,
        "sources": {source: _short(evaluation) for source, evaluation in sources.items()},
        "versions": manifest.versions,
    }
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(run, ensure_ascii=False) + "\n")


def _short(evaluation: Evaluation) -> dict[str, float | None]:
    kept = ("photos", "accuracy", "told_apart", "coverage", "filed_precision", "neither_filed")
    return {key: value for key, value in asdict(evaluation).items() if key in kept}
