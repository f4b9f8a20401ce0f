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
            ("class", "learnt from", "held out", "of sources left out"),
            [
                (label, str(count), str(data["validation"][label]), str(data["left_out"][label]))
                for label, count in data["training"].items()
            ],
        ),
        "## Training",
        f"Recipe `{recipe['name']}`, {_beginning(recipe)}: {recipe['epochs_done']} epochs "
        f"({stages}), batches of {recipe['batch_size']}, {recipe['optimizer']} up to "
        f"{recipe['learning_rate']:g}, weight decay {recipe['weight_decay']:g}, label smoothing "
        f"{recipe['label_smoothing']:g}, seed {recipe['seed']}. "
        f"{recipe['seconds'] / 60:.0f} minutes on {recipe['cores']} cores. "
        "Made with " + ", ".join(f"{k} {v}" for k, v in manifest.versions.items()) + ".",
        f"Confidences are calibrated with a temperature of {manifest.temperature:g}; photos are "
        f"filed from a confidence of {manifest.threshold:g} on. "
        + (
            "The first was fitted to the photos of sources left out, the second does for these "
            "and the photos held out."
            if "left out" in manifest.metrics
            else "Both were chosen on the photos held out."
        ),
        "## Figures",
        "As served: LiteRT. In brackets: 95 % intervals (Wilson).",
        _figures(manifest.metrics),
        "## Limits",
        "Photos that look unlike those it learnt from are judged less well than the figures "
        "say. An animal that is small, hidden, or seen together with one of another class is "
        "often left as unsure. Do not use it where a wrong answer does harm: it was made to "
        "sort photos.",
    ]
    return "\n\n".join(sections) + "\n"


def _beginning(recipe: dict[str, Any]) -> str:
    return "from a model before it" if recipe["name"] == "fine-tune" else "from scratch"


def _figures(metrics: dict[str, Any]) -> str:
    rows = [
        ("photos", [str(part["photos"]) for part in metrics.values()]),
        *(
            (what, [_share(part, key) for part in metrics.values()])
            for what, key in (
                ("right among all classes", "accuracy"),
                ("right among the classes that are filed", "told_apart"),
                ("expected calibration error", "ece"),
                ("filed in the right folder, of what should be", "filed_right"),
                ("in the right folder, of those filed", "filed_precision"),
                ("filed, of what is neither", "neither_filed"),
            )
        ),
    ]
    return _table(("", *metrics), [(what, *cells) for what, cells in rows])


def _names(manifest: Manifest, role: Role) -> str:
    names = [f"`{c.label}`" for c in manifest.classes if c.role is role]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _share(part: dict[str, Any], key: str) -> str:
    if part[key] is None:
        return "-"
    if key not in part["intervals"]:
        return f"{part[key]:.1%}"
    low, high = part["intervals"][key]
    return f"{part[key]:.1%} ({low:.1%} to {high:.1%})"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
