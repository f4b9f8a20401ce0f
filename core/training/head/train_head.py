"""One training of a head: from labelled folders to a model that can be served, in seconds."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from threadpoolctl import threadpool_limits

from core.model.head import Head
from core.model.manifest import Manifest
from core.model.registry import OWN_NETWORK, find_model
from core.training.data.inputs import TrainContext
from core.training.data.labelled import folders_of
from core.training.data.train_options import TrainOptions
from core.training.evaluation.comparison import Comparison
from core.training.evaluation.measure import TEST, Predicted, measure_test
from core.training.evaluation.metrics import Evaluation, figures
from core.training.head.calibrated import Before, CalibratedHead, fit_calibrated
from core.training.head.classes import carried_over
from core.training.head.compare_current import OWN, compare_with_current
from core.training.head.model_folder import HELD_OUT, write_head
from core.training.head.prepare import HeadData, prepared
from core.training.model_folders import keep_network, put_in_place, with_new_version
from core.training.report.label_errors_page import LabelErrors
from core.training.report.mistakes import Mistake, worst_mistakes
from core.training.report.model_card import write_card
from core.training.report.training_page import Training, write_report


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """A finished training."""

    folder: Path
    manifest: Manifest
    comparison: Comparison | None  # with the model that serves
    label_errors: tuple[Mistake, ...]  # labels that look wrong, the firmest first
    serves: bool  # it is to serve from now on


def train_head(options: TrainOptions, context: TrainContext) -> TrainedHead:
    """Train a head on class folders and the replay set.

    It is written to the output folder, or as a new version to the models folder, whole or not at
    all. The test is measured last, once, and chooses nothing. To have the model serve is up to the
    caller. Raises UsageRefused for data that cannot be learnt from, and ModelRefused.
    """
    begun = time.monotonic()
    output = options.output
    with prepared(options, context, warns=options.promote is not False) as data:
        fitted = _fit(data)
        staged = data.work / "model"
        staged.mkdir()
        manifest, evaluations = _write(data, fitted, staged)
        manifest = with_new_version(manifest, context.models_dir)
        network = data.base.network
        if output is None:
            keep_network(network, context.models_dir)
        else:  # the folder can be taken elsewhere
            shutil.copytree(network.folder, staged / OWN_NETWORK)
        if data.inputs.tested is not None:
            evaluations[TEST] = measure_test(
                staged, data.inputs.tested.photos, data.console
            ).evaluation
        comparison = None
        if options.promote is not False:
            comparison = compare_with_current(data, fitted, find_model(context.models_dir))
        is_good = comparison is not None and (options.promote or comparison.is_no_worse)
        manifest = replace(
            manifest,
            metrics={part: asdict(one) for part, one in evaluations.items()},
            recipe={**manifest.recipe, "seconds": round(time.monotonic() - begun, 1)},
        )
        manifest.write(staged)
        write_card(manifest, staged)
        training = Training(
            manifest=manifest,
            history=(),
            parts=evaluations,
            sources={},
            shown=OWN,
            predicted=_predicted(data, fitted),
            faults=data.dataset.faults,
            suspicious=_label_errors(data, fitted),
            comparison=comparison,
            serves=is_good and output is None,
            is_stored=output is None,
        )
        write_report(training, staged)
        folder = put_in_place(staged, output or context.models_dir / manifest.version)
        del data  # Windows removes no file that is mapped
    return TrainedHead(folder, manifest, comparison, training.suspicious, training.serves)


def find_label_errors(options: TrainOptions, context: TrainContext) -> LabelErrors:
    """Return the photos whose labels look wrong to heads that did not learn from them.

    Raises as `train_head`.
    """
    with prepared(options, context) as data:
        photos = data.material.own.photos
        errors = _label_errors(data, _fit(data))
        del data
    return LabelErrors(errors, len(photos), folders_of(photos))


def check(options: TrainOptions, context: TrainContext) -> None:
    """Show what a head would learn from; nothing is kept. Raises as `train_head`."""
    with prepared(options, context, warns=True) as data:
        own = Counter(photo.label for photo in data.material.own.photos)
        replay = Counter(data.base.replay.labels.tolist())
        for label in (one.label for one in data.classes.classes):
            if own[label] or replay[label]:
                data.console.say(
                    f"  {label}: {own[label]} photos, and {replay[label]} that come with catdog"
                )
        data.console.say("Nothing was kept.")
        del data


def _fit(data: HeadData) -> CalibratedHead:
    base = data.base

    def carried(head: Head) -> Head:
        return carried_over(head, base.manifest.classes, data.classes, data.material.own)

    # threads of BLAS wait for each other more than they work on so little; folds share cores
    with data.console.progress("Fitting", 1.0), threadpool_limits(1):
        before = Before(carried(base.head), tuple(carried(head) for head in base.seen.heads))
        return fit_calibrated(data.material, before)


def _write(
    data: HeadData, fitted: CalibratedHead, staged: Path
) -> tuple[Manifest, dict[str, Evaluation]]:
    """Write a head with its figures on photos from which it did not learn."""
    own, judged = data.material.own, data.material.judged
    evaluations = {
        HELD_OUT: figures(fitted.held_out, data.material.held_out_targets, fitted.classes),
        OWN: figures(fitted.own[judged], own.targets[judged], fitted.classes),
    }
    described = {
        "fingerprint": data.dataset.fingerprint,
        "files": len(data.inputs.labelled.photos),
        "skipped": len(data.dataset.faults),
        "training": dict(Counter(one.label for one in own.photos)),
    }
    network = data.base.network.info.sha256
    manifest = write_head(
        fitted, data.material, staged, network, data=described, evaluations=evaluations
    )
    return manifest, evaluations


def _predicted(data: HeadData, fitted: CalibratedHead) -> Predicted:
    own = data.material.own
    return Predicted(own.photos, fitted.own, own.targets, data.dataset.faults)


def _label_errors(data: HeadData, fitted: CalibratedHead) -> tuple[Mistake, ...]:
    """Return the photos whose labels are in doubt, the firmest first."""
    photos = data.material.own.photos
    doubted = {photo.path for photo, doubt in zip(photos, fitted.in_doubt, strict=True) if doubt}
    labels = [one.label for one in fitted.classes]
    mistakes = worst_mistakes(_predicted(data, fitted), labels, most=None)
    return tuple(mistake for mistake in mistakes if mistake.path in doubted)
