"""Progress bars, on a real terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from core.runtime.console import Terminal, count_up
from tests.conftest import Draw


@contextmanager
def terminal() -> Iterator[tuple[int, bytearray]]:
    """Open a terminal: the side that a process writes to, and what it has shown in the end."""
    import pty

    our_side, process_side = pty.openpty()
    shown = bytearray()

    def read() -> None:
        with suppress(OSError):  # how a terminal ends on Linux
            while part := os.read(our_side, 1 << 12):
                shown.extend(part)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    yield process_side, shown
    os.close(process_side)
    reader.join(30)
    os.close(our_side)


def test_counting_up() -> None:
    shown: list[float] = []
    one_more = count_up(shown.append)
    one_more()
    one_more()
    assert shown == [1, 2]


def test_without_a_terminal_a_line_is_written_every_few_minutes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with Terminal().progress("Training", 200) as on_progress:
        for second, done in ((0, 100), (200, 110), (300, 120), (400, 130), (610, 150)):
            now = 1000.0 + second
            on_progress(done)
    assert capsys.readouterr().err.splitlines() == [
        "Training: 60%, about 20 min left",  # a run that goes on from the half
        "Training: 75%, about 10 min left",
    ]


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals as POSIX has them")
def test_a_bar_on_the_terminal_leaves_standard_output_to_the_answers(
    tmp_path: Path, tiny_model: Path, draw: Draw
) -> None:
    """Standard error is a terminal, standard output a pipe."""
    for seed in range(20):
        draw("cats", seed).save(tmp_path / f"{seed}.png")
    with terminal() as (process_side, shown):
        process = subprocess.run(
            [sys.executable, "-m", "catdog", "predict", tmp_path, "--json", "--model", tiny_model],
            stdout=subprocess.PIPE,
            stderr=process_side,
            text=True,
            check=True,
            timeout=120,
            env={**os.environ, "TERM": "xterm-256color"},
        )
    assert len([json.loads(line) for line in process.stdout.splitlines()]) == 20
    assert b"Looking" in shown
    assert b"%" in shown


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals as POSIX has them")
def test_answers_on_the_terminal_stand_above_the_bar(
    tmp_path: Path, tiny_model: Path, draw: Draw
) -> None:
    """Each on a line of its own, which the bar was wiped from."""
    for seed in range(20):
        draw("cats", seed).save(tmp_path / f"{seed}.png")
    with terminal() as (process_side, shown):
        subprocess.run(
            [sys.executable, "-m", "catdog", "predict", tmp_path, "--model", tiny_model],
            stdout=process_side,
            stderr=process_side,
            check=True,
            timeout=120,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "500"},
        )
    answers = [line for line in bytes(shown).split(b"\r\n") if b".png: " in line]
    assert len(answers) == 20
    assert all(
        b"%" not in line.partition(b".png: ")[0].rpartition(b"\x1b[2K")[2] for line in answers
    )


@pytest.mark.skipif(os.name != "posix", reason="a shell as POSIX has it")
def test_a_closed_standard_error_is_no_failure(
    tmp_path: Path, tiny_model: Path, draw: Draw
) -> None:
    draw("cats", 1).save(tmp_path / "tom.png")
    command = f"'{sys.executable}' -m catdog predict tom.png --model '{tiny_model}' 2>&-"
    shown = subprocess.run(
        command, shell=True, cwd=tmp_path, check=True, stdout=subprocess.PIPE, text=True
    )
    assert shown.stdout.startswith("tom.png: cat")
