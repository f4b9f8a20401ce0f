"""The log of finished training runs, from which tables of what pays are made."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from core.manifest import Manifest
from core.probabilities import Floats
from core.training.dataset import Indices, LabelledPhoto
from core.training.evaluate import Evaluation, figures

_FIRST_WORD = re.compile(r"[A-Za-z]\w*?(?=[-_])")
_FEWEST = 10  # photos of a source from which on figures say anything


def source_of(path: Path) -> str | None:
    """Name where a photo comes from: the first word of a name such as `kaggle-00012.jpg`.

    None for names that are one word, or begin with none.
    """
    found = _FIRST_WORD.match(path.name)
    return found[0] if found else None


def figures_by_source(
    probabilities: Floats,
    targets: Indices,
    photos: Sequence[LabelledPhoto],
    manifest: Manifest,
) -> dict[str, Evaluation]:
    """Evaluate each source of 10 photos or more by itself, at the manifest's threshold."""
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for row, photo in enumerate(photos):
        if (source := source_of(photo.path)) is not None:
            rows[source].append(row)
    return {
        source: figures(probabilities[own], targets[own], manifest.classes, manifest.threshold)
        for source, own in sorted(rows.items())
        if len(own) >= _FEWEST
    }


def append_run(log: Path, manifest: Manifest, sources: dict[str, Evaluation]) -> None:
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
