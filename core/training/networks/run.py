"""One run of a training of a network: its photos, its folders, how it goes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from core.runtime.console import Console
from core.training.data.dataset import Dataset
from core.training.data.labelled import LabelledFolder


@dataclass(frozen=True, slots=True)
class Run:
    """What each kind of training is given."""

    dataset: Dataset
    files: int  # labelled, before any was skipped
    tested: LabelledFolder | None
    work: Path  # for checkpoints
    staged: Path  # empty: for the model
    models_dir: Path
    output: Path | None
    finish: bool  # go no further than the checkpoints
    console: Console
    begun: float  # monotonic seconds

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun
