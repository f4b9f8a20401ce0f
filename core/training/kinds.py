"""Finer names for some photos, such as breeds and animals, which a network may learn besides."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import UsageRefused
from core.image import display
from core.training.dataset import Dataset, Indices


@dataclass(frozen=True, slots=True)
class Kinds:
    """What some photos show beyond their class."""

    names: tuple[str, ...]
    of_photos: Indices  # of each of the dataset's photos: the place in `names`, -1 where unknown


def read_kinds(file: Path, folder: Path, dataset: Dataset) -> Kinds:
    """Read a CSV with the columns `file`, a path in `folder`, and `kind`, perhaps empty.

    Raises UsageRefused for a file that is not like that, or names no photo of the dataset.
    """
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines)
            kind_of = {row["file"]: row["kind"] for row in rows if row["kind"]}
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise UsageRefused(
            f"{display(file)} is not a CSV with the columns file and kind ({error})."
        ) from error
    found = [kind_of.get(_name_in(folder, photo.path)) for photo in dataset.photos]
    names = tuple(sorted({kind for kind in found if kind}))
    if not names:
        raise UsageRefused(
            f"{display(file)} names no photo in {display(folder)}. Its column file must hold "
            "paths in that folder, such as cats/tom.jpg."
        )
    place = {name: index for index, name in enumerate(names)}
    return Kinds(names, np.array([place[kind] if kind else -1 for kind in found], dtype=np.intp))


def _name_in(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
