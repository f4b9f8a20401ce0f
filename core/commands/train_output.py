"""What `catdog train` prints of what came out, and whether that serves from now on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.paths import display
from core.runtime.console import echo

# What it needs is imported by it, so that --help does not wait for it.
if TYPE_CHECKING:
    from core.training.evaluation.comparison import Comparison
    from core.training.head.train_head import TrainedHead
    from core.training.report.label_errors_page import LabelErrors

_MOST_SHOWN = 5  # labels that look wrong, on the terminal; the report has more


def tell_head(trained: TrainedHead, models_dir: Path, output: Path | None) -> None:
    """Print what a training came to, and have its model serve if it may."""
    from core.model.promotion import promote as promote_model
    from core.training.report.training_page import REPORT

    manifest, comparison = trained.manifest, trained.comparison
    tell_figures(manifest.metrics)
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
        echo(
            f"Use it with --model {manifest.version}, or everywhere with `catdog models promote "
            f"{manifest.version}`."
        )
        return
    _tell_comparison(comparison)
    if not trained.serves:
        way = "--promote" if comparison.other_classes else "--force"
        echo(
            f"{comparison.current} goes on serving. If you know better: `catdog models promote "
            f"{manifest.version}`, or {way} the next time."
        )
        return
    before = promote_model(models_dir, manifest.version)
    echo(
        f"{manifest.version} serves now, in the place of {before}. `catdog models rollback` takes "
        "that back."
    )


def tell_figures(metrics: dict[str, Any]) -> None:
    for part, figures in metrics.items():
        right = round(figures["accuracy"] * figures["photos"])
        echo(
            f"{part.capitalize()}: {figures['accuracy']:.1%} right "
            f"({right} of {figures['photos']}), loss {figures['loss']:.3f}"
        )


def _tell_comparison(comparison: Comparison) -> None:
    echo(f"Against {comparison.current}, which serves, on photos from which neither learnt:")
    for finding in comparison.findings:
        echo(f"  {'+' if finding.speaks_for else '-'} {finding.sentence}")


def tell_label_errors(found: LabelErrors, folder: Path) -> None:
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
