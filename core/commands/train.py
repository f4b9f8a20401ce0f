"""The command that trains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.commands.options import Settings, option, pass_settings
from core.commands.train_output import (
    explained_disk,
    list_networks,
    show_head,
    show_label_errors,
    show_network,
)
from core.errors import UsageRefused
from core.runtime.console import Terminal, echo
from core.training.data.train_options import TrainOptions
from core.training.extra import load_training_packages

# What it needs is imported by it, so that --help does not wait for TensorFlow.
if TYPE_CHECKING:
    from core.store.database import Store
    from core.training.data.inputs import TrainContext
    from core.training.networks.recipe import Recipe
    from core.training.networks.transfer.transfer_recipe import Transfer

_PRETRAINED = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")
_FROM_SCRATCH = ("residual", "sequential-bn", "vgg-small", "minimal")


class NetworkName(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions
    """A network by its name, or a function in a file of a person's own that makes one."""

    name = "network"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join((*_PRETRAINED, *_FROM_SCRATCH))}|FILE.py:FUNCTION]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in (*_PRETRAINED, *_FROM_SCRATCH) and ".py:" not in value:
            self.fail(
                f"{value!r} is none of {', '.join((*_PRETRAINED, *_FROM_SCRATCH))}, and no "
                "function in a file of your own, such as my_network.py:build.",
                param,
                ctx,
            )
        return value


@click.command()
@click.argument("data", type=click.Path(path_type=Path), required=False)
@option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the model to this folder, new or empty; with --find-label-errors, the page.  "
    "[default: a new version in the models folder; for the page the state folder]",
)
@option(
    "--test",
    type=click.Path(path_type=Path),
    help="Labelled folders to measure the finished model on, once.",
)
@option(
    "--classes",
    type=click.Choice(("add", "replace")),
    default="add",
    show_default=True,
    help="What folders do that the current model has no class for: they are added to its classes; "
    "or photos are filed into DATA's classes alone.",
)
@option(
    "--check",
    is_flag=True,
    help="Train nothing, but tell what there is to learn from and what is wrong with it.",
)
@option(
    "--find-label-errors",
    is_flag=True,
    help="Make no model, but list the photos whose labels look wrong to heads that have not seen "
    "them, and write a page that shows them.",
)
@option(
    "--with-feedback",
    is_flag=True,
    help="Learn also from the photos that people labelled in the bot, or by moving them.",
)
@option(
    "--with-table",
    metavar="TABLE:COLUMN",
    help="Learn also, or without DATA only, from photos that a column of an archive's table labels "
    "where it is not empty: cat, dog, other, or a name of your own.",
)
@option(
    "--trust-filed",
    is_flag=True,
    help="Learn also from photos in DATA that catdog itself filed and nobody corrected.",
)
@option(
    "--promote/--no-promote",
    default=None,
    help="Have the model serve, whatever the comparison with the current one says; or never, and "
    "do not compare them.  [default: it serves if it is no worse]",
)
@option(
    "--network",
    type=NetworkName(),
    help="Train a whole network with Keras, in an hour or more, not the head of the one that "
    "serves: one that begins with ImageNet's weights, one from scratch to learn how networks work, "
    "or a Keras model of your own, which FUNCTION makes of (size, classes).",
)
@option(
    "--list-networks",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, parameter, value: list_networks(context, asked=value),
    help="Print each network's layers, parameters and multiply-adds, and end.",
)
@option(
    "--epochs",
    type=click.FloatRange(min=0, min_open=True),
    help="With --network: times to go through the photos, in all.",
)
@option(
    "--set",
    metavar="NAME=VALUE",
    multiple=True,
    help="With --network: another setting of its, such as size=96 (pixels), batch_size=32, "
    "optimizer=sgd (muon, adamw, adam, rmsprop), learning_rate=0.01, augment=none (light, strong), "
    "patience=5, seed=2, dropout=0.3, widths=16,32,64, dense=64, rotation=15, schedule=constant, "
    "hold_out=SOURCE (of which nothing is learnt, to calibrate by). A wrong name is answered with "
    "all that there are. May be given several times.",
)
@option(
    "--resume",
    is_flag=True,
    help="Go on with the newest run of a network that was interrupted, with its settings.",
)
@option(
    "--finish",
    is_flag=True,
    help="With --resume, from scratch: do not go on, but make a model of the best so far.",
)
@pass_settings
@click.pass_context
def train(context: click.Context, settings: Settings, /, **given: Any) -> None:
    """Train a model on DATA, which holds cats/, dogs/ and, if wanted, other/.

    Or any two or more folders, each a class; or train/ with those in it, and if wanted validation/
    and test/; or photos named cat.1.jpg, dog.1.jpg; or a CSV of file and label; or a zip or tar of
    any of these. Photos are only read.

    Without --network only the head of the model that serves is trained, in seconds, beside photos
    that come with catdog. The new model serves from then on if it is no worse than the current
    one, on photos from which neither learnt; report.html beside it says why, or why not.
    """
    options = TrainOptions(**given)
    recipe, held_out_sources = _recipe(options, settings.models_dir)
    from core.training.data.archives import unpacked
    from core.training.data.inputs import TrainContext

    def folder(given: Path) -> Path:
        return context.with_resource(unpacked(given, echo))

    options = replace(
        options,
        data=options.data and folder(options.data),
        test=options.test and folder(options.test),
        held_out_sources=held_out_sources,
    )
    store = context.with_resource(_store(settings))
    training = TrainContext(settings.models_dir, Terminal(), store)
    with explained_disk(settings.models_dir):
        if recipe is None:
            _train_head(options, training, settings.state_dir)
        else:
            _train_network(options, training, recipe)


