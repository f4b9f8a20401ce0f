"""Short training runs of variants of the recipe, each logged as one line of JSON.

    python benchmarks/ablations.py DATA --log ablations.jsonl VARIANT...

DATA holds cats/, dogs/ and other/, as for `catdog train`, whose photographs for testing have no
part in it. A variant is a name below, or any settings of the recipe, such as
`learning_rate=0.004,batch_size=64`. The models are thrown away; compare two runs of `default`
with different seeds to see how far figures differ by chance.
"""

from __future__ import annotations

import argparse
import ast
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.console import Terminal
from core.training.recipe import DEFAULT, MILD, Recipe, Stage
from core.training.run import train

VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
}


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


def recipe_of(variant: str, stages: tuple[Stage, ...], seed: int) -> Recipe:
    return replace(
        DEFAULT, name=variant, **{"stages": stages, "seed": seed, **settings_of(variant)}
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("variants", nargs="+", metavar="VARIANT")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--stages", type=stages_of, default="64x4")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    recipes = [recipe_of(variant, given.stages, given.seed) for variant in given.variants]
    for recipe in recipes:
        print(f"{recipe.name}:")
        folder = Path(tempfile.mkdtemp(prefix="ablations-"))
        try:
            train(
                given.data,
                recipe,
                models_dir=folder,
                console=Terminal(),
                log=given.log,
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
