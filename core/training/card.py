"""MODEL_CARD.md: what a model is, what it was made from, how good it is, where it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.labels import Role
from core.manifest import MODEL_CARD, Manifest


def write_card(manifest: Manifest, folder: Path) -> None:
    """Write the model card next to the manifest, from what stands in it."""
    (folder / MODEL_CARD).write_text(_card(manifest), encoding="utf-8")


def _card(manifest: Manifest) -> str:
    recipe = manifest.recipe
    data = manifest.data
    side, stored = manifest.preprocessing.size, manifest.preprocessing.stored_size
    stages = ", ".join(f"{stage['epochs']} at {stage['size']} px" for stage in recipe["stages"])
    filed = _names(manifest, Role.FILE)
    neither = _names(manifest, Role.NEITHER)
    rest = (
        f"The class {neither} is never filed."
        if neither
        else "It has no class for what is neither, and takes everything for one of these."
    )
    sections = [
        f"# Model {manifest.version}",
        f"A convolutional network that sorts photos into {filed}. {rest}\n"
        f"It sees {side} x {side} pixels, the whole photo squashed to a square (of {stored} x "
        f"{stored} pixels first, as in training).",
        "## Data",
        f"{data['files']} files, {data['skipped']} of them skipped; one photo in "
        f"{round(1 / data['held_out_share'])} was held out by its content's hash. Fingerprint "
        f"`{data['fingerprint'][:16]}`.",
        _table(
            ("class", "learnt from", "held out"),
            [
                (label, str(count), str(data["validation"][label]))
                for label, count in data["training"].items()
            ],
        ),
        "## Training",
        f"Recipe `{recipe['name']}`, from scratch: {recipe['epochs_done']} epochs ({stages}), "
        f"batches of {recipe['batch_size']}, Muon up to {recipe['learning_rate']:g}, weight "
        f"decay {recipe['weight_decay']:g}, label smoothing {recipe['label_smoothing']:g}, seed "
        f"{recipe['seed']}. {recipe['seconds'] / 60:.0f} minutes on {recipe['cores']} cores. "
        "Made with " + ", ".join(f"{k} {v}" for k, v in manifest.versions.items()) + ".",
        f"Confidences are calibrated with a temperature of {manifest.temperature:g}; photos are "
        f"filed from a confidence of {manifest.threshold:g} on. Both were chosen on the photos "
        "held out.",
        "## Figures",
        "As served: LiteRT, one pass a photo.",
        _figures(manifest.metrics),
        "## Limits",
        "Photos that look unlike those it learnt from are judged less well than the figures "
        "say. An animal that is small, hidden, or seen together with one of another class is "
        "often left as unsure. Do not use it where a wrong answer does harm: it was made to "
        "sort photos.",
    ]
    return "\n\n".join(sections) + "\n"


def _figures(metrics: dict[str, Any]) -> str:
    rows = [
        ("photos", [str(part["photos"]) for part in metrics.values()]),
        *(
            (what, [_percent(part[key]) for part in metrics.values()])
            for what, key in (
                ("right among all classes", "accuracy"),
                ("right among the classes that are filed", "told_apart"),
                ("expected calibration error", "ece"),
                ("filed, of what should be", "coverage"),
                ("in the right folder, of those filed", "filed_precision"),
                ("filed, of what is neither", "neither_filed"),
            )
        ),
    ]
    return _table(("", *metrics), [(what, *cells) for what, cells in rows])


def _names(manifest: Manifest, role: Role) -> str:
    names = [f"`{c.label}`" for c in manifest.classes if c.role is role]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
