"""What `catdog train` prints of the model that it made, and whether that serves from now on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.paths import display
from core.runtime.console import echo
from core.training.extra import load_training_packages

# What it needs is imported by it, so that --help does not wait for it.
if TYPE_CHECKING:
    from core.training.head.train_head import TrainedHead
    from core.training.networks.train_network import TrainedNetwork
    from core.training.report.label_errors_page import LabelErrors

_MOST_SHOWN = 5  # labels that look wrong, on the terminal; the report has more


def show_head(trained: TrainedHead, models_dir: Path, output: Path | None) -> None:
    """Print what a training came to, and have its model serve if it may."""
    from core.model.promotion import promote as promote_model
    from core.training.report.training_page import REPORT

    manifest, comparison = trained.manifest, trained.comparison
    _show_figures(manifest.metrics)
    for mistake in trained.label_errors[:_MOST_SHOWN]:
        echo(f"Is this label right? {mistake}")
    if (more := len(trained.label_errors) - _MOST_SHOWN) > 0:
        echo(f"And {more} more labels that look wrong: the report lists them.")
    echo(
        f"The model {manifest.version} is in {display(trained.folder)}, with its {REPORT}; it took "
        f"{manifest.recipe['seconds']:.0f} s."
    )
    if output is not None:
        choice = display(output)
        echo(f"Use it with --model {choice}, or everywhere with CATDOG_MODEL={choice}.")
        return
    if comparison is None:
        _show_promotion(manifest.version)
        return
    echo(f"Against {comparison.current}, which serves, on photos from which neither learnt:")
    for finding in comparison.findings:
        echo(f"  {'+' if finding.speaks_for else '-'} {finding.sentence}")
    if not trained.serves:
        echo(
            f"{comparison.current} goes on serving. If you know better: `catdog models promote "
            f"{manifest.version}`, or --promote the next time."
        )
        return
    before = promote_model(models_dir, manifest.version)
    echo(
        f"{manifest.version} serves now, in the place of {before}. `catdog models rollback` takes "
        "that back."
    )


def show_network(trained: TrainedNetwork, output: Path | None, *, from_scratch: bool) -> None:
    """Print what a training of a whole network came to."""
    manifest = trained.manifest
    _show_figures(manifest.metrics)
    echo(f"The model {manifest.version} is in {display(trained.folder)}.")
    if from_scratch:
        echo("Its model.keras takes pixels from 0 to 255, not from 0 to 1: docs/learning.md.")
    if output is None:
        _show_promotion(manifest.version)


def _show_figures(metrics: dict[str, Any]) -> None:
    for part, figures in metrics.items():
        right = round(figures["accuracy"] * figures["photos"])
        echo(
            f"{part.capitalize()}: {figures['accuracy']:.1%} right "
            f"({right} of {figures['photos']}), loss {figures['loss']:.3f}"
        )


def _show_promotion(version: str) -> None:
    echo(f"Use it with --model {version}, or everywhere with `catdog models promote {version}`.")


def show_label_errors(found: LabelErrors, folder: Path) -> None:
    """Print the photos whose labels look wrong, and write a page of them to a folder."""
    from core.runtime.output_files import writing
    from core.training.report.label_errors_page import PAGE, label_errors_page

    for mistake in found.mistakes:
        echo(str(mistake))
    echo(f"{len(found.mistakes)} of {found.photos} labels look wrong, firmest first.")
    if found.mistakes:
        with writing(folder / PAGE):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / PAGE).write_text(label_errors_page(found), encoding="utf-8")
        echo(f"Look at them in {display(folder / PAGE)}: a model is wrong, too.")
    echo("Nothing was changed.")


def list_networks(context: click.Context, *, asked: bool) -> None:
    """Print a line about each network, and end the program, if that is asked for."""
    if not asked or context.resilient_parsing:
        return
    load_training_packages("train", "core.training.networks.train_network", extra="keras")
    from core.training.networks.architectures import ARCHITECTURES, build, multiply_adds
    from core.training.networks.architectures.efficientnet_lite import VARIANTS, efficientnet_lite
    from core.training.networks.recipe import RECIPES
    from core.training.networks.transfer.transfer_recipe import Transfer

    size = Transfer().size
    for name in VARIANTS:
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


@contextmanager
def explained_disk(models_dir: Path) -> Iterator[None]:
    """Turn a full disk, or one that went away, into an error that says what to do."""
    from core.errors import CatdogError

    try:
        yield
    except OSError as error:
        place = Path(error.filename) if isinstance(error.filename, str) else models_dir
        raise CatdogError(
            f"{error.strerror or error}: {display(place)}. Make room there, or see to it, "
            "and train again; --resume goes on after what --network had learnt."
        ) from error
