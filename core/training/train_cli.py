"""The command that trains."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.console import Terminal, echo
from core.options import Settings, option, pass_settings
from core.paths import display
from core.training.extra import load_training_packages

# What it needs is imported by it, so that --help does not wait for TensorFlow.
if TYPE_CHECKING:
    from core.training.recipe import Recipe
    from core.training.run import Trained

_MOST_SUSPICIOUS = 5  # labels that look wrong, on the terminal; the report has more


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
    type=click.Choice(("current", "scratch")),
    help="Go on from the model that serves, in minutes, keeping its classes; or begin anew.  "
    "[default: current; scratch where --architecture or --image-size is given]",
)
@option(
    "--architecture",
    type=click.Choice(("default", "sequential-bn", "vgg-small", "minimal")),
    help="The network; all but the default are those that people learn with.  [default: default]",
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
    "--check",
    is_flag=True,
    help="Train nothing, but tell what there is to learn from, what is wrong with it, and about "
    "how long it would take.",
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
@option(
    "--promote/--no-promote",
    default=None,
    help="Have the model serve also where it has other classes than the one that serves; or never, "
    "and do not compare them.",
)
@option("--force", is_flag=True, help="Have the model serve, whatever the comparison says.")
@option("--resume", is_flag=True, help="Go on with the newest run that was interrupted.")
@option(
    "--finish",
    is_flag=True,
    help="With --resume: do not go on, but make a model of the best so far.",
)
@pass_settings
def train(
    settings: Settings,
    data: Path,
    output: Path | None,
    test: Path | None,
    start: str | None,
    architecture: str | None,
    epochs: int | None,
    batch_size: int | None,
    optimizer: str | None,
    learning_rate: float | None,
    augment: str,
    image_size: int | None,
    seed: int | None,
    leave_out: tuple[str, ...],
    check: bool,
    find_label_faults: bool,
    with_feedback: bool,
    trust_filed: bool,
    promote: bool | None,
    force: bool,
    resume: bool,
    finish: bool,
) -> None:
    """Train a model on DATA, which holds cats/, dogs/ and, if wanted, other/.

    Or any two or more folders, each a class; or train/ with those in it, and if wanted validation/
    and test/. Photos are only read. Without validation/ one in ten is held out, chosen by its
    content, to calibrate by.

    The new model serves from then on if it is no worse than the one that serves, on photos from
    which neither learnt; report.html beside it says why, or why not.
    """
    load_training_packages("train", "core.training.run")
    from core.errors import CatdogError, UsageRefused
    from core.model_store import find_model
    from core.store import Store
    from core.training.inputs import Known
    from core.training.recipe import LABEL_FAULTS
    from core.training.run import train as run

    if finish and not resume:
        raise UsageRefused("--finish makes a model of an interrupted run: give --resume, too.")
    if promote is False and force:
        raise UsageRefused("--force and --no-promote contradict each other. Leave one out.")
    recipe, current = _begin(settings.models_dir, start, architecture, image_size)
    if find_label_faults:
        recipe, current = LABEL_FAULTS, None
    recipe = _changed(
        recipe,
        epochs=epochs,
        image_size=image_size,
        augment=augment,
        optimizer=optimizer,
        learning_rate=learning_rate,
        batch_size=batch_size,
        seed=seed,
    )
    if find_label_faults:
        _list_label_faults(data, recipe, settings.models_dir, output)
        return
    with ExitStack() as stack:
        store = None
        if settings.state_dir.is_dir():
            store = stack.enter_context(closing(Store(settings.state_dir)))
        known = Known(store, feedback=with_feedback, trust_filed=trust_filed)
        if check:
            from core.training.check import check as check_data

            check_data(
                data, recipe, known=known, current=current, console=Terminal(), leave_out=leave_out
            )
            return
        try:
            trained = run(
                data,
                recipe,
                models_dir=settings.models_dir,
                console=Terminal(),
                output=output,
                test=test,
                leave_out=leave_out,
                known=known,
                current=current,
                against=None if promote is False else find_model(settings.models_dir),
                resume=resume,
                finish=finish,
            )
        except KeyboardInterrupt:
            echo(
                "What was learnt so far is kept: --resume goes on, --resume --finish makes a model "
                "of the best so far.",
                err=True,
            )
            raise
        except OSError as error:  # a full disk, or one that went away
            raise CatdogError(
                f"{error.strerror or error}: {display(settings.models_dir)} cannot be written to. "
                "Make room there. If an epoch was done, --resume goes on after it."
            ) from error
    _tell(trained, settings.models_dir, output, promote=promote, force=force)


def _begin(
    models_dir: Path, start: str | None, architecture: str | None, image_size: int | None
) -> tuple[Recipe, Path | None]:
    """Choose what a training begins with: a recipe, and the model that it goes on from, if any."""
    from core.errors import UsageRefused
    from core.manifest import read_manifest
    from core.model_store import find_model
    from core.training.fine_tune import recipe_for
    from core.training.recipe import RECIPES

    if start is None:  # who names a network wants a new one
        start = "current" if architecture is None and image_size is None else "scratch"
    if start == "scratch":
        return RECIPES[architecture or "default"], None
    if architecture is not None or image_size is not None:
        raise UsageRefused(
            f"{'--image-size' if architecture is None else '--architecture'} is that of the model "
            "that --from current goes on from. Leave it out, or train --from scratch."
        )
    current = find_model(models_dir)
    return recipe_for(read_manifest(current)), current


def _changed(
    recipe: Recipe,
    *,
    epochs: int | None,
    image_size: int | None,
    augment: str,
    optimizer: str | None,
    **given: Any,
) -> Recipe:
    """Change a recipe as the command line says; None changes nothing."""
    from dataclasses import replace

    from core.training.optimizer import LEARNING_RATES
    from core.training.recipe import AUGMENTATIONS

    if epochs is not None:
        recipe = recipe.with_epochs(epochs)
    if image_size is not None:
        recipe = recipe.with_image_size(image_size)
    if augment != "default":
        recipe = recipe.with_augmentation(AUGMENTATIONS[augment])
    if optimizer is not None:
        recipe = replace(recipe, optimizer=optimizer, learning_rate=LEARNING_RATES[optimizer])
    return replace(recipe, **{key: value for key, value in given.items() if value is not None})


def _tell(
    trained: Trained, models_dir: Path, output: Path | None, *, promote: bool | None, force: bool
) -> None:
    """Print what a training came to, and have its model serve if it may."""
    from core.promotion import promote as promote_model
    from core.training.report.training_page import REPORT

    manifest, comparison = trained.manifest, trained.comparison
    for part, figures in manifest.metrics.items():
        echo(f"{part.capitalize()}: {figures['accuracy']:.1%} of {figures['photos']} right")
    for mistake in trained.suspicious[:_MOST_SUSPICIOUS]:
        echo(f"Is this label right? {mistake}")
    if (more := len(trained.suspicious) - _MOST_SUSPICIOUS) > 0:
        echo(f"And {more} more labels that look wrong: the report lists them.")
    echo(f"The model {manifest.version} is in {display(trained.folder)}, with its {REPORT}.")
    if output is not None:
        choice = display(output)
        echo(f"Use it with --model {choice}, or everywhere with CATDOG_MODEL={choice}.")
    by_hand = f"`catdog models promote {manifest.version}`"
    if comparison is None:
        if output is None:
            echo(f"Use it with --model {manifest.version}, or everywhere with {by_hand}.")
        return
    echo(f"Against {comparison.current}, which serves, on photos from which neither learnt:")
    for finding in comparison.findings:
        echo(f"  {'+' if finding.speaks_for else '-'} {finding.sentence}")
    if output is not None:
        return
    if not (force or (comparison.other_classes and promote) or comparison.is_no_worse):
        way = "--promote" if comparison.other_classes else "--force"
        echo(
            f"{comparison.current} goes on serving. If you know better: {by_hand}, or {way} the "
            "next time."
        )
        return
    before = promote_model(models_dir, manifest.version)
    echo(
        f"{manifest.version} serves now, in the place of {before}. `catdog models rollback` takes "
        "that back."
    )


def _list_architectures(context: click.Context, *, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    load_training_packages("train", "core.training.architectures")
    from core.training.architectures import ARCHITECTURES, build, multiply_adds
    from core.training.recipe import RECIPES

    for name, architecture in ARCHITECTURES.items():
        recipe = RECIPES[name]
        network = build(recipe, 3, size=recipe.size)
        echo(
            f"{name}: {architecture.summary}; {network.count_params() / 1e6:.1f} M parameters, "
            f"{multiply_adds(network) / 1e6:.0f} M multiply-adds at {recipe.size} px, "
            f"{recipe.optimizer}, {recipe.epochs} epochs"
        )
    context.exit()


def _list_label_faults(data: Path, recipe: Recipe, models_dir: Path, output: Path | None) -> None:
    """Print the photos whose labels look wrong, and draw sheets of them in `output`."""
    from core.output_files import refuse_if_not_empty, writing
    from core.training.label_faults import firmly_wrong, predict_all
    from core.training.report.mistakes import MOST, write_sheets

    if output is not None:
        refuse_if_not_empty(output, "--output")
    predicted, labels = predict_all(data, recipe, models_dir=models_dir, console=Terminal())
    for fault in predicted.faults:
        echo(f"Skipped: {fault.reason}")
    firm = firmly_wrong(predicted, labels)
    for mistake in firm:
        echo(str(mistake))
    echo(
        f"{len(firm)} of {len(predicted.photos)} labels look wrong, firmest first. Look at them: "
        "a network is wrong more often than people are. Nothing was changed."
    )
    if output is not None:
        with writing(output):
            write_sheets(firm[:MOST], output)
