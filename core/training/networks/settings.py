"""`--set NAME=VALUE`: the settings of a network that have no option of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar, get_args, get_type_hints

from core.errors import UsageRefused
from core.training.networks.recipe import Augmentation, Recipe, Schedule

Settings = TypeVar("Settings")

_OPTIONS = {  # settings that have one
    "size": "--image-size",
    "epochs": "--epochs",
    "batch_size": "--batch-size",
    "optimizer": "--optimizer",
    "learning_rate": "--learning-rate",
    "patience": "--patience",
    "seed": "--seed",
    "network": "--network",
}
_OF_ALL = ("schedule", "warmup_epochs", "weight_decay", "label_smoothing", "balance")
_OF_CLASSIC = ("widths", "dense", "dropout")
_OF_NETWORK = {
    "residual": ("widths", "blocks"),
    "sequential-bn": _OF_CLASSIC,
    "vgg-small": _OF_CLASSIC,
    "minimal": _OF_CLASSIC,
}
_RANGES = {  # from, to; else from 0 to 1
    "aspect": (1.0, 4.0),
    "min_area": (0.05, 1.0),
    "rotation": (0.0, 180.0),
    "dropout": (0.0, 0.95),
    "label_smoothing": (0.0, 0.9),
    "warmup_epochs": (0.0, 1e4),
    "answers": (0.0, 100.0),
    "softening": (0.1, 100.0),
    "neither": (0.0, 100.0),
}
_MOST = 4096  # of what is counted: channels, units, pixels


def parse(given: Iterable[str]) -> dict[str, str]:
    """Read what was given as `NAME=VALUE`; names may have `-` for `_`. Raises UsageRefused."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not value.strip():
            raise UsageRefused(f"--set takes NAME=VALUE, such as dropout=0.3. Received: {one}")
        found[name.strip().replace("-", "_")] = value.strip()
    return found


def with_settings(
    recipe: Recipe, given: Mapping[str, str], own: Mapping[str, Any] | None = None
) -> Recipe:
    """Change settings of a recipe, and how its photos are varied.

    `own` are the settings, with their values, of a function that makes a network of a person's
    own. Raises UsageRefused.
    """
    own = own or {}
    varied = [field.name for field in fields(Augmentation)]
    known = [*_OF_NETWORK.get(recipe.network, ()), *_OF_ALL]
    _check_known(given, [*known, *varied, *own], recipe.network)
    arguments = {
        name: read_like(name, text, type(own[name])) for name, text in given.items() if name in own
    }
    recipe = replace(recipe, arguments=tuple(sorted(arguments.items())))
    known, varied = ([name for name in names if name not in own] for names in (known, varied))
    stages = tuple(
        replace(stage, augmentation=_replaced(stage.augmentation, given, varied))
        for stage in recipe.stages
    )
    return replace(_replaced(recipe, given, known), stages=stages)


def with_numbers(settings: Settings, given: Mapping[str, str], network: str) -> Settings:
    """Change any number of a dataclass, and of all of its `stages`. Raises UsageRefused."""
    known = _numbers_of(settings)
    stages = getattr(settings, "stages", ())
    of_stages = _numbers_of(stages[0]) if stages else []
    _check_known(given, [*known, *of_stages], network)
    if stages:
        changed = tuple(_replaced(stage, given, of_stages) for stage in stages)
        settings = replace(settings, stages=changed)  # type: ignore[type-var]
    return _replaced(settings, given, known)


def read_like(name: str, text: str, kind: Any) -> Any:
    """Read a value of a type: a number, yes or no, a word, several whole numbers.

    Raises UsageRefused, also for a number that makes no sense for this name.
    """
    kind = (
        next((one for one in get_args(kind) if one is not type(None)), kind)
        if (type(None) in get_args(kind))
        else kind
    )
    try:
        if kind is bool:
            return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}[
                text.lower()
            ]
        if kind is int:
            return _count(text)
        if kind is float:
            value, (low, high) = float(text), _RANGES.get(name, (0.0, 1.0))
            if not low <= value <= high:
                raise ValueError(f"it is {low:g} to {high:g}")
            return value
        if get_args(kind):
            return tuple(_count(one) for one in text.split(","))
        return kind(text)
    except (ValueError, KeyError) as error:
        example = {bool: "yes or no", int: "a whole number", float: "a number"}.get(kind)
        if kind is Schedule:
            example = " or ".join(Schedule)
        why = str(error) if str(error).startswith("it is") else f"it is {example or '32,64,128'}"
        raise UsageRefused(f"--set {name}={text}: {why}.") from error


def _numbers_of(settings: Any) -> list[str]:
    kinds = get_type_hints(type(settings))
    return [
        field.name
        for field in fields(settings)
        if field.name not in _OPTIONS and kinds[field.name] in (int, float)
    ]


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _MOST:
        raise ValueError(f"it is 1 to {_MOST}")
    return number


def _replaced(settings: Settings, given: Mapping[str, str], known: Sequence[str]) -> Settings:
    kinds = get_type_hints(type(settings))
    values = {
        name: read_like(name, text, kinds[name]) for name, text in given.items() if name in known
    }
    return replace(settings, **values)  # type: ignore[type-var]


def _check_known(given: Mapping[str, str], known: Sequence[str], network: str) -> None:
    for name in given:
        if name in _OPTIONS:
            raise UsageRefused(f"--set {name}: it has an option of its own, {_OPTIONS[name]}.")
        if name not in known:
            raise UsageRefused(
                f"--set {name}: {network} has no such setting. It has {', '.join(sorted(known))}."
            )