def _recipe(
    options: TrainOptions, models_dir: Path
) -> tuple[Recipe | Transfer | None, tuple[str, ...]]:
    """Return the recipe of the network that is asked for, None for a head; and held-out sources.

    Raises UsageRefused for options that do not go together, and ExtraMissing.
    """
    labels = options.with_feedback or options.with_table is not None
    if options.data is None and not (labels and options.network is None):
        raise UsageRefused(
            "Name a folder with cats/ and dogs/, or learn from what people said with "
            "--with-feedback or --with-table alone."
        )
    if options.finish and not options.resume:
        raise UsageRefused("--finish makes a model of an interrupted run: give --resume, too.")
    given = [
        name for name, value in (("--epochs", options.epochs), ("--set", options.set)) if value
    ]
    resumes_as_begun = options.resume and options.network is None and not given
    if options.network is None and not resumes_as_begun:
        given += ["--resume"] if options.resume else []
        if given:
            raise UsageRefused(
                f"{', '.join(given)}: only a whole network is trained so. Name one with --network, "
                "or leave it out."
            )
        load_training_packages("train", "core.training.head.train_head")
        return None, ()
    if options.find_label_errors or options.classes != "add" or options.promote:
        raise UsageRefused("--network trains a whole network: leave out what is for heads alone.")
    load_training_packages("train", "core.training.networks.train_network", extra="keras")
    from core.model.registry import UNFINISHED
    from core.training.networks.settings import parse, settings_for
    from core.training.networks.unfinished import newest_run

    if options.network is None:
        run = newest_run(models_dir / UNFINISHED)
        recipe, sources = run.recipe(), run.held_out_sources
    else:
        values = parse(options.set)
        sources = tuple(filter(None, values.pop("hold_out", "").split(",")))
        recipe = settings_for(options.network, options.epochs, values)
    if recipe.network in _PRETRAINED and (options.check or options.finish):
        raise UsageRefused(f"--check and --finish are not for {recipe.network}.")
    return recipe, sources


@contextmanager
def _store(settings: Settings) -> Iterator[Store | None]:
    """Open the store, with what people moved by hand noted in it, if there is one."""
    from core.store.database import Store

    if not settings.state_dir.is_dir():
        yield None
        return
    with closing(Store(settings.state_dir)) as store:
        settings.notice(store, settings.models_dir)
        yield store


def _train_head(options: TrainOptions, context: TrainContext, state_dir: Path) -> None:
    from core.runtime.output_files import refuse_if_not_empty
    from core.training.head import train_head

    if options.output is not None:
        refuse_if_not_empty(options.output, "--output")
    if options.check:
        train_head.check(options, context)
    elif options.find_label_errors:
        found = train_head.find_label_errors(options, context)
        show_label_errors(found, options.output or state_dir)
    else:
        show_head(train_head.train_head(options, context), context.models_dir, options.output)


def _train_network(options: TrainOptions, context: TrainContext, recipe: Recipe | Transfer) -> None:
    from core.training.check import check
    from core.training.networks.recipe import Recipe
    from core.training.networks.train_network import train_network

    from_scratch = isinstance(recipe, Recipe)
    if options.check and isinstance(recipe, Recipe):
        check(options, recipe, context)
        return
    try:
        trained = train_network(options, recipe, context)
    except KeyboardInterrupt:
        echo("What was learnt so far is kept: --resume goes on.", err=True)
        if from_scratch:
            echo("--resume --finish makes a model of the best so far.", err=True)
        raise
    show_network(trained, options.output, from_scratch=from_scratch)
