"""Learning from what was said on the page: a head's fit in a process of its own, in seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# `python -m catdog` needs the folder that catdog.py is in only where it is not installed
_COMMAND = (sys.executable, "-m", "catdog")


@dataclass(frozen=True, slots=True)
class Learning:
    """How far learning is, for the page."""

    is_running: bool = False
    lines: tuple[str, ...] = ()  # what `catdog train` prints
    exit_code: int | None = None
    filed: int = 0  # photos that the new model was sure of, and that were filed then
    waiting_before: int = 0
    waiting_after: int | None = None


def train_head(models_dir: Path, state_dir: Path, on_line: Callable[[str], None]) -> int:
    """Run `catdog train --with-feedback`; returns its exit code.

    It learns from labels that people gave, here and elsewhere: what is filed by itself teaches
    nothing.
    """
    folders = ["--models-dir", str(models_dir), "--state-dir", str(state_dir)]
    process = subprocess.Popen(
        [*_COMMAND, *folders, "train", "--with-feedback"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    for line in process.stdout:
        on_line(line.rstrip("\n"))
    return process.wait()
