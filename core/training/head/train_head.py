"""One training of a head: from labelled folders to a model that can be served, in seconds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from core.batch import predict_photos
from core.errors import UnreadableImage
from core.model.classifier import Classifier
from core.model.manifest import Manifest, read_manifest
from core.model.probabilities import probabilities_from_logits
from core.model.registry import find_model
from core.model.verdict import Prediction
from core.runtime.console import Console, count_up
from core.training.data.inputs import Inputs, Known, gather
from core.training.data.labelled import LabelledFolder, folders_of
from core.training.data.learnt_photos import short_hashes
from core.training.evaluation.comparison import Comparison
from core.training.evaluation.may_serve import Judgement, Part, compare
from core.training.evaluation.measure import Predicted, evaluate
from core.training.evaluation.metrics import Evaluation, figures
from core.training.head.base_model import Base, carry_network, keep_network, read_base
from core.training.head.calibrated import CalibratedHead
from core.training.head.classes import HeadClasses, combine
from core.training.head.first_head import HELD_OUT
from core.training.head.folds import DECAY
from core.training.head.material import HeadData, prepare, unpromotable, work_folder
from core.training.head.model_folder import write_head
from core.training.model_folders import arrive, with_new_version
from core.training.one_progress import OneProgress, one_progress
from core.training.report.label_errors_page import LabelErrors
from core.training.report.mistakes import Mistake, worst_mistakes
from core.training.report.model_card import write_card
from core.training.report.training_page import Training, write_report

OWN, TEST = "your photos", "test"


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """A finished training."""

    folder: Path
    manifest: Manifest
    comparison: Comparison | None  # with the model that serves
    label_errors: tuple[Mistake, ...]  # labels that look wrong, the firmest first
    serves: bool  # it is to serve from now on


@dataclass(frozen=True, slots=True)
class Request:
    """What a head is to be trained from."""

    data: Path
    models_dir: Path
    known: Known
    sources: Path | None = None
    replaces_classes: bool = False  # photos are filed into the classes of `data` alone


def train_head(
    request: Request,
    *,
    console: Console,
    output: Path | None = None,
    test: Path | None = None,
    compares: bool = True,
    may_serve: Callable[[Comparison], bool] = lambda comparison: comparison.is_no_worse,
) -> TrainedHead:
    """Train a head on the class folders of a request and the replay set.

    It is written to `output`, or as a new version to the models folder, whole or not at all.
    `test` is measured last, once, and chooses nothing. What comes of the comparison decides by
    `may_serve` whether the model is to serve; to have it serve is up to the caller. Raises
    UsageRefused for data that cannot be learnt from, and ModelRefused.
    """
    begun = time.monotonic()
    gathered = _gathered(request, console, test=test, warns=compares)
    tested = gathered.inputs.tested
    with work_folder(request.models_dir) as work, _one_bar(gathered, console) as console:
        data = gathered.prepared(work, console)
        with console.progress("Fitting", 1.0):
            fitted = data.fit()
        staged = work / "model"
        staged.mkdir()
        evaluations = _evaluations(data, fitted)
        manifest = write_head(
            fitted,
            staged,
            network=data.base.network.info.sha256,
            own=data.own,
            replay=data.base.replay,
            decay=DECAY,
            data=data.described(),
            evaluations=evaluations,
        )
        manifest = with_new_version(manifest, request.models_dir)
        if output is None:
            keep_network(data.base.network, request.models_dir)
        else:
            carry_network(data.base.network, staged)
        if tested is not None:
            evaluations[TEST] = _tested(staged, tested, console)
        comparison = _compared(data, fitted, find_model(request.models_dir)) if compares else None
        serves = output is None and comparison is not None and may_serve(comparison)
        manifest = replace(
            manifest,
            metrics={part: asdict(one) for part, one in evaluations.items()},
            recipe={**manifest.recipe, "seconds": round(time.monotonic() - begun, 1)},
        )
        manifest.write(staged)
        predicted = _predicted(data, fitted)
        errors = _label_errors(data, fitted)
        write_card(manifest, staged)
        write_report(
            Training(
                manifest=manifest,
                history=(),
                parts=evaluations,
                sources={},
                shown=OWN,
                predicted=predicted,
                faults=data.dataset.faults,
                suspicious=errors,
                comparison=comparison,
                serves=serves,
                is_stored=output is None,
            ),
            staged,
        )
        folder = arrive(staged, output or request.models_dir / manifest.version)
        del data  # Windows removes no file that is mapped
    return TrainedHead(folder, manifest, comparison, errors, serves)


def find_label_errors(request: Request, *, console: Console) -> LabelErrors:
    """Find the photos whose labels look wrong to heads that have not seen them.

    Raises as `train_head`.
    """
    gathered = _gathered(request, console, warns=False)
    with work_folder(request.models_dir) as work, _one_bar(gathered, console) as console:
        data = gathered.prepared(work, console)
        with console.progress("Fitting", 1.0):
            fitted = data.fit()
        return LabelErrors(
            _label_errors(data, fitted),
            len(data.own.photos),
            folders_of(data.own.photos),
        )


def check(request: Request, *, console: Console) -> None:
    """Tell what a head would learn from; nothing is kept. Raises as `train_head`."""
    gathered = _gathered(request, console, warns=True)
    with work_folder(request.models_dir) as work, _one_bar(gathered, console) as console:
        data = gathered.prepared(work, console)
        own = Counter(photo.label for photo in data.own.photos)
        replay = Counter(data.base.replay.labels.tolist())
        for label in (one.label for one in data.classes.classes):
            if own[label] or replay[label]:
                console.say(
                    f"  {label}: {own[label]} photos, and {replay[label]} that come with catdog"
                )
        console.say("Nothing was kept.")


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What a head begins with, before any photo is opened."""

    base: Base
    classes: HeadClasses
    inputs: Inputs

    def prepared(self, work: Path, console: Console) -> HeadData:
        return prepare(self.base, self.classes, self.inputs, work=work, console=console)


