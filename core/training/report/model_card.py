"""MODEL_CARD.md: what a model is, what it was made from, how good it is, where it fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from core.labels import Role
from core.model.manifest import MODEL_CARD, Kind, Manifest
from core.runtime.durations import duration

_FIGURES = (
    ("right among all classes", "accuracy"),
    ("right among the classes that are filed", "pet_accuracy"),
    ("loss", "loss"),
    ("expected calibration error", "ece"),
    ("filed in the right folder, of what should be", "filed_rightly"),
    ("in the right folder, of those filed", "filed_precision"),
    ("filed, of what is neither", "false_filing_rate"),
)


def write_card(manifest: Manifest, folder: Path) -> None:
    """Write the model card next to the manifest, from what stands in it."""
    (folder / MODEL_CARD).write_text(card(manifest), encoding="utf-8")


def card(manifest: Manifest) -> str:
    """Write a model card, in Markdown."""
    is_head = manifest.kind is Kind.HEAD
    sections = [
        f"# Model {manifest.version}",
        _what_it_is(manifest),
        "## Data",
        *(_data_of_head(manifest) if is_head else _data_of_network(manifest)),
        "## Training",
        _training_of_head(manifest) if is_head else _training_of_network(manifest),
        "Made with " + ", ".join(f"{k} {v}" for k, v in manifest.versions.items()) + ".",
        "## Figures",
        "As served. In brackets: 95 % intervals (Wilson). " + _what_chose(manifest),
        _figures(manifest.metrics),
        "For each class, on the photos that are named last in this table: how many of its photos "
        "are found, and how many others are taken for it, at its threshold.",
        _classes(manifest),
        "## Limits",
        "Photos that look unlike those it learnt from are judged less well than the figures "
        "say. An animal that is small or hidden is often left as unsure. Do not use it where a "
        "wrong answer does harm: it was made to sort photos.",
    ]
    return "\n\n".join(sections) + "\n"


def _what_it_is(manifest: Manifest) -> str:
    filed = _names(one.label for one in manifest.filed)
    left = [one.label for one in manifest.classes if one.role is not Role.FILE]
    rest = (
        f"{_names(left)} {'is' if len(left) == 1 else 'are'} never filed."
        if left
        else "It has no class for what is neither, and takes everything for one of these."
    )
    if manifest.kind is Kind.HEAD:
        return (
            f"A head on the network `{manifest.network}`, which sorts photos into {filed}. {rest}"
        )
    how = manifest.preprocessing
    assert how is not None
    return (
        f"A convolutional network that sorts photos into {filed}. {rest}\n"
        f"It sees {how.size} x {how.size} pixels, the whole photo squashed to a square (of "
        f"{how.stored_size} x {how.stored_size} pixels first, as in training). `model.keras` takes "
        "pixels from 0 to 255, which it rescales itself, and gives logits."
    )


def _data_of_head(manifest: Manifest) -> Iterable[str]:
    data = manifest.data
    if data.get("files"):
        yield (
            f"{data['files']} files, {data['skipped']} of them skipped. Fingerprint "
            f"`{data['fingerprint'][:16]}`."
        )
    yield (
        "Beside them the replay set that comes with the network, of which "
        f"{data['replay_held_out']} photos were never learnt from by the network."
    )
    labels = [one.label for one in manifest.classes]
    yield _table(
        ("class", "photos", "replay set"),
        [
            (label, str(data["training"].get(label, 0)), str(data["replay"].get(label, 0)))
            for label in labels
            if data["training"].get(label) or data["replay"].get(label)
        ],
    )


def _data_of_network(manifest: Manifest) -> Iterable[str]:
    data = manifest.data
    yield (
        f"{data['files']} files, {data['skipped']} of them skipped; one photo in "
        f"{round(1 / data['held_out_share'])} was held out by its content's hash. Fingerprint "
        f"`{data['fingerprint'][:16]}`."
    )
    yield _table(
        ("class", "learnt from", "held out", "of held-out sources"),
        [
            (label, str(count), str(data["validation"][label]), str(data["left_out"][label]))
            for label, count in data["training"].items()
        ],
    )


def _training_of_head(manifest: Manifest) -> str:
    recipe = manifest.recipe
    return (
        f"Logistic regression on the means of feature maps, kept near the head before (weight "
        f"decay {recipe['decay']:g}); {duration(recipe['seconds'])} on {recipe['cores']} cores. "
        f"Everything here was judged by heads that had not seen the photo, in {recipe['folds']} "
        f"folds. {_calibration(manifest)}"
    )


def _training_of_network(manifest: Manifest) -> str:
    recipe = manifest.recipe
    stages = ", ".join(f"{stage['epochs']} at {stage['size']} px" for stage in recipe["stages"])
    return (
        f"Recipe `{recipe['name']}`, from scratch: {recipe['epochs_done']} epochs ({stages}), of "
        f"which the network of epoch {recipe['epoch_kept']} is kept; batches of "
        f"{recipe['batch_size']}, {recipe['optimizer']} up to "
        f"{recipe['learning_rate']:g}, weight decay {recipe['weight_decay']:g}, label smoothing "
        f"{recipe['label_smoothing']:g}, seed {recipe['seed']}. "
        f"{duration(recipe['seconds'])} on {recipe['cores']} cores. "
        f"{_calibration(manifest)}"
    )


def _what_chose(manifest: Manifest) -> str:
    """Return which photos decided something, and which nothing."""
    test = " The test decided nothing, and was measured once." if "test" in manifest.metrics else ""
    if manifest.kind is Kind.HEAD:
        return (
            "Temperature and thresholds were chosen by the photos of all parts but the test, each "
            f"judged by a head that had not seen it.{test}"
        )
    left_out = "held-out sources" in manifest.metrics
    return (
        "The photos of the validation chose the epoch that is kept"
        + (
            ", those of held-out sources the temperature, and both the thresholds"
            if left_out
            else ", the temperature and the thresholds"
        )
        + f": their figures are a little too good.{test}"
    )


def _calibration(manifest: Manifest) -> str:
    thresholds = ", ".join(f"{one.label} {one.threshold:g}" for one in manifest.classes)
    return (
        f"Confidences are calibrated with a temperature of {manifest.temperature:g}; an answer is "
        f"sure from these probabilities on: {thresholds}."
    )


def _figures(metrics: dict[str, Any]) -> str:
    rows = [
        ("photos", [str(part["photos"]) for part in metrics.values()]),
        *((what, [_share(part, key) for part in metrics.values()]) for what, key in _FIGURES),
    ]
    return _table(("", *metrics), [(what, *cells) for what, cells in rows])


def _classes(manifest: Manifest) -> str:
    part = next(reversed(manifest.metrics.values()))
    rows = []
    for one in manifest.classes:
        photos = sum(part["verdicts"][one.label].values())
        others = part["photos"] - photos
        taken = sum(row[one.label] for label, row in part["verdicts"].items() if label != one.label)
        if photos:  # of a class without photos nothing is known
            found = part["verdicts"][one.label][one.label]
            rows.append((one.label, f"{found} of {photos}", f"{taken} of {others}"))
    return _table(("class", "found", "taken for it"), rows)


def _names(names: Iterable[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return " and ".join(filter(None, (", ".join(quoted[:-1]), *quoted[-1:])))


def _share(part: dict[str, Any], key: str) -> str:
    if part.get(key) is None:
        return "-"
    if key == "loss":
        return f"{part[key]:.3f}"
    if key not in part["intervals"]:
        return f"{part[key]:.1%}"
    low, high = part["intervals"][key]
    return f"{part[key]:.1%} ({low:.1%} to {high:.1%})"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
