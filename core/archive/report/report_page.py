"""The page about a table: counts, months, and photos of each kind, in one file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from PIL import Image, ImageOps

from core.archive.report.summary import ERROR, UNDATED, UNSURE, Sample, Summary
from core.archive.sources.content import brought
from core.archive.sources.source import Source
from core.errors import UnreadableCode
from core.images.decode import open_image
from core.model.verdict import VerdictKind
from core.pages.pictures import data_url
from core.pages.templates import render
from core.runtime.durations import duration
from core.runtime.lookahead import map_ahead

_SIDE = 200  # pixels of a picture on the page
_QUALITY = 72
_MOST_MONTHS = 36  # columns; of a longer time years are shown
_COLOURS = ("one", "two", "good", "bad")  # of labels, as the base's style names them

_MEANINGS = {
    VerdictKind.BOTH.value: "more than one kind in one photo",
    VerdictKind.NEITHER.value: "none of the kinds that are filed",
    UNSURE: "not sure enough to be filed",
    ERROR: "could not be read",
}
_ERRORS = {
    UnreadableCode.EMPTY.value: "files of 0 bytes. Copy them again from where they came.",
    UnreadableCode.TRUNCATED.value: "files that end early or are damaged. Copy them again.",
    UnreadableCode.NOT_AN_IMAGE.value: "no images, whatever their names say.",
    UnreadableCode.UNSUPPORTED.value: "images of a kind that is not read. Save them as JPEG.",
    UnreadableCode.TOO_LARGE.value: "files or images larger than what is read.",
    UnreadableCode.NO_PERMISSION.value: "may not be read by who ran it. Change that, then "
    "--retry-errors.",
    UnreadableCode.VANISHED.value: "were listed, and gone when they were to be read.",
    UnreadableCode.IO_ERROR.value: "the disk or the network failed. Run it with --retry-errors.",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Photos with the same answer, as the page tells of them."""

    name: str
    meaning: str
    photos: int
    share: float
    colour: str
    is_label: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A photo on the page."""

    sample: Sample
    name: str  # of its file
    picture: str | None  # a data URL; None: it cannot be shown (any more)


@dataclass(frozen=True, slots=True)
class Column:
    """A month or year of the chart: its groups, from below, as shares of the tallest column."""

    name: str
    photos: int
    parts: tuple[tuple[str, int, float], ...]  # colour, photos, share


def report_page(summary: Summary, address: str) -> str:
    """Write the page about a table; the photos that it shows are read where they lie."""
    groups = groups_of(summary)
    shown = _shown(summary, groups)
    columns = columns_of(summary, groups)
    return render(
        "core.archive.report",
        "report.html.j2",
        address=address,
        summary=summary,
        groups=groups,
        columns=columns,
        label_every=max(1, -(-len(columns) // 12)),
        undated=sum(summary.months.get(UNDATED, Counter()).values()),
        errors=[
            (code, n, _ERRORS.get(code, "a bug of catdog's, which its log has."))
            for code, n in summary.errors.most_common()
        ],
        shown=shown,
        unsure=UNSURE,
        error=ERROR,
        core_time=duration(summary.seconds),
        a_photo=1000 * summary.seconds / max(summary.photos, 1),
    )


def groups_of(summary: Summary) -> list[Group]:
    """List the groups: labels, the larger first, then the other verdicts, then errors."""
    labels = sorted(summary.filed, key=lambda label: -summary.groups[label])
    others = [name for name in _MEANINGS if name in summary.groups and name not in labels]
    colours = dict(zip(labels, _COLOURS * len(labels), strict=False))
    return [
        Group(
            name,
            _MEANINGS.get(name, "sure enough to be filed")
            if name not in labels
            else "sure enough to be filed",
            summary.groups[name],
            summary.groups[name] / summary.photos,
            colours.get(name, name),
            name in labels,
        )
        for name in (*labels, *others)
    ]


def columns_of(summary: Summary, groups: Iterable[Group]) -> list[Column]:
    """Make the chart's columns: months without a gap, or years where those would be many."""
    if not summary.dated:
        return []
    months = list(_months(summary.dated[0], summary.dated[-1]))
    counts = {month: summary.months.get(month, Counter()) for month in months}
    if len(months) > _MOST_MONTHS:
        years: dict[str, Counter[str]] = {}
        for month, counter in counts.items():
            years.setdefault(month[:4], Counter()).update(counter)
        counts = years
    tallest = max(sum(counter.values()) for counter in counts.values())
    return [
        Column(
            name,
            sum(counter.values()),
            tuple(
                (group.colour, counter[group.name], counter[group.name] / tallest)
                for group in groups
                if counter[group.name]
            ),
        )
        for name, counter in counts.items()
    ]


def _months(first: str, last: str) -> Iterator[str]:
    year, month = map(int, first.split("-"))
    while (name := f"{year:04}-{month:02}") <= last:
        yield name
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def _shown(summary: Summary, groups: Iterable[Group]) -> dict[str, list[Shown]]:
    """Read the photos that the page shows, many at once, for they may lie far away."""
    wanted = [
        (group.name, sample) for group in groups for sample in summary.samples.get(group.name, ())
    ]
    shown: dict[str, list[Shown]] = {group.name: [] for group in groups}
    for (name, sample), picture in map_ahead(lambda one: _picture(one[1]), wanted, threads=8):
        shown[name].append(Shown(sample, PurePosixPath(sample.path).name, picture))
    return shown


def _picture(sample: Sample) -> str | None:
    if sample.error is not None:
        return None
    source = Source(sample.key, os.fsdecode(sample.key), sample.size)
    try:
        with brought(source) as content:
            image = open_image(content, min_side=_SIDE)
    except Exception:  # whatever is wrong with it now, the page shows its name
        return None
    fitted = ImageOps.fit(image, (_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return data_url(fitted, quality=_QUALITY)
