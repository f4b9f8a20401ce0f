"""A new model beside the current one, on photos from which neither of them learnt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.classifier import Classifier
from core.console import Console, count_up
from core.errors import CatdogError
from core.inference import predict_photos
from core.labels import Role
from core.manifest import Manifest, read_manifest
from core.prediction import Prediction
from core.probabilities import probabilities_from_logits
from core.training.compare import ENOUGH, Comparison, Finding, Judgement, compare, not_comparable
from core.training.dataset import Dataset
from core.training.evaluate import Predicted, predict_labelled
from core.training.folds import Learn, predict_out_of_fold
from core.training.judge import VALIDATION, Judged
from core.training.labelled import LabelledPhoto
from core.training.recipe import Recipe

LEARNT = "learnt.txt"
_DIGITS = 16  # of each photo's SHA-256
FOLDS = 3
_FEWEST_TO_FOLD = 30  # photos for which training three times more is worth it


@dataclass(frozen=True, slots=True)
class Trial:
    """A comparison, and what the new model says of photos that it did not learn from."""

    comparison: Comparison
    predicted: Predicted  # out of fold, where there were folds


def record_learnt(folder: Path, dataset: Dataset, current: Path | None) -> None:
    """Write which photos a model in `folder` learnt from, and the model that it went on from."""
    learnt = {dataset.sha256[row][:_DIGITS] for row in dataset.training}
    if current is not None:
        learnt |= learnt_by(current)
    text = "".join(f"{digits}\n" for digits in sorted(learnt))
    (folder / LEARNT).write_text(text, encoding="ascii")


def learnt_by(folder: Path) -> set[str]:
    """Read the hashes of the photos that a model learnt from.

    The model that comes with catdog has none: its photos are not those of the people who use it.
    """
    try:
        return set((folder / LEARNT).read_text(encoding="ascii").split())
    except FileNotFoundError:
        return set()


def try_against(
    current: Path,
    judged: Judged,
    dataset: Dataset,
    recipe: Recipe,
    learn: Learn,
    *,
    folder: Path,
    guessed: Collection[Path],
    left_alone: Sequence[Path],
    work: Path,
    console: Console,
) -> Trial:
    """Compare the new model in `folder` with that in `current`.

    By the photos held out; where these are fewer than ENOUGH, also by those that were learnt from,
    three times over with a third of them left out. `guessed` photos have no label that anyone gave,
    and `left_alone` are those that sorting left: they tell of rejection where no others do.
    """
    held_out = judged.predicted[VALIDATION]
    try:
        before = read_manifest(current)
        if different := not_comparable(before, judged.manifest):
            return Trial(different, held_out)
        classifier = Classifier(current)
    except CatdogError as error:
        unusable = Finding(True, f"The current model cannot serve: {error}")
        return Trial(Comparison(current.name, (unusable,)), held_out)
    learnt = learnt_by(current)
    row_of = {dataset.photos[row].path: row for row in dataset.validation}
    new = _only(held_out, [dataset.sha256[row_of[p.path]] for p in held_out.photos], learnt)
    if len(new.photos) < ENOUGH:
        fresh = [
            row
            for row in dataset.training
            if dataset.sha256[row][:_DIGITS] not in learnt
            and dataset.photos[row].path not in guessed
        ]
        if len(fresh) >= _FEWEST_TO_FOLD:
            new = _with_folds(new, np.array(fresh), judged, dataset, recipe, learn, work, console)
    with console.progress("Comparing", len(new.photos)) as told:
        now = predict_labelled(classifier, new.photos, on_photo=count_up(told))
    same = {photo.path for photo in now.photos}  # all of them, but for what vanished meanwhile
    kept = [place for place, photo in enumerate(new.photos) if photo.path in same]
    comparison = compare(
        before,
        Judgement(now.probabilities, before.threshold),
        Judgement(new.probabilities[kept], judged.manifest.threshold),
        now.targets,
        _rejected(classifier, folder, judged.manifest, left_alone),
    )
    return Trial(comparison, new)


def _only(predicted: Predicted, hashes: Sequence[str], learnt: Collection[str]) -> Predicted:
    """Leave out the photos that the current model learnt from."""
    kept = [place for place, sha256 in enumerate(hashes) if sha256[:_DIGITS] not in learnt]
    return replace(
        predicted,
        photos=tuple(predicted.photos[place] for place in kept),
        probabilities=predicted.probabilities[kept],
        targets=predicted.targets[kept],
    )


def _with_folds(
    held_out: Predicted,
    rows: np.ndarray[tuple[int], np.dtype[np.intp]],
    judged: Judged,
    dataset: Dataset,
    recipe: Recipe,
    learn: Learn,
    work: Path,
    console: Console,
) -> Predicted:
    console.say(
        f"{len(held_out.photos)} photos held out are too few to tell if it is better: the "
        f"training is repeated {FOLDS} times, each time without a third of the photos."
    )
    logits = predict_out_of_fold(
        dataset,
        rows,
        FOLDS,
        learn,
        size=recipe.size,
        seed=recipe.seed,
        work=work,
        console=console,
    )
    probabilities = probabilities_from_logits(logits, judged.manifest.temperature)
    photos: tuple[LabelledPhoto, ...] = tuple(dataset.photos[row] for row in rows)
    return replace(
        held_out,
        photos=(*held_out.photos, *photos),
        probabilities=np.concatenate([held_out.probabilities, probabilities]),
        targets=np.concatenate([held_out.targets, dataset.targets[rows]]),
    )


def _rejected(
    current: Classifier, new: Path, manifest: Manifest, photos: Sequence[Path]
) -> Judgement | None:
    """Have the new model judge those of some photos that the current one takes for neither."""
    neither = {one.label for one in manifest.classes if one.role is not Role.FILE}
    taken = [
        answer.path
        for answer in predict_photos(current, photos)
        if isinstance(answer.outcome, Prediction) and answer.outcome.label in neither
    ]
    outcomes = (answer.outcome for answer in predict_photos(Classifier(new), taken))
    rows = [
        list(outcome.probabilities.values())
        for outcome in outcomes
        if isinstance(outcome, Prediction)
    ]
    return Judgement(np.array(rows), manifest.threshold) if rows else None
