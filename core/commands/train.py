"""The command that trains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.commands.network_options import (
    PRETRAINED,
    NetworkName,
    NetworkOptions,
    begun_settings,
    list_networks,
    newest_run_of,
    recipe_of,
    transfer_of,
)
from core.commands.options import Settings, option, pass_settings
from core.commands.train_output import tell_figures, tell_head, tell_label_errors
from core.paths import display
from core.runtime.console import Terminal, echo
from core.training.extra import load_training_packages

# What it needs is imported by it, so that --help does not wait for TensorFlow.
if TYPE_CHECKING:
    from core.training.data.inputs import Known
    from core.training.networks.recipe import Recipe
    from core.training.networks.transfer.learning import Transfer


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
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
    "--sources",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Table of where photos come from: file,source,kind.  [default: sources.csv beside the "
    "class folders, if it is there]",
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
    "--trust-filed",
    is_flag=True,
    help="Learn also from photos in DATA that catdog itself filed and nobody corrected.",
)
@option(
    "--promote/--no-promote",
    default=None,
    help="Have the model serve also where classes of the current one are gone; or never, and do "
    "not compare them.",
)
@option("--force", is_flag=True, help="Have the model serve, whatever the comparison says.")
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
@option("--batch-size", type=click.IntRange(min=2), help="With --network: photos in each step.")
@option(
    "--optimizer",
    type=click.Choice(("muon", "adamw", "adam", "rmsprop", "sgd")),
    help="With --network from scratch: what changes the weights.  [default: muon for residual, "
    "adam for the others]",
)
@option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    help="With --network: its highest rate; after a warm-up it falls to nothing, or stays with "
    "--set schedule=constant.",
)
@option(
    "--augment",
    type=click.Choice(("none", "light", "strong")),
    help="With --network from scratch: how much photos are varied each time they are seen.  "
    "[default: the network's own]",
)
@option(
    "--image-size",
    type=click.IntRange(min=32, max=512),
    metavar="PIXELS",
    help="With --network: the side of the square that photos are squashed to.",
)
@option(
    "--patience",
    type=click.IntRange(min=1),
    help="With --network from scratch: end after so many epochs without a better one.  [default: "
    "all epochs are trained, and the best is kept]",
)
@option(
    "--set",
    metavar="NAME=VALUE",
    multiple=True,
    help="With --network: another setting of its, such as dropout=0.3, widths=16,32,64, dense=64, "
    "rotation=15, schedule=constant. A wrong name is answered with all that there are. May be "
    "given several times.",
)
@option("--seed", type=click.IntRange(min=0), help="With --network: start of all random numbers.")
@option(
    "--hold-out",
    metavar="SOURCE",
    multiple=True,
    help="With --network: learn nothing from photos of this source, but calibrate by them. May be "
    "given several times.",
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
def train(
    context: click.Context,
    settings: Settings,
    /,
    data: Path,
    output: Path | None,
    test: Path | None,
    sources: Path | None,
    classes: str,
    check: bool,
    find_label_errors: bool,
    with_feedback: bool,
    trust_filed: bool,
    promote: bool | None,
    force: bool,
    network: str | None,
    hold_out: tuple[str, ...],
    resume: bool,
    finish: bool,
    **given: Any,
) -> None:
    """Train a model on DATA, which holds cats/, dogs/ and, if wanted, other/.

    Or any two or more folders, each a class; or train/ with those in it, and if wanted validation/
    and test/; or photos named cat.1.jpg, dog.1.jpg; or a CSV of file and label; or a zip or tar of
    any of these. Photos are only read.

    Without --network only the head of the model that serves is trained, in seconds, beside photos
    that come with catdog. The new model serves from then on if it is no worse than the current
    one, on photos from which neither learnt; report.html beside it says why, or why not.
    """
    from core.errors import UsageRefused

    options = NetworkOptions(**given)
    if finish and not resume:
        raise UsageRefused("--finish makes a model of an interrupted run: give --resume, too.")
    if promote is False and force:
        raise UsageRefused("--force and --no-promote contradict each other. Leave one out.")
    extra = [*options.given, *(["--hold-out"] if hold_out else ())]
    goes_on = resume and network is None and not extra  # with what that run began with
    if network is None and not goes_on:
        extra += ["--resume"] if resume else []
        if extra:
            raise UsageRefused(
                f"{', '.join(extra)}: only a whole network is trained so. Name one with --network, "
                "or leave it out."
            )
        load_training_packages("train", "core.training.head.train_head")
    elif find_label_errors or classes != "add" or promote or force:
        raise UsageRefused("--network trains a whole network: leave out what is for heads alone.")
    else:
        load_training_packages("train", "core.training.networks.train_from_scratch", extra="keras")
    made: Recipe | Transfer | None = None
    if goes_on:
        begun = newest_run_of(settings.models_dir)
        made, hold_out = begun_settings(begun), begun.leave_out
    elif network is not None:
        made = (transfer_of if network in PRETRAINED else recipe_of)(network, options)
    from core.training.data.archives import unpacked

    folders = [context.with_resource(unpacked(one, echo)) if one else None for one in (data, test)]
    where = _Where(folders[0] or data, output, folders[1], sources)
    with _known(settings, feedback=with_feedback, trust_filed=trust_filed) as known:
        if made is None:
            _train_head(
                settings,
                where,
                known,
                replace_classes=classes == "replace",
                check=check,
                find_label_errors=find_label_errors,
                promote=promote,
                force=force,
            )
        else:
            _train_network(
                settings,
                where,
                known,
                made,
                hold_out,
                check=check,
                resume=resume,
                finish=finish,
            )


@dataclass(frozen=True, slots=True)
class _Where:
    """The folders and files that a training reads and writes."""

    data: Path
    output: Path | None
    test: Path | None
    sources: Path | None


@contextmanager
def _known(settings: Settings, *, feedback: bool, trust_filed: bool) -> Iterator[Known]:
    """Open what is kept of photos besides their folders, if there is anything."""
    from core.store.database import Store
    from core.training.data.inputs import Known

    if not settings.state_dir.is_dir():
        yield Known(None, feedback=feedback, trust_filed=trust_filed)
        return
    with closing(Store(settings.state_dir)) as store:
        settings.notice(store, settings.models_dir)
        yield Known(store, feedback=feedback, trust_filed=trust_filed)


def _train_head(
    settings: Settings,
    where: _Where,
    known: Known,
    *,
    replace_classes: bool,
    check: bool,
    find_label_errors: bool,
    promote: bool | None,
    force: bool,
) -> None:
    from core.runtime.output_files import refuse_if_not_empty
    from core.training.head.train_head import Request, train_head
    from core.training.head.train_head import check as check_photos
    from core.training.head.train_head import find_label_errors as find

    if where.output is not None:
        refuse_if_not_empty(where.output, "--output")
    request = Request(
        where.data, settings.models_dir, known, where.sources, replaces_classes=replace_classes
    )
    console = Terminal()
    with _explained(settings.models_dir):
        if check:
            check_photos(request, console=console)
            return
        if find_label_errors:
            tell_label_errors(find(request, console=console), where.output or settings.state_dir)
            return
        trained = train_head(
            request,
            console=console,
            output=where.output,
            test=where.test,
            compares=promote is not False,
            may_serve=lambda it: force or bool(it.other_classes and promote) or it.is_no_worse,
        )
    tell_head(trained, settings.models_dir, where.output)


def _train_network(
    settings: Settings,
    where: _Where,
    known: Known,
    made: Recipe | Transfer,
    hold_out: tuple[str, ...],
    *,
    check: bool,
    resume: bool,
    finish: bool,
) -> None:
    from core.errors import UsageRefused
    from core.training.check import check as check_data
    from core.training.networks.train_from_scratch import train as train_from_scratch
    from core.training.networks.train_transfer import train_network
    from core.training.networks.transfer.learning import Transfer

    shared: dict[str, Any] = {
        "models_dir": settings.models_dir,
        "console": Terminal(),
        "known": known,
        "sources": where.sources,
    }
    files: dict[str, Any] = {"output": where.output, "test": where.test, "resume": resume}
    try:
        with _explained(settings.models_dir):
            if isinstance(made, Transfer):
                if check or finish:
                    raise UsageRefused(f"--check and --finish are not for {made.network}.")
                trained = train_network(where.data, made, hold_out=hold_out, **files, **shared)
                folder, manifest = trained.folder, trained.manifest
            elif check:
                del shared["models_dir"]
                check_data(where.data, made, leave_out=hold_out, **shared)
                return
            else:
                done = train_from_scratch(
                    where.data,
                    made,
                    leave_out=hold_out,
                    finish=finish,
                    **files,
                    **shared,
                )
                folder, manifest = done.folder, done.manifest
    except KeyboardInterrupt:
        echo("What was learnt so far is kept: --resume goes on.", err=True)
        if not isinstance(made, Transfer):
            echo("--resume --finish makes a model of the best so far.", err=True)
        raise
    tell_figures(manifest.metrics)
    echo(f"The model {manifest.version} is in {display(folder)}.")
    if not isinstance(made, Transfer):
        echo("Its model.keras takes pixels from 0 to 255, not from 0 to 1: docs/learning.md.")
    if where.output is None:
        echo(
            f"Use it with --model {manifest.version}, or everywhere with `catdog models promote "
            f"{manifest.version}`."
        )


@contextmanager
def _explained(models_dir: Path) -> Iterator[None]:
    """Say of a full disk, or one that went away, what to do."""
    from core.errors import CatdogError

    try:
        yield
    except OSError as error:
        place = Path(error.filename) if isinstance(error.filename, str) else models_dir
        raise CatdogError(
            f"{error.strerror or error}: {display(place)}. Make room there, or see to it, "
            "and train again; --resume goes on after what --network had learnt."
        ) from error
