"""The settings of a network: its recipe, with `--epochs` and `--set NAME=VALUE` over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar, get_args, get_type_hints

from core.errors import UsageRefused
from core.training.networks.recipe import (
    AUGMENTATIONS,
    LEARNING_RATES,
    RECIPES,
    Augmentation,
    Recipe,
    Schedule,
    classic,
)
from core.training.networks.transfer.transfer_recipe import PRETRAINED, Transfer

Settings = TypeVar("Settings")

_OF_ALL = (
    "optimizer", "learning_rate", "batch_size", "seed", "patience", "schedule", "warmup_epochs",
    "weight_decay", "label_smoothing", "balance",
)  # fmt: skip
_OF_CLASSIC = ("widths", "dense", "dropout")
_OF_NETWORK = {
    "residual": ("widths", "blocks"),
    "sequential-bn": _OF_CLASSIC,
    "vgg-small": _OF_CLASSIC,
    "minimal": _OF_CLASSIC,
}
_OF_TRANSFER = ("size", "learning_rate")  # that scale those of all stages
_CHOICES = {"optimizer": tuple(LEARNING_RATES), "augment": tuple(AUGMENTATIONS)}
_RANGES = {  # from, to; other numbers are from 0 to 1, other whole ones from 1 to 4096
    "size": (32, 512),
    "batch_size": (2, 4096),
    "seed": (0, 2**32 - 1),
    "aspect": (1.0, 4.0),
    "min_area": (0.05, 1.0),
    "rotation": (0.0, 180.0),
    "dropout": (0.0, 0.95),
    "learning_rate": (1e-9, 1e3),
    "label_smoothing": (0.0, 0.9),
    "warmup_epochs": (0.0, 1e4),
    "answers": (0.0, 100.0),
    "softening": (0.1, 100.0),
    "neither": (0.0, 100.0),
}


def parse(given: Iterable[str]) -> dict[str, str]:
    """Read what was given as `NAME=VALUE`; names may have `-` for `_`. Raises UsageRefused."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not value.strip():
            raise UsageRefused(f"--set takes NAME=VALUE, such as dropout=0.3. Received: {one}")
        found[name.strip().replace("-", "_")] = value.strip()
    return found


def settings_for(network: str, epochs: float | None, given: Mapping[str, str]) -> Recipe | Transfer:
    """Return the recipe of a network, changed as asked. Raises UsageRefused."""
    if network in PRETRAINED:
        return change_transfer(Transfer(network=network).changed(epochs=epochs), given)
    own: dict[str, Any] = {}
    if network in RECIPES:
        recipe = RECIPES[network]
    else:
        from core.training.networks.architectures.own import settings_of

        own, recipe = settings_of(network), classic(network)
    if epochs is not None:
        if epochs < 1 or epochs != int(epochs):
            raise UsageRefused(f"--epochs is a whole number for {network}.")
        recipe = recipe.with_epochs(int(epochs))
    return change_recipe(recipe, given, own)


def change_recipe(
    recipe: Recipe, given: Mapping[str, str], own: Mapping[str, Any] | None = None
) -> Recipe:
    """Change settings of a recipe, and how its photos are varied.

    `own` are the settings, with their values, of a function that makes a network of a person's
    own. Raises UsageRefused.
    """
    own = own or {}
    varied = [field.name for field in fields(Augmentation)]
    known = [*_OF_NETWORK.get(recipe.network, ()), *_OF_ALL]
    _check_known(given, [*known, *varied, *own, "size", "augment"], recipe.network)
    arguments = {
        name: read_like(name, text, type(own[name])) for name, text in given.items() if name in own
    }
    recipe = replace(recipe, arguments=tuple(sorted(arguments.items())))
    given = {name: text for name, text in given.items() if name not in own}
    if "size" in given:
        recipe = recipe.with_image_size(read_like("size", given["size"], int))
    if "augment" in given:
        augmentation = AUGMENTATIONS[read_like("augment", given["augment"], str)]
        recipe = recipe.with_augmentation(augmentation)
    if "optimizer" in given:
        rate = LEARNING_RATES[read_like("optimizer", given["optimizer"], str)]
        recipe = replace(recipe, learning_rate=rate)
    stages = tuple(
        replace(stage, augmentation=_replaced(stage.augmentation, given, varied))
        for stage in recipe.stages
    )
    return replace(_replaced(recipe, given, known), stages=stages)


def change_transfer(settings: Transfer, given: Mapping[str, str]) -> Transfer:
    """Change any number of the settings, and of all of their stages. Raises UsageRefused."""
    of_stages = [name for name in _numbers_of(settings.stages[0]) if name not in _OF_TRANSFER]
    known = [name for name in _numbers_of(settings) if name not in _OF_TRANSFER]
    _check_known(given, [*known, *of_stages, *_OF_TRANSFER], settings.network)
    size = read_like("size", given["size"], int) if "size" in given else None
    rate = None
    if "learning_rate" in given:
        rate = read_like("learning_rate", given["learning_rate"], float)
    settings = settings.changed(learning_rate=rate, size=size)
    stages = tuple(_replaced(stage, given, of_stages) for stage in settings.stages)
    return _replaced(replace(settings, stages=stages), given, known)


def read_like(name: str, text: str, kind: Any) -> Any:
    """Read a value of a type: a number, yes or no, a word, several whole numbers.

    Raises UsageRefused, also for a number that makes no sense for this name.
    """
    if type(None) in get_args(kind):
        (kind,) = (one for one in get_args(kind) if one is not type(None))
    example = {bool: "yes or no", int: "a whole number", float: "a number"}.get(kind, "32,64,128")
    choices = tuple(Schedule) if kind is Schedule else _CHOICES.get(name)
    if choices:
        example = " or ".join(choices)
    try:
        if choices and text not in choices:
            raise ValueError
        if kind is bool:
            return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}[
                text.lower()
            ]
        if get_args(kind):
            return tuple(int(_in_range(name, int(one), (1, 4096))) for one in text.split(","))
        if kind is int:
            return int(_in_range(name, int(text), (1, 4096)))
        return _in_range(name, float(text), (0, 1)) if kind is float else kind(text)
    except (ValueError, KeyError) as error:
        why = str(error) if str(error).startswith("it is") else f"it is {example}"
        raise UsageRefused(f"--set {name}={text}: {why}.") from error


def _in_range(name: str, value: float, usual: tuple[float, float]) -> float:
    low, high = _RANGES.get(name, usual)
    if not low <= value <= high:
        raise ValueError(f"it is {low:g} to {high:g}")
    return value


def _numbers_of(settings: Any) -> list[str]:
    kinds = get_type_hints(type(settings))
    return [field.name for field in fields(settings) if kinds[field.name] in (int, float)]


def _replaced(settings: Settings, given: Mapping[str, str], known: Sequence[str]) -> Settings:
    kinds = get_type_hints(type(settings))
    values = {
        name: read_like(name, text, kinds[name]) for name, text in given.items() if name in known
    }
    return replace(settings, **values)  # type: ignore[type-var]


def _check_known(given: Mapping[str, str], known: Sequence[str], network: str) -> None:
    for name in given:
        if name in ("epochs", "network"):
            raise UsageRefused(f"--set {name}: it has an option of its own, --{name}.")
        if name not in known:
            names = ", ".join(sorted([*known, "hold_out"]))
            raise UsageRefused(f"--set {name}: {network} has no such setting. It has {names}.")
