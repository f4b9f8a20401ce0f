"""The command that predicts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.commands.options import (
    Settings,
    json_option,
    model_option,
    option,
    pass_settings,
    threshold_option,
)
from core.errors import ExitCode, UnreadableImage
from core.runtime.console import Terminal, count_up, echo, print_json

# Modules that load NumPy, Pillow or a runtime are imported by the command that needs them, so
# that --help and each command start without the others' weight.
if TYPE_CHECKING:
    from core.model.classifier import Classifier
    from core.model.manifest import Manifest
    from core.model.verdict import Prediction, Verdict

_HEATMAP_SIDE = 1280  # pixels
_HEATMAP_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


@dataclass(frozen=True, slots=True)
class _Options:
    paths: tuple[Path, ...]
    recursive: bool
    heatmap: Path | None
    threshold: float | None
    model_choice: str | None
    json: bool


@click.command()
@click.argument(
    "paths", metavar="PHOTO...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@option("--recursive", is_flag=True, help="Look into the subfolders of folders, too.")
@option(
    "--heatmap",
    metavar="OUT.png",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Of one photo: write a new picture of what in it spoke for the answer.",
)
@threshold_option
@model_option
@json_option
@pass_settings
@click.pass_context
def predict(context: click.Context, settings: Settings, /, **options: Any) -> None:
    """Say what is in photos, or in every photo of a folder."""
    from core.batch import predict_photos
    from core.model.classifier import Classifier
    from core.model.registry import find_model

    asked = _Options(**options)
    classifier = Classifier(find_model(settings.models_dir, asked.model_choice))
    photos = list(_photos_in(asked.paths, recursive=asked.recursive))
    if asked.heatmap is not None:
        _write_heatmap(classifier, photos, asked.heatmap)
    failed = False
    with Terminal().progress("Looking", len(photos)) as on_progress:
        one_more = count_up(on_progress)
        for path, outcome in predict_photos(classifier, photos):
            one_more()
            failed |= isinstance(outcome, UnreadableImage)
            _print(path, outcome, classifier.manifest, asked)
    if failed:
        context.exit(ExitCode.SOME_FAILED)


def _print(
    path: Path, outcome: Prediction | UnreadableImage, manifest: Manifest, asked: _Options
) -> None:
    from core.model.verdict import judge
    from core.model.wording import describe
    from core.paths import display

    if isinstance(outcome, UnreadableImage):
        if asked.json:
            print_json(
                {"path": str(path), "error": {"code": outcome.code, "message": str(outcome)}}
            )
        else:
            echo(f"Error: {outcome}", err=True)
        return
    verdict = judge(outcome, manifest.classes, asked.threshold)
    if asked.json:
        print_json(_prediction_object(path, verdict))
    else:
        echo(f"{display(path)}: {describe(verdict, manifest)}")


def _write_heatmap(classifier: Classifier, photos: list[Path], file: Path) -> None:
    """Write a photo with its heatmap painted over it. Raises UsageRefused."""
    from core.errors import UsageRefused
    from core.images.decode import opener
    from core.model.heatmap import painted
    from core.paths import display
    from core.runtime.output_files import writing

    if len(photos) != 1:
        raise UsageRefused(f"--heatmap takes one photo. Received: {len(photos)}")
    if file.suffix.lower() not in _HEATMAP_FORMATS:
        raise UsageRefused(f"{display(file)} must end in one of {', '.join(_HEATMAP_FORMATS)}.")
    try:
        _, heat = classifier.explain(opener(photos[0]))
        if heat is None:
            raise UsageRefused(
                f"The model {classifier.manifest.version} has no map of what it looks at. Leave "
                "out --heatmap, or choose another model."
            )
        picture = painted(photos[0], heat, side=_HEATMAP_SIDE)
    except UnreadableImage:
        return  # its prediction fails, too, and prints why
    # "x": never over what is there, which may be a photo
    with writing(file), file.open("xb") as stream:
        picture.save(stream, format=_HEATMAP_FORMATS[file.suffix.lower()], quality=90)


def _photos_in(paths: Iterable[Path], *, recursive: bool) -> Iterator[Path]:
    """Yield files as named, and the photos in folders."""
    from core.errors import UsageRefused
    from core.images.listing import is_image_name, list_photos
    from core.paths import display

    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        try:
            photos = list(list_photos(path, recursive=recursive, is_wanted=is_image_name))
        except OSError as error:
            raise UsageRefused(f"{display(path)} cannot be listed: {error.strerror}.") from error
        click.echo(f"{display(path)}: {len(photos)} photos", err=True)
        yield from photos


def _prediction_object(path: Path, verdict: Verdict) -> dict[str, Any]:
    prediction = verdict.prediction
    return {
        "path": str(path),
        "label": prediction.label,
        "confidence": round(prediction.confidence, 6),
        "probabilities": {
            label: round(probability, 6) for label, probability in prediction.probabilities.items()
        },
        "decision": verdict.label,
        "model": prediction.model_version,
    }
