"""The commands about models, and which one serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.commands.options import Settings, json_option, option, pass_settings
from core.runtime.console import echo, print_json

if TYPE_CHECKING:
    from core.model.promotion import StoredModel


@click.group()
def models() -> None:
    """Tell of models, and say which one serves.

    What runs picks up another model within seconds, unless it was started with --model.
    """


@models.command("list")
@json_option
@pass_settings
def list_(settings: Settings, json: bool) -> None:
    """List the models; a star marks the one that serves."""
    from core.model.promotion import list_models

    for model in list_models(settings.models_dir):
        if json:
            print_json(_object(model))
        else:
            echo(_line(model))


@models.command()
@click.argument("name")
@json_option
@pass_settings
def show(settings: Settings, name: str, json: bool) -> None:
    """Print a model's card: what it was made from, how good it is, where it fails."""
    from core.model.manifest import MODEL_CARD
    from core.model.promotion import find_stored

    model = find_stored(settings.models_dir, name)
    manifest = model.checked()
    if json:
        print_json({**_object(model), "data": manifest.data, "recipe": manifest.recipe})
        return
    echo((model.folder / MODEL_CARD).read_text(encoding="utf-8").rstrip())


@models.command()
@click.argument("name")
@pass_settings
def promote(settings: Settings, name: str) -> None:
    """Have the model NAME serve; `default` is the one that comes with catdog."""
    from core.model.promotion import promote as promote_model

    before = promote_model(settings.models_dir, name)
    echo(f"{name} serves now, in the place of {before}. `catdog models rollback` takes that back.")


@models.command()
@pass_settings
def rollback(settings: Settings) -> None:
    """Have the model serve again that served before the last promotion."""
    from core.model.promotion import roll_back

    echo(f"{roll_back(settings.models_dir)} serves again.")


@models.command()
@option(
    "--keep",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="How many of the newest to keep.",
)
@pass_settings
def prune(settings: Settings, keep: int) -> None:
    """Delete old models; never the one that serves, the one before it, or one in use.

    And what killed trainings left, but for the newest run, which --resume goes on with.
    """
    from core.model.promotion import prune as prune_models

    deleted = prune_models(settings.models_dir, keep=keep)
    for name in deleted:
        echo(f"{name} is deleted.")
    if not deleted:
        echo("There is none to delete.")


def _line(model: StoredModel) -> str:
    from core.errors import CatdogError

    star = "*" if model.is_promoted else " "
    if isinstance(model.manifest, CatdogError):
        return f"{star} {model.name}: {model.manifest}"
    manifest = model.manifest
    figures = next(reversed(manifest.metrics.values()), None)
    how_good = ""
    if figures:
        right = round(figures["accuracy"] * figures["photos"])
        how_good = f", {figures['accuracy']:.1%} right ({right} of {figures['photos']})"
    labels = ", ".join(manifest.labels)
    version = "" if model.name == manifest.version else f" {manifest.version},"
    return f"{star} {model.name}:{version} {labels}; made {manifest.created[:10]}{how_good}"


def _object(model: StoredModel) -> dict[str, Any]:
    from core.errors import CatdogError

    known: dict[str, Any] = {
        "name": model.name,
        "folder": str(model.folder),
        "serves": model.is_promoted,
    }
    if isinstance(model.manifest, CatdogError):
        return {**known, "error": str(model.manifest)}
    manifest = model.manifest
    return {
        **known,
        "version": manifest.version,
        "created": manifest.created,
        "labels": list(manifest.labels),
        "kind": manifest.kind,
        "network": manifest.network,
        "thresholds": {one.label: one.threshold for one in manifest.classes},
        "metrics": manifest.metrics,
    }
