"""Short training runs of variants of the recipe, each logged as one line of JSON.

    python benchmarks/ablations.py DATA --log docs/ablations.jsonl [--leave-out SOURCE] VARIANT...

DATA holds cats/, dogs/ and other/, as for `catdog train`, whose photographs for testing have no
part in it. A variant is a name below, or any settings of the recipe or of its augmentation, such
as `learning_rate=0.004,turned=0`. The models are thrown away; `seed=2` tells how far figures
differ by chance. Rank variants by the sources left out: the photos held out flatter those that
learn the sources by heart.
"""

from __future__ import annotations

import argparse
import ast
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from core.classifier import Classifier
from core.console import Terminal
from core.training.labelled import LabelledPhoto, scan
from core.training.recipe import DEFAULT, MILD, Augmentation, Recipe, Stage
from core.training.run import train
from core.training.sources import source_of
from core.training.variations import measure_pairs, measure_variations

# what each choice of the recipe is measured by: the recipe without it
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "another seed": {"seed": 2},
    "photos count alike": {"balance": 0.0},
    "AdamW": {"optimizer": "adamw", "learning_rate": 2e-3, "weight_decay": 0.05},
    "SGD": {"optimizer": "sgd", "learning_rate": 0.2},
    "half the learning rate": {"learning_rate": 3e-3},
    "no label smoothing": {"label_smoothing": 0.0},
    "wider, shallower": {"widths": (48, 128, 192), "blocks": (1, 3, 2)},
    "no turning": {"turned": 0.0},
    "no shrinking": {"shrunk": 0.0},
    "no pairs": {"paired": 0.0},
    "no degrading": {"sharpened": 0.0, "blurred": 0.0, "compressed": 0.0, "noisy": 0.0},
    "crops and colour only": {
        "turned": 0.0,
        "shrunk": 0.0,
        "grey": 0.0,
        "paired": 0.0,
        "sharpened": 0.0,
        "blurred": 0.0,
        "compressed": 0.0,
        "noisy": 0.0,
    },
}
FIRM = 0.9  # of pairs, those count as unsure that no class has so much confidence in
_AUGMENTATION = frozenset(field.name for field in fields(Augmentation))


def settings_of(variant: str) -> dict[str, Any]:
    """Read `key=value,key=value`, its values as Python writes them, or look up a name.

    Raises ValueError or TypeError for what is neither.
    """
    if variant in VARIANTS:
        return VARIANTS[variant]
    call = ast.parse(f"f({variant})", mode="eval").body
    if not isinstance(call, ast.Call) or call.args or not call.keywords:
        raise ValueError(
            f"a variant is one of {', '.join(VARIANTS)} or key=value. Received: {variant}"
        )
    return {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in call.keywords}


def stages_of(text: str) -> tuple[Stage, ...]:
    """Read `64x4,96x2`: pixels and epochs."""
    pairs = (stage.split("x") for stage in text.split(","))
    return tuple(Stage(int(size), int(epochs), MILD) for size, epochs in pairs)


def recipe_of(variant: str, stages: tuple[Stage, ...]) -> Recipe:
    settings = settings_of(variant)
    augmented = {key: value for key, value in settings.items() if key in _AUGMENTATION}
    others = {key: value for key, value in settings.items() if key not in _AUGMENTATION}
    stages = tuple(
        replace(stage, augmentation=replace(stage.augmentation, **augmented)) for stage in stages
    )
    return replace(DEFAULT, name=variant, **{"stages": stages, **others})


def add_variations(log: Path, classifier: Classifier, photos: Sequence[LabelledPhoto]) -> None:
    """Add to the last line of the log how the model stands what happens to photos."""
    *before, last = log.read_text(encoding="utf-8").splitlines()
    run = json.loads(last)
    assert run["version"] == classifier.manifest.version
    varied = measure_variations(classifier, photos)
    pairs = measure_pairs(classifier, photos, threshold=FIRM)
    run["variations"] = {name: asdict(one) for name, one in varied.items()}
    run["pairs"] = None if pairs is None else {**asdict(pairs), "threshold": FIRM}
    lines = [*before, json.dumps(run, ensure_ascii=False)]
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("variants", nargs="+", metavar="VARIANT")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--stages", type=stages_of, default="64x4")
    parser.add_argument("--leave-out", action="append", default=[], metavar="SOURCE")
    given = parser.parse_args(arguments)
    recipes = [recipe_of(variant, given.stages) for variant in given.variants]
    photos = scan(given.data).photos
    left_out = [photo for photo in photos if source_of(photo.path) in given.leave_out]
    for recipe in recipes:
        print(f"{recipe.name}:")
        folder = Path(tempfile.mkdtemp(prefix="ablations-"))
        try:
            trained = train(
                given.data,
                recipe,
                models_dir=folder,
                console=Terminal(),
                leave_out=given.leave_out,
                log=given.log,
            )
            if left_out:
                add_variations(given.log, Classifier(trained.folder), left_out)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
