"""The commands that measure and train."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.console import Terminal, count_up, print_json
from core.errors import ExtraMissing
from core.options import (
    Settings,
    json_option,
    model_option,
    option,
    pass_settings,
    threshold_option,
)

# What these commands need is imported by them, so that --help does not wait for TensorFlow.
if TYPE_CHECKING:
    from core.training.recipe import Recipe

_TRAIN_PACKAGES = {
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "scipy",
    "sklearn",
    "matplotlib",
    "jinja2",
    "imagehash",
}


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@option(
    "--variations",
    is_flag=True,
    help="Measure cats and dogs turned, dark, blurred, small and two in one photo, too: 14 times "
    "the work.",
)
@option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with all figures, plots and the worst mistakes to this file.",
)
@option(
    "--mistakes",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write picture sheets of the worst mistakes to this folder, new or empty.",
)
@threshold_option
@model_option
@json_option
@pass_settings
def evaluate(
    settings: Settings,
    data: Path,
    variations: bool,
    html: Path | None,
    mistakes: Path | None,
    threshold: float | None,
    model_choice: str | None,
    json: bool,
) -> None:
    """Measure a model on labelled folders: DATA holds cats/, dogs/ and, if wanted, other/."""
    _load_training_packages("evaluate", "core.training.report.tables")
    if html is not None:
        _load_training_packages("evaluate", "core.training.report.evaluation_page")
    from core.errors import UsageRefused
    from core.image import display
    from core.model_store import find_model
    from core.output_files import refuse_if_not_empty, writing
    from core.training.examine import examine
    from core.training.labelled import scan
    from core.training.report.mistakes import worst_mistakes, write_sheets
    from core.training.report.tables import evaluation_lines, evaluation_object

    if mistakes is not None:
        refuse_if_not_empty(mistakes, "--mistakes")
    if html is not None and html.suffix.lower() not in (".html", ".htm"):
        raise UsageRefused(f"{display(html)} must end in .html: it is written over.")
    labelled = scan(data)
    work = len(labelled.photos) * (2 if variations else 1)
    with Terminal().progress("Measuring", work) as told:
        examination = examine(
            find_model(settings.models_dir, model_choice),
            labelled.photos,
            threshold=threshold,
            variations=variations,
            on_photo=count_up(told),
        )
    if html is not None:
        from core.training.report.evaluation_page import evaluation_page

        with writing(html):
            html.write_text(evaluation_page(examination), encoding="utf-8")
    if mistakes is not None:
        with writing(mistakes):
            predicted, labels = examination.measured.predicted, examination.manifest.labels
            write_sheets(worst_mistakes(predicted, labels), mistakes)
    if json:
        print_json(evaluation_object(examination))
        return
    for fault in examination.measured.predicted.faults:
        click.echo(f"Skipped: {fault.reason}", err=True)
    for line in evaluation_lines(examination):
        click.echo(line)


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the model to this folder, new or empty; with --find-label-faults, picture sheets.  "
    "[default: a new version in the models folder; no sheets]",
)
@option(
    "--test",
    type=click.Path(path_type=Path),
    help="Labelled folders to measure the finished model on, once.",
)
@option(
    "--from",
    "start",
    type=click.Choice(("scratch", "current")),
    default="scratch",
    show_default=True,
    help="Begin anew, or go on from the model that serves: minutes in the place of hours, and its "
    "classes are kept.",
)
@option(
    "--architecture",
    type=click.Choice(("default", "sequential-bn", "vgg-small", "minimal")),
    default="default",
    show_default=True,
    help="The network; all but the default are those that people learn with.",
)
@option(
    "--list-architectures",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, parameter, value: _list_architectures(context, asked=value),
    help="Print each network's layers, parameters and multiply-adds, and end.",
)
@option("--epochs", type=click.IntRange(min=1), help="Times to go through the photos, in all.")
@option("--batch-size", type=click.IntRange(min=2), help="Photos in each step.")
@option(
    "--optimizer",
    type=click.Choice(("muon", "adamw", "adam", "rmsprop", "sgd")),
    help="What changes the weights.  [default: muon; for the others' networks adam]",
)
@option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    help="Its highest rate: after a warm-up it falls to nothing.  [default: the optimizer's]",
)
@option(
    "--augment",
    type=click.Choice(("none", "light", "default", "strong")),
    default="default",
    show_default=True,
    help="How much photos are varied each time they are seen.",
)
@option(
    "--image-size",
    type=click.IntRange(min=32, max=512),
    metavar="PIXELS",
    help="The side of the square that photos are squashed to.  [default: the network's]",
)
@option("--seed", type=click.IntRange(min=0), help="Start of all random numbers.")
@option(
    "--leave-out",
    metavar="SOURCE",
    multiple=True,
    help="Learn nothing from photos whose names begin with this word and a dash, but calibrate by "
    "them. May be given several times.",
)
@option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append a line of JSON about the finished run to this file: settings, curves, figures.",
)
@option(
    "--find-label-faults",
    is_flag=True,
    help="Make no model, but list the photos whose labels look wrong: two short trainings, each on "
    "one half, judge the other.",
)
@option(
    "--with-feedback",
    is_flag=True,
    help="Learn also from the photos that people labelled in the bot, or by moving them.",
)
@option(
    "--trust-filed",
    is_flag=True,
    help="Learn also from photos in DATA that catdog itself filed and nobody corrected.",
)
@option("--resume", is_flag=True, help="Go on with the newest run that was interrupted.")
@pass_settings
def train(
    settings: Settings,
    data: Path,
    output: Path | None,
    test: Path | None,
    start: str,
    architecture: str,
    epochs: int | None,
    batch_size: int | None,
    optimizer: str | None,
    learning_rate: float | None,
    augment: str,
    image_size: int | None,
    seed: int | None,
    leave_out: tuple[str, ...],
    log: Path | None,
    find_label_faults: bool,
    with_feedback: bool,
    trust_filed: bool,
    resume: bool,
) -> None:
    """Train a model from scratch: DATA holds cats/, dogs/ and, if wanted, other/.

    Or any two or more folders, each a class; or train/ with those in it, and if wanted validation/
    and test/. Photos are only read. Without validation/ one in ten is held out, chosen by its
    content, to calibrate by.
    """
    _load_training_packages("train", "core.training.run")
    from dataclasses import replace

    from core.errors import UsageRefused
    from core.image import display
    from core.manifest import read_manifest
    from core.model_store import find_model
    from core.store import Store
    from core.training.fine_tune import recipe_for
    from core.training.optimizer import LEARNING_RATES
    from core.training.recipe import AUGMENTATIONS, LABEL_FAULTS, RECIPES
    from core.training.run import train as run

    recipe, current = LABEL_FAULTS if find_label_faults else RECIPES[architecture], None
    if start == "current" and not find_label_faults:
        current = find_model(settings.models_dir)
        recipe = recipe_for(read_manifest(current))
        if architecture != "default" or image_size is not None:
            raise UsageRefused(
                "--architecture and --image-size are those of the model that --from current goes "
                "on from. Leave them out, or train --from scratch."
            )
    if epochs is not None:
        recipe = recipe.with_epochs(epochs)
    if image_size is not None:
        recipe = recipe.with_image_size(image_size)
    if augment != "default":
        recipe = recipe.with_augmentation(AUGMENTATIONS[augment])
    if optimizer is not None:
        recipe = replace(recipe, optimizer=optimizer, learning_rate=LEARNING_RATES[optimizer])
    given: dict[str, Any] = {
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "seed": seed,
    }
    recipe = replace(recipe, **{key: value for key, value in given.items() if value is not None})
    if find_label_faults:
        _list_label_faults(data, recipe, settings.models_dir, output)
        return
    with ExitStack() as stack:
        store = None
        if settings.state_dir.is_dir():
            store = stack.enter_context(closing(Store(settings.state_dir)))
        trained = run(
            data,
            recipe,
            models_dir=settings.models_dir,
            console=Terminal(),
            output=output,
            test=test,
            leave_out=leave_out,
            log=log,
            store=store,
            current=current,
            feedback=with_feedback,
            trust_filed=trust_filed,
            resume=resume,
        )
    manifest = trained.manifest
    for part, figures in manifest.metrics.items():
        click.echo(f"{part.capitalize()}: {figures['accuracy']:.1%} of {figures['photos']} right")
    choice = display(trained.folder) if output else manifest.version
    everywhere = (
        f"CATDOG_MODEL={choice}" if output else f"`catdog models promote {manifest.version}`"
    )
    click.echo(
        f"The model {manifest.version} is in {display(trained.folder)}. Use it with --model "
        f"{choice}, or everywhere with {everywhere}."
    )


def _list_architectures(context: click.Context, *, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    _load_training_packages("train", "core.training.architectures")
    from core.training.architectures import ARCHITECTURES, build, multiply_adds
    from core.training.recipe import RECIPES

    for name, architecture in ARCHITECTURES.items():
        recipe = RECIPES[name]
        network = build(recipe, 3, size=recipe.size)
        click.echo(
            f"{name}: {architecture.summary}; {network.count_params() / 1e6:.1f} M parameters, "
            f"{multiply_adds(network) / 1e6:.0f} M multiply-adds at {recipe.size} px, "
            f"{recipe.optimizer}, {recipe.epochs} epochs"
        )
    context.exit()


def _list_label_faults(data: Path, recipe: Recipe, models_dir: Path, output: Path | None) -> None:
    """Print the photos whose labels look wrong, and draw sheets of them in `output`."""
    from core.image import display
    from core.output_files import refuse_if_not_empty, writing
    from core.training.label_faults import FIRMLY, predict_out_of_fold
    from core.training.report.mistakes import MOST, worst_mistakes, write_sheets

    if output is not None:
        refuse_if_not_empty(output, "--output")
    predicted, labels = predict_out_of_fold(data, recipe, models_dir=models_dir, console=Terminal())
    for fault in predicted.faults:
        click.echo(f"Skipped: {fault.reason}")
    wrong = worst_mistakes(predicted, labels, most=None)
    firm = [mistake for mistake in wrong if mistake.confidence >= FIRMLY]
    for mistake in firm:
        click.echo(
            f"{display(mistake.path)} says {mistake.label}; taken for {mistake.taken_for} "
            f"({mistake.confidence:.1%})"
        )
    click.echo(
        f"{len(firm)} of {len(predicted.photos)} labels look wrong, firmest first. Look at them: "
        "a network is wrong more often than people are. Nothing was changed."
    )
    if output is not None:
        with writing(output):
            write_sheets(firm[:MOST], output)


def _load_training_packages(command: str, module: str) -> None:
    """Import a module that needs the extra `train`. Raises ExtraMissing without it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read by TensorFlow as it is imported
    from core.quiet import quiet_native_stderr

    try:
        with quiet_native_stderr():
            import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _TRAIN_PACKAGES:
            raise
        raise ExtraMissing(
            f"catdog {command} needs packages that are not installed ({error.name}). Run in "
            "catdog's folder: pip install '.[train]'"
        ) from error
