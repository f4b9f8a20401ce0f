"""The options that belong to training a whole network, and the settings that they come to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.errors import UsageRefused
from core.runtime.console import echo
from core.training.extra import load_training_packages

# What it needs is imported by it, so that --help does not wait for TensorFlow.
if TYPE_CHECKING:
    from core.training.networks.recipe import Recipe
    from core.training.networks.transfer.learning import Transfer
    from core.training.networks.unfinished import Begun

PRETRAINED = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")
FROM_SCRATCH = ("residual", "sequential-bn", "vgg-small", "minimal")


class NetworkName(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions
    """A network by its name, or a function in a file of a person's own that makes one."""

    name = "network"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join((*PRETRAINED, *FROM_SCRATCH))}|FILE.py:FUNCTION]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in (*PRETRAINED, *FROM_SCRATCH) and ".py:" not in value:
            self.fail(
                f"{value!r} is none of {', '.join((*PRETRAINED, *FROM_SCRATCH))}, and no function "
                "in a file of your own, such as my_network.py:build.",
                param,
                ctx,
            )
        return value


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """The options that belong to training a whole network; None where they were not given."""

    epochs: float | None
    batch_size: int | None
    optimizer: str | None
    learning_rate: float | None
    augment: str | None
    image_size: int | None
    seed: int | None
    patience: int | None
    set: tuple[str, ...] | None  # of NAME=VALUE

    @property
    def given(self) -> list[str]:
        """Name those that were given, as on the command line."""
        values = {name: getattr(self, name) for name in self.__slots__}
        absent: tuple[object, ...] = (None, ())
        return [f"--{name.replace('_', '-')}" for name, one in values.items() if one not in absent]


def newest_run_of(models_dir: Path) -> Begun:
    """Find the newest run that was interrupted. Raises UsageRefused and ExtraMissing."""
    load_training_packages("train", "core.training.networks.train_from_scratch", extra="keras")
    from core.model.registry import UNFINISHED
    from core.training.networks.unfinished import newest_run

    return newest_run(models_dir / UNFINISHED)


def begun_settings(begun: Begun) -> Recipe | Transfer:
    """Give the settings that an interrupted run began with. Raises UsageRefused."""
    from core.training.networks.recipe import recipe_from
    from core.training.networks.transfer.learning import Transfer

    try:
        if begun.network in PRETRAINED:
            return Transfer.read(begun.settings)
        return recipe_from(begun.settings)
    except (TypeError, KeyError, ValueError) as error:
        raise UsageRefused(
            f"The unfinished run {begun} is of another version of catdog. Start anew without "
            "--resume."
        ) from error


def transfer_of(network: str, options: NetworkOptions) -> Transfer:
    from core.training.networks.settings import parse, with_numbers
    from core.training.networks.transfer.learning import Transfer

    if options.optimizer or options.augment or options.patience:
        raise UsageRefused(
            f"--optimizer, --augment and --patience are not for {network}. Leave them out."
        )
    given = {"batch_size": options.batch_size, "seed": options.seed}
    settings = Transfer(network=network, **{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]
    settings = settings.changed(
        epochs=options.epochs, learning_rate=options.learning_rate, size=options.image_size
    )
    return with_numbers(settings, parse(options.set or ()), network)


def recipe_of(network: str, options: NetworkOptions) -> Recipe:

    from core.training.networks.fitting.optimizer import LEARNING_RATES
    from core.training.networks.recipe import AUGMENTATIONS, RECIPES, classic
    from core.training.networks.settings import parse, with_settings

    own: dict[str, Any] = {}
    if network in RECIPES:
        recipe = RECIPES[network]
    else:
        from core.training.networks.architectures.own import settings_of

        own, recipe = settings_of(network), classic(network)
    if options.epochs is not None:
        if options.epochs != int(options.epochs):
            raise UsageRefused(f"--epochs is a whole number for {network}.")
        recipe = recipe.with_epochs(int(options.epochs))
    if options.image_size is not None:
        recipe = recipe.with_image_size(options.image_size)
    if options.augment is not None:
        recipe = recipe.with_augmentation(AUGMENTATIONS[options.augment])
    if options.optimizer is not None:
        rate = LEARNING_RATES[options.optimizer]
        recipe = replace(recipe, optimizer=options.optimizer, learning_rate=rate)
    given = {
        "learning_rate": options.learning_rate,
        "batch_size": options.batch_size,
        "seed": options.seed,
        "patience": options.patience,
    }
    recipe = replace(recipe, **{key: value for key, value in given.items() if value is not None})  # type: ignore[arg-type]
    return with_settings(recipe, parse(options.set or ()), own)


def list_networks(context: click.Context, *, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    load_training_packages("train", "core.training.networks.transfer.learning", extra="keras")
    from core.training.networks.architectures import ARCHITECTURES, build, multiply_adds
    from core.training.networks.architectures.efficientnet_lite import efficientnet_lite
    from core.training.networks.recipe import RECIPES
    from core.training.networks.transfer.learning import Transfer

    size = Transfer().size
    for name in PRETRAINED:
        network = efficientnet_lite(name, size)
        echo(
            f"{name}: inverted residual blocks, from ImageNet's weights; "
            f"{network.count_params() / 1e6:.1f} M parameters, "
            f"{multiply_adds(network) / 1e6:.0f} M multiply-adds at {size} px"
        )
    for name, architecture in ARCHITECTURES.items():
        recipe = RECIPES[name]
        network = build(recipe, 3, size=recipe.size)
        echo(
            f"{name}: {architecture.summary}; {network.count_params() / 1e6:.1f} M parameters, "
            f"{multiply_adds(network) / 1e6:.0f} M multiply-adds at {recipe.size} px, "
            f"{recipe.optimizer}, {recipe.epochs} epochs"
        )
    context.exit()