def _one_bar(gathered: _Gathered, console: Console) -> AbstractContextManager[OneProgress]:
    """Show one bar for all of it; the shares are in photos that are decoded."""
    photos, tested = len(gathered.inputs.labelled.photos), gathered.inputs.tested
    shares = {"Decoding": photos, "Embedding": 1.5 * photos, "Fitting": 0.5 * photos + 500.0}
    shares["Testing"] = len(tested.photos) if tested else 0.0
    return one_progress(console, "Training", shares)


def _gathered(
    request: Request, console: Console, *, warns: bool, test: Path | None = None
) -> _Gathered:
    base = read_base(request.models_dir)
    inputs = gather(
        request.data, request.known, console=console, test=test, sources=request.sources
    )
    classes = combine(
        base.manifest.classes, inputs.labelled.classes, replace=request.replaces_classes
    )
    if warns:
        for reason in unpromotable(inputs, classes):
            console.say(f"It will not serve by itself. {reason}")
    return _Gathered(base, classes, inputs)


def _evaluations(data: HeadData, fitted: CalibratedHead) -> dict[str, Evaluation]:
    """Measure a head on photos from which it did not learn."""
    own, material = data.own, data.material
    held_targets = material.replay_targets[material.held_out]
    return {
        HELD_OUT: figures(fitted.held_out, held_targets, fitted.classes),
        OWN: figures(fitted.own[data.judged], own.targets[data.judged], fitted.classes),
    }


def _tested(staged: Path, tested: LabelledFolder, console: Console) -> Evaluation:
    with console.progress("Testing", len(tested.photos)) as told:
        measured = evaluate(Classifier(staged), tested.photos, on_photo=count_up(told))
    if measured.learnt_from:
        console.say(
            f"{measured.learnt_from} of the {measured.evaluation.photos} test photos were learnt "
            "from: their figures are too good."
        )
    return measured.evaluation


def _predicted(data: HeadData, fitted: CalibratedHead) -> Predicted:
    return Predicted(data.own.photos, fitted.own, data.own.targets, data.dataset.faults)


def _label_errors(data: HeadData, fitted: CalibratedHead) -> tuple[Mistake, ...]:
    """Name the photos whose labels are in doubt, the firmest first."""
    doubted = {
        photo.path for photo, doubt in zip(data.own.photos, fitted.in_doubt, strict=True) if doubt
    }
    labels = [one.label for one in fitted.classes]
    mistakes = worst_mistakes(_predicted(data, fitted), labels, most=None)
    return tuple(mistake for mistake in mistakes if mistake.path in doubted)


def _compared(data: HeadData, fitted: CalibratedHead, current: Path) -> Comparison:
    """Hold a head against the model that serves, on photos from which neither learnt."""
    judged = data.judged
    now = _current_on_own(data, current)
    labels = np.array([one.label for one in data.own.photos])[judged]
    parts = [
        Part(
            OWN,
            Judgement(now.classes, now.probabilities[judged]),
            Judgement(fitted.classes, fitted.own[judged]),
            labels.tolist(),
        )
    ]
    replay = data.material.replay
    parts.append(
        Part(
            "the photos that come with catdog",
            Judgement(data.base.manifest.classes, data.base.seen.held_out[data.held_out]),
            Judgement(fitted.classes, fitted.held_out),
            replay.labels[replay.held_out].tolist(),
        )
    )
    return compare(
        read_manifest(current).version,
        parts,
        doubtful=float(fitted.in_doubt.mean()),
        against_it=unpromotable(data.inputs, data.classes),
        other_classes=bool(data.classes.dropped),
    )


def _current_on_own(data: HeadData, current: Path) -> Judgement:
    """Have the current model judge a person's photos; what it learnt from, out of fold."""
    base, own = data.base, data.own
    if current != base.folder:  # a whole network
        classifier = Classifier(current)
        answers = predict_photos(classifier, [one.path for one in own.photos])
        rows = [_row(outcome, classifier.manifest) for _, outcome in answers]
        return Judgement(classifier.manifest.classes, np.array(rows))
    logits = base.head.logits(own.views[:, 0])
    probabilities = probabilities_from_logits(logits, base.manifest.temperature)
    row_of = base.seen.row_of()
    for row, one in enumerate(short_hashes(own.sha256)):
        if (place := row_of.get(int(one))) is not None:
            probabilities[row] = base.seen.probabilities[place]
    return Judgement(base.manifest.classes, probabilities)


def _row(outcome: Prediction | UnreadableImage, manifest: Manifest) -> Sequence[float]:
    """Return a prediction's probabilities; a photo that cannot be read any more is of nothing."""
    if isinstance(outcome, UnreadableImage):
        return [0.0] * len(manifest.classes)
    return list(outcome.probabilities.values())
