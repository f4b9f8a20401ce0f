"""Memory is that of a process and of all that it started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from benchmarks.measuring.memory import PeakMemory, tree_memory

_HOLDS = "import sys; held = bytearray({}); print(flush=True); sys.stdin.readline()"
_HAS_A_CHILD = (
    "import subprocess, sys; "
    f"child = subprocess.Popen([sys.executable, '-c', {_HOLDS.format(60_000_000)!r}]); child.wait()"
)
_TAKES_AND_GIVES_BACK = (
    "import sys, time; held = bytearray(60_000_000); time.sleep(0.5); del held; "
    "print(flush=True); sys.stdin.readline()"
)


@contextmanager
def running(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until the block is left."""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        yield process
        process.communicate(b"\n")


def test_what_a_child_takes_counts() -> None:
    with running(_HAS_A_CHILD) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 60e6 < tree_memory(process.pid) < 150e6


def test_the_peak_is_remembered() -> None:
    with running(_TAKES_AND_GIVES_BACK) as process:
        with PeakMemory(process.pid) as peak:
            assert process.stdout is not None
            process.stdout.readline()
        assert peak.bytes > 60e6 > tree_memory(process.pid)


def test_a_process_that_has_ended_is_named() -> None:
    with running("") as process:
        process.wait()
    with pytest.raises(psutil.NoSuchProcess):
        tree_memory(process.pid)
    with PeakMemory(process.pid) as peak:
        pass
    assert peak.bytes == 0
