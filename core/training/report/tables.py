"""An examination as lines for a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from core.labels import UNSURE, Role
from core.training.evaluation.examine import Examination
from core.training.evaluation.metrics import Evaluation


def evaluation_object(examination: Examination) -> dict[str, Any]:
    """Return an examination as a JSON object; shares are 0 to 1."""
    measured = examination.measured
    evaluation = asdict(measured.evaluation)
    photos = evaluation.pop("photos")
    faults = len(measured.predicted.faults)
    fields: dict[str, Any] = {
        "model": examination.manifest.version,
        "data": {
            "fingerprint": measured.fingerprint,
            "files": photos + faults,
            "skipped": faults,
        },
        **evaluation,
        "sources": {source: asdict(one) for source, one in examination.sources.items()},
        "kinds": {kind: asdict(one) for kind, one in examination.kinds.items()},
        "curve": [asdict(one) for one in examination.curve],
        "model_bytes": examination.model_bytes,
        "milliseconds": round(examination.milliseconds, 3),
    }
    if examination.varied:
        fields["variations"] = {name: asdict(one) for name, one in examination.varied.items()}
    if examination.pairs:
        fields["pairs"] = asdict(examination.pairs)
    return fields


def evaluation_lines(examination: Examination) -> Iterator[str]:
    """Write an examination for people: figures with their 95 % intervals, then the tables."""
    manifest = examination.manifest
    evaluation = examination.measured.evaluation
    pets = " and ".join(c.folder for c in manifest.classes if c.role is Role.FILE)
    yield (
        f"Model {manifest.version}, {evaluation.photos} photos; "
        f"{examination.model_bytes / 1e6:.1f} MB, "
        f"{examination.milliseconds:.1f} ms a photo on one thread"
    )
    yield ""
    for key, what in (
        ("accuracy", "right among all classes"),
        ("pet_accuracy", f"of {pets}: told apart"),
        ("filed_rightly", f"of {pets}: filed in the right folder"),
        ("filed_precision", "of those filed: in the right folder"),
        ("false_filing_rate", "of photos of neither: filed all the same"),
    ):
        yield f"{_percent(getattr(evaluation, key))}  {what}{_interval(evaluation, key)}"
    yield f"{evaluation.loss:6.3f}  loss: cross-entropy, in nats"
    yield f"{_percent(evaluation.ece)}  expected calibration error"
    if pairs := examination.pairs:
        low, high = pairs.interval
        yield (
            f"{_percent(pairs.unfiled)}  of {pairs.photos} photos of two at once: left alone "
            f"({low:.1%} to {high:.1%})"
        )
    yield from _class_lines(manifest.labels, evaluation)
    yield from _source_lines(examination.sources)
    if examination.kinds:
        width = max(map(len, [*examination.kinds, "kind of neither"]))
        yield ""
        yield f"{'kind of neither':<{width}}  photos   right  filed"
        for kind, own in examination.kinds.items():
            share = _percent(own.false_filing_rate)
            yield f"{kind:<{width}}  {own.photos:6}  {_percent(own.accuracy)}  {share}"
    yield ""
    yield "threshold   filed  of those right  of neither filed"
    for one in examination.curve:
        yield (
            f"{one.threshold:9g}  {_percent(one.coverage)}  {_percent(one.filed_precision):>14}  "
            f"{_percent(one.false_filing_rate):>16}"
        )
    if examination.varied:
        yield ""
        yield f"{'points lost':>26}  told apart"
        for name, varied in examination.varied.items():
            yield f"{100 * varied.lost:11.1f}  {varied.pet_accuracy:>12.1%}  {name}"


def _class_lines(labels: Sequence[str], evaluation: Evaluation) -> Iterator[str]:
    """Write what each class was taken for, and what was answered at the thresholds."""
    width = max(8, *(len(label) + 2 for label in labels))
    yield ""
    columns = "".join(f"{label:>{width}}" for label in labels)
    yield f"{'taken for:':>{width + 10}}{columns}  precision  recall"
    for label, row in evaluation.confusion.items():
        figures = evaluation.per_class[label]
        cells = "".join(f"{row[other]:>{width}}" for other in labels)
        shares = f"{_percent(figures.precision):>9}  {_percent(figures.recall)}"
        yield f"{label:>{width + 10}}{cells}  {shares}"
    yield ""
    columns = "".join(f"{label:>{width}}" for label in [*labels, UNSURE])
    yield f"{'answered:':>{width + 10}}{columns}"
    for label, row in evaluation.verdicts.items():
        cells = "".join(f"{count:>{width}}" for count in row.values())
        yield f"{label:>{width + 10}}{cells}"
    limits = "".join(f"{limit:>{width}g}" for limit in evaluation.thresholds.values())
    yield f"{'from:':>{width + 10}}{limits}"


def _source_lines(sources: Mapping[str, Evaluation]) -> Iterator[str]:
    if not sources:
        return
    width = max(map(len, [*sources, "source"]))
    yield ""
    yield f"{'source':<{width}}  photos   right  told apart  filed right  of neither filed"
    for name, one in sources.items():
        yield (
            f"{name:<{width}}  {one.photos:6}  {_percent(one.accuracy)}  "
            f"{_percent(one.pet_accuracy):>10}  {_percent(one.filed_rightly):>11}  "
            f"{_percent(one.false_filing_rate):>16}"
        )


def _percent(share: float | None) -> str:
    return "     -" if share is None else f"{share:6.1%}"


def _interval(evaluation: Evaluation, key: str) -> str:
    if key not in evaluation.intervals:
        return ""
    low, high = evaluation.intervals[key]
    return f" ({low:.1%} to {high:.1%})"
