"""Row 6: the memory that `catdog watch` takes, and the baseline's."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measuring.figures import Figure, at_least, at_most, in_turns, ratios
from benchmarks.measuring.memory import PeakMemory, tree_memory
from benchmarks.measuring.photos import camera_photos
from benchmarks.measuring.setting import Setting, catdog, module

_SETTLED_SECONDS = 2.0  # after the start
_DEADLINE_SECONDS = 600.0  # only a daemon that does not do its work takes that long


def measure(setting: Setting) -> list[Figure]:
    """Start both on an empty folder, and give ours photos of a camera all at once."""
    photos = camera_photos(
        setting.photos, setting.sizes.watch_photos, setting.work / "camera-watched"
    )
    loaded: list[float] = []

    def ours() -> float:
        inbox = _empty(setting.work / "inbox")
        with _started(setting, catdog("watch", inbox, "--others", "move")) as process:
            idle = tree_memory(process.pid)
            with PeakMemory(process.pid) as peak:
                for photo in photos:
                    shutil.copyfile(photo, inbox / photo.name)
                assert process.stdout is not None
                for _ in photos:
                    assert process.stdout.readline(), "catdog watch has ended"
            loaded.append(peak.bytes)
        return idle

    def theirs() -> float:
        inbox = _empty(setting.work / "inbox")
        with _started(setting, module("baseline", "watch", inbox)) as process:
            return tree_memory(process.pid)

    idle = in_turns({"baseline": theirs, "catdog": ours}, setting.sizes.rounds)
    shutil.rmtree(setting.work / "camera-watched")
    return memory_figures(
        "watch", idle=idle["catdog"], loaded=loaded, baseline_idle=idle["baseline"]
    )


def memory_figures(
    command: str, *, idle: Sequence[float], loaded: Sequence[float], baseline_idle: Sequence[float]
) -> list[Figure]:
    """Hold memory in bytes, of all processes together, against the lines."""
    memory = f"memory of `{command}`"
    over_ours = f"memory of the baseline's `{command}` over ours, idle"
    return [
        Figure(6, f"{memory}, idle", _megabytes(idle), "MB", at_most(130)),
        Figure(6, f"{memory}, under load", _megabytes(loaded), "MB", at_most(250)),
        Figure(6, over_ours, ratios(baseline_idle, idle), line=at_least(5)),
    ]


def _megabytes(sizes: Sequence[float]) -> tuple[float, ...]:
    return tuple(size / 1e6 for size in sizes)


@contextmanager
def _started(setting: Setting, command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Start a daemon, wait for its first line, and end it."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=setting.environment()
    ) as process:
        last_resort = threading.Timer(_DEADLINE_SECONDS, process.kill)
        last_resort.start()
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), f"{command} has ended"
            time.sleep(_SETTLED_SECONDS)
            yield process
        finally:
            last_resort.cancel()
            process.terminate()
            process.communicate()


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder
