"""What a person asks of a training: the options of `catdog train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """What a person asks of a training."""

    data: Path | None  # None: photos that people labelled, or a table, are all there is
    output: Path | None = None  # None: a new version in the models folder
    test: Path | None = None
    classes: str = "add"  # or "replace": a head files into the classes of `data` alone
    check: bool = False  # train nothing
    find_label_errors: bool = False  # make no model
    with_feedback: bool = False  # learn from the photos that people labelled, too
    with_table: str | None = None  # TABLE:COLUMN, an archive's with labels, to learn from, too
    trust_filed: bool = False  # learn from what catdog filed and nobody corrected, too
    promote: bool | None = None  # None: if it is no worse; False: not even compared
    network: str | None = None  # None: a head for the network that serves
    epochs: float | None = None
    set: tuple[str, ...] = ()  # NAME=VALUE, over the network's recipe
    held_out_sources: tuple[str, ...] = ()  # that a whole network does not learn from
    resume: bool = False
    finish: bool = False  # make a model of how far the run came
