"""The commands that predict, measure and train."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.console import Terminal, count_up, echo, print_json
from core.errors import ExitCode, ExtraMissing, UnreadableImage
from core.options import (
    Settings,
    json_option,
    model_option,
    option,
    pass_settings,
    threshold_option,
)

# Modules that load NumPy, Pillow or a runtime are imported by the command that needs them, so
# that --help and each command start without the others' weight.
if TYPE_CHECKING:
    from core.manifest import Manifest
    from core.prediction import Decision
    from core.training.evaluate import Evaluation, Measured

_TRAIN_PACKAGES = {"keras", "tensorflow", "jax", "torch", "scipy", "sklearn"}


@click.command()
@click.argument(
    "paths", metavar="PHOTO...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@option("--recursive", is_flag=True, help="Look into the subfolders of folders, too.")
@threshold_option
@model_option
@json_option
@pass_settings
@click.pass_context
def predict(
    context: click.Context,
    settings: Settings,
    paths: tuple[Path, ...],
    recursive: bool,
    threshold: float | None,
    model_choice: str | None,
    json: bool,
) -> None:
    """Say what is in photos, or in every photo of a folder."""
    from core.classifier import Classifier
    from core.image import display
    from core.inference import predict_photos
    from core.model_store import find_model
    from core.prediction import decide
    from core.wording import describe

    classifier = Classifier(find_model(settings.models_dir, model_choice))
    manifest = classifier.manifest
    photos = list(_photos_in(paths, recursive=recursive))
    failed = False
    with Terminal().progress("Looking", len(photos)) as told:
        one_more = count_up(told)
        for answer in predict_photos(classifier, photos):
            one_more()
            if isinstance(answer.outcome, UnreadableImage):
                failed = True
                if json:
                    print_json(_error_object(answer.path, answer.outcome))
                else:
                    echo(f"Error: {answer.outcome}", err=True)
                continue
            decision = decide(
                answer.outcome, manifest.threshold if threshold is None else threshold
            )
            if json:
                print_json(_prediction_object(answer.path, decision))
            else:
                echo(f"{display(answer.path)}: {describe(decision, manifest)}")
    if failed:
        context.exit(ExitCode.SOME_FAILED)


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@threshold_option
@model_option
@json_option
@pass_settings
def evaluate(
    settings: Settings,
    data: Path,
    threshold: float | None,
    model_choice: str | None,
    json: bool,
) -> None:
    """Measure a model on labelled folders: DATA holds cats/, dogs/ and, if wanted, other/."""
    _load_training_packages("evaluate", "core.training.evaluate")
    from core.classifier import Classifier
    from core.model_store import find_model
    from core.training.dataset import scan
    from core.training.evaluate import evaluate as measure

    labelled = scan(data)
    classifier = Classifier(find_model(settings.models_dir, model_choice))
    with Terminal().progress("Measuring", len(labelled.photos)) as told:
        measured = measure(
            classifier, labelled.photos, threshold=threshold, on_photo=count_up(told)
        )
    if json:
        print_json(_evaluation_object(measured, classifier.manifest))
        return
    for fault in measured.faults:
        click.echo(f"Skipped: {fault.reason}", err=True)
    for line in _evaluation_lines(measured.evaluation, classifier.manifest):
        click.echo(line)


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the model to this folder, new or empty.  [default: a new version in the models "
    "folder]",
)
@option(
    "--test",
    type=click.Path(path_type=Path),
    help="Labelled folders to measure the finished model on, once.",
)
@option(
    "--kinds",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A CSV with the columns file and kind: finer names for some photos, learnt besides.",
)
@option("--epochs", type=click.IntRange(min=1), help="Times to go through the photos, in all.")
@option("--seed", type=click.IntRange(min=0), help="Start of all random numbers.")
@option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append a line of JSON about the finished run to this file: settings, curves, figures.",
)
@option("--resume", is_flag=True, help="Go on with the newest run that was interrupted.")
@pass_settings
def train(
    settings: Settings,
    data: Path,
    output: Path | None,
    test: Path | None,
    kinds: Path | None,
    epochs: int | None,
    seed: int | None,
    log: Path | None,
    resume: bool,
) -> None:
    """Train a model from scratch: DATA holds cats/, dogs/ and, if wanted, other/.

    Photos are only read. One in ten is held out, chosen by its content, to calibrate by.
    """
    _load_training_packages("train", "core.training.run")
    from dataclasses import replace

    from core.image import display
    from core.training.recipe import DEFAULT
    from core.training.run import train as run

    recipe = DEFAULT if epochs is None else DEFAULT.with_epochs(epochs)
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    trained = run(
        data,
        recipe,
        models_dir=settings.models_dir,
        console=Terminal(),
        output=output,
        test=test,
        kinds=kinds,
        log=log,
        resume=resume,
    )
    manifest = trained.manifest
    for part, figures in manifest.metrics.items():
        click.echo(f"{part.capitalize()}: {figures['accuracy']:.1%} of {figures['photos']} right")
    choice = display(trained.folder) if output else manifest.version
    click.echo(
        f"The model {manifest.version} is in {display(trained.folder)}. Use it with --model "
        f"{choice}, or everywhere with CATDOG_MODEL={choice}."
    )


def _photos_in(paths: Iterable[Path], *, recursive: bool) -> Iterator[Path]:
    """Take files as named, and of folders the photos."""
    from core.errors import UsageRefused
    from core.image import display
    from core.photos import FileKind, find_files

    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        try:
            found = list(find_files(path, recursive=recursive))
        except OSError as error:
            raise UsageRefused(f"{display(path)} cannot be listed: {error.strerror}.") from error
        photos = [file.path for file in found if file.kind is FileKind.PHOTO]
        click.echo(f"{display(path)}: {len(photos)} photos", err=True)
        yield from photos


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


def _error_object(path: Path, error: UnreadableImage) -> dict[str, Any]:
    return {"path": str(path), "error": {"code": str(error.code), "message": str(error)}}


def _prediction_object(path: Path, decision: Decision) -> dict[str, Any]:
    prediction = decision.prediction
    return {
        "path": str(path),
        "label": prediction.label,
        "confidence": round(prediction.confidence, 6),
        "probabilities": {
            label: round(probability, 6) for label, probability in prediction.probabilities.items()
        },
        "decision": decision.label,
        "model": prediction.model_version,
    }


def _evaluation_object(measured: Measured, manifest: Manifest) -> dict[str, Any]:
    evaluation = asdict(measured.evaluation)
    photos = evaluation.pop("photos")
    return {
        "model": manifest.version,
        "data": {
            "fingerprint": measured.fingerprint,
            "files": photos + len(measured.faults),
            "skipped": len(measured.faults),
        },
        **evaluation,
    }


def _evaluation_lines(evaluation: Evaluation, manifest: Manifest) -> Iterator[str]:
    from core.labels import Role

    def percent(share: float | None) -> str:
        return "     -" if share is None else f"{share:6.1%}"

    pets = " and ".join(c.folder for c in manifest.classes if c.role is Role.FILE)
    yield (
        f"Model {manifest.version}, {evaluation.photos} photos, threshold {evaluation.threshold:g}"
    )
    yield ""
    yield f"{percent(evaluation.accuracy)}  right among all classes"
    yield f"{percent(evaluation.told_apart)}  of {pets}: told apart"
    yield f"{percent(evaluation.coverage)}  of {pets}: filed"
    yield f"{percent(evaluation.filed_precision)}  of those filed: in the right folder"
    yield f"{percent(evaluation.neither_filed)}  of photos of neither: filed all the same"
    yield f"{percent(evaluation.ece)}  expected calibration error"
    yield ""
    width = max(map(len, manifest.labels), default=0) + 2
    columns = "".join(f"{label:>{max(8, width)}}" for label in manifest.labels)
    yield f"{'taken for:':>{width + 10}}{columns}  precision  recall"
    for label, row in evaluation.confusion.items():
        figures = evaluation.per_class[label]
        cells = "".join(f"{row[other]:>{max(8, width)}}" for other in manifest.labels)
        yield (f"{label:>{width + 10}}{cells}  {figures.precision:9.1%}  {figures.recall:6.1%}")
