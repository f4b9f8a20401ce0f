"""kill -9, at random and at every step: each photo is there once, and undo gives all back."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.store.database import Store
from sorter.undoing.recovery import recover
from sorter.undoing.selection import groups_of
from sorter.undoing.undo import put_back

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.name != "posix", reason="kill -9 as POSIX has it"),
]

SHM = Path("/dev/shm")
Snapshot = dict[str, tuple[bytes, int]]


def snapshot(folder: Path) -> Snapshot:
    """Read all files with their times, by name."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
        if not path.is_dir()
    }


def fill(folder: Path, draw: Callable[..., Any], photos: int) -> None:
    """Make distinct photos, every fourth with a sidecar, all of them some years old."""
    folder.mkdir(parents=True)
    for seed in range(photos):
        photo = folder / f"{seed:03}.png"
        draw("cats" if seed % 2 else "dogs", seed, (32, 24)).save(photo)
        if seed % 4 == 0:
            name = f"{seed:03}.xmp" if seed % 8 else f"{seed:03}.png.json"
            (folder / name).write_text(f"about {seed}")
    for number, path in enumerate(sorted(folder.iterdir())):
        os.utime(path, ns=(1_500_000_000_123_456_789 + number, 1_500_000_000_987_654_321 + number))


@dataclass
class Scene:
    """A folder, where it is sorted into, and what was in it."""

    inbox: Path
    into: Path
    state: Path
    model: Path
    before: Snapshot

    def command(self, name: str, *options: object) -> list[str]:
        command = [sys.executable, "-m", "catdog", "--state-dir", str(self.state), name, "--json"]
        if name != "undo":
            command += [str(self.inbox), "--into", str(self.into), "--model", str(self.model)]
        return command + [str(option) for option in options]

    def files(self) -> Iterator[Path]:
        for folder in {self.inbox, self.into}:
            yield from (path for path in folder.rglob("*") if path.is_file())

    def check(self) -> None:
        """Each original is there once, sidecars beside their photo, and nothing else is."""
        where: dict[bytes, list[Path]] = {}
        for path in self.files():
            where.setdefault(path.read_bytes(), []).append(path)
        counts = Counter({content: len(paths) for content, paths in where.items()})
        assert counts == Counter(content for content, _ in self.before.values())
        for name, (content, _) in self.before.items():
            photo = name[:3] + ".png"
            beside = where[self.before[photo][0]][0].parent
            assert where[content][0].parent == beside, f"{name} is not beside {photo}"

    def recover(self) -> None:
        with closing(Store(self.state)) as store:
            recover(store)

    def forget_undone(self) -> None:
        """A daemon leaves alone what undo put back: have it forget."""
        with closing(Store(self.state)) as store, store.writing() as db:
            db.execute("DELETE FROM stayed")

    def undo_all(self) -> None:
        with closing(Store(self.state)) as store:
            recover(store)
            for outcome in put_back(store, groups_of(store), dry_run=False):
                assert outcome.done, outcome
        assert snapshot(self.inbox) == self.before
        assert [path for path in self.files() if self.inbox not in path.parents] == []


@pytest.fixture(params=["one file system", "across file systems"])
def scene(
    request: pytest.FixtureRequest, tmp_path: Path, tiny_model: Path, draw: Callable[..., Any]
) -> Iterator[Scene]:
    inbox = tmp_path / "inbox"
    fill(inbox, draw, 400)  # and 100 sidecars
    into = inbox
    if request.param == "across file systems":
        if not SHM.is_dir() or SHM.stat().st_dev == inbox.stat().st_dev:
            pytest.skip("needs /dev/shm as a second file system")
        into = Path(tempfile.mkdtemp(dir=SHM))
    yield Scene(inbox, into, tmp_path / "state", tiny_model, snapshot(inbox))
    if into != inbox:
        shutil.rmtree(into)


def kill_at_random(scene: Scene, name: str, moments: random.Random) -> bool:
    """Start a command and kill it after its first move; False if it was over before."""
    options = ("--settle", "0") if name == "watch" else ()
    longest = 0.02 if name == "undo" else 0.15
    with subprocess.Popen(
        scene.command(name, *options), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(moments.uniform(0, longest))
        over = process.poll() is not None
        process.kill()
        process.stdout.read()
    return bool(first) and not over


def check_between(scene: Scene, moments: random.Random) -> None:
    """Check what a kill left; half of the time the next command recovers it, else this."""
    if scene.into == scene.inbox:
        there = Counter(path.read_bytes() for path in scene.files())
        assert there == Counter(content for content, _ in scene.before.values())
    if moments.random() < 0.5:
        scene.recover()
        scene.check()


def test_killed_at_random_two_hundred_times(
    scene: Scene, record_property: Callable[[str, object], None]
) -> None:
    """sort, watch and undo, each restarted where the last one died, until 200 were killed."""
    moments = random.Random(7)
    kills: Counter[str] = Counter()
    wanted = 200 if scene.into == scene.inbox else 60
    forward = itertools.cycle(["sort", "watch"])
    while kills.total() < wanted:
        for _ in range(12):
            if not any(scene.inbox.glob("*.png")):
                break
            scene.forget_undone()
            name = next(forward)
            kills[name] += kill_at_random(scene, name, moments)
            check_between(scene, moments)
        for _ in range(4):
            kills["undo"] += kill_at_random(scene, "undo", moments)
            check_between(scene, moments)
        scene.undo_all()
    scene.recover()
    scene.check()
    assert min(kills[name] for name in ("sort", "watch", "undo")) >= wanted // 8, kills
    sys.stdout.write(f"killed: {dict(kills)}\n")
    record_property("kills", dict(kills))
    scene.undo_all()


STEPS = 40
RENAME, LINK, UNLINK = "renameat2", "linkat", "unlink"
# how each is reached: by itself, or where the file system is made to lack another
INJECTED = {
    "rename": (RENAME, []),
    "link": (LINK, [f"inject={RENAME}:error=EINVAL"]),
    "unlink after a link": (UNLINK, [f"inject={RENAME}:error=EINVAL"]),
    "rename over a claimed name": (
        "rename",
        [f"inject={RENAME}:error=EINVAL", f"inject={LINK}:error=EPERM"],
    ),
}


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", [*INJECTED, "rename of a copy", "unlink after a copy"])
def test_killed_before_and_after_each_of_the_first_calls(
    tmp_path: Path, tiny_model: Path, draw: Callable[..., Any], step: str, moment: str
) -> None:
    """Exactly before the call, or after it and before anything else."""
    across = "copy" in step
    if across and (not SHM.is_dir() or SHM.stat().st_dev == tmp_path.stat().st_dev):
        pytest.skip("needs /dev/shm as a second file system")
    call, injected = INJECTED.get(step, (UNLINK if "unlink" in step else RENAME, []))
    fill(tmp_path / "original", draw, 36)  # and 9 sidecars
    before = snapshot(tmp_path / "original")

    def kill_at(number: int) -> None:
        inbox = tmp_path / str(number) / "inbox"
        shutil.copytree(tmp_path / "original", inbox)
        into = Path(tempfile.mkdtemp(dir=SHM)) if across else inbox
        scene = Scene(inbox, into, tmp_path / str(number) / "state", tiny_model, before)
        # across file systems each file takes two renames, of which the first is refused
        which = 2 * number if (across and call == RENAME) else number
        kill = "signal=KILL" if moment == "before" else "delay_exit=60000000"
        command = ["strace", "-f", "-qq", "-o", str(tmp_path / f"{number}.trace")]
        for one in [*injected, f"inject={call}:{kill}:when={which}"]:
            command += ["-e", one]
        command += ["-e", f"trace={RENAME},{LINK},{UNLINK},rename"]
        with subprocess.Popen(
            command + scene.command("sort"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            if moment == "after":
                _kill_once_delayed(process, tmp_path / f"{number}.trace")
            assert process.wait(60) != 0
        if moment == "before":
            trace = (tmp_path / f"{number}.trace").read_text()
            assert "killed by SIGKILL" in trace, trace[-500:]
        try:
            scene.recover()
            scene.check()
            scene.undo_all()
        finally:
            if across:
                shutil.rmtree(into)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(kill_at, range(1, STEPS + 1)))


def _kill_once_delayed(process: subprocess.Popen[bytes], trace: Path) -> None:
    """Kill what strace holds right after the call: the call is done, its return is not."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        tracees = _children(process.pid)
        for pid in tracees:
            if _is_held(pid):
                os.kill(pid, 9)
                process.kill()  # strace itself would sleep on
                while not _is_dead(pid):  # dying, it still holds its lock
                    assert time.monotonic() < end
                    time.sleep(0.001)
                return
        time.sleep(0.005)
    raise AssertionError("strace never held the process: " + trace.read_text()[-500:])


def _children(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (OSError, ValueError):
        return []


def _is_held(pid: int) -> bool:
    """Whether the main thread is held in a tracing stop: strace's ordinary ones are short."""
    for _ in range(40):
        if _state(pid) != "t":
            return False
        time.sleep(0.002)
    return True


def _is_dead(pid: int) -> bool:
    """Whether all threads of a process are gone, with what they held."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return True
    return len(threads) == 1 and _state(pid) in ("", "Z")


def _state(pid: int) -> str:
    """Return a process's state as the system has it, "" if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def test_two_sorts_and_a_watch_at_once_file_every_photo_once(scene: Scene) -> None:
    with closing(Store(scene.state)):
        pass
    daemon = subprocess.Popen(
        scene.command("watch", "--settle", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    sorts = [
        subprocess.Popen(scene.command("sort"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    outcomes = []
    for process in sorts:
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        outcomes += [json.loads(line) for line in out.splitlines()]
    end = time.monotonic() + 60
    while any(scene.inbox.glob("*.*")) and time.monotonic() < end:
        time.sleep(0.05)
    daemon.terminate()
    outcomes += [json.loads(line) for line in daemon.communicate(timeout=60)[0].splitlines()]
    scene.check()
    assert not any(scene.inbox.glob("*.*"))
    moved = Counter(Path(o["path"]).name for o in outcomes if o["outcome"] == "moved")
    assert set(moved.values()) == {1}
    assert set(moved) == set(scene.before)
    scene.undo_all()


class Card:
    """A card with exFAT, which gives new inode numbers at each mount."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "card"
        self._image = folder / "card.img"
        self._device = ""

    def make(self) -> None:
        programs = ("mkfs.exfat", "mount.exfat-fuse", "umount", "losetup", "strace")
        missing = [one for one in programs if shutil.which(one) is None]
        if missing or not Path("/dev/fuse").exists():
            pytest.skip(f"exFAT is not to be had here: {', '.join(missing) or '/dev/fuse'}")
        self.folder.mkdir()
        with self._image.open("wb") as image:
            image.truncate(64 * 2**20)
        subprocess.run(["mkfs.exfat", str(self._image)], check=True, capture_output=True)
        loop = ["losetup", "--find", "--show", str(self._image)]
        made = subprocess.run(loop, capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"no loop device is to be had here: {made.stderr.strip()}")
        self._device = made.stdout.strip()
        self.mount()

    def mount(self) -> None:
        command = ["mount.exfat-fuse", self._device, str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"exFAT cannot be mounted here: {done.stderr.strip()}")

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=True)

    def end(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=False, capture_output=True)
        if self._device:
            subprocess.run(["losetup", "--detach", self._device], check=False)


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    card = Card(tmp_path)
    try:
        card.make()
        yield card
    finally:
        card.end()


def test_killed_between_copy_and_removal_on_exfat_and_mounted_anew(
    card: Card, tmp_path: Path, tiny_model: Path, draw: Callable[..., Any]
) -> None:
    """Ten times: each photo is there once, and not twice since its inode has another number."""
    inbox, into = card.folder / "inbox", tmp_path / "sorted"
    fill(inbox, draw, 80)  # and 20 sidecars
    into.mkdir()
    card.unmount()
    card.mount()
    scene = Scene(inbox, into, tmp_path / "state", tiny_model, snapshot(inbox))
    for number in range(1, 11):
        command = ["strace", "-f", "-qq", "-o", str(tmp_path / "trace"), "-e", f"trace={UNLINK}"]
        command += ["-e", f"inject={UNLINK}:signal=KILL:when={1 + number % 3}"]
        killed = subprocess.run(command + scene.command("sort"), capture_output=True)
        assert killed.returncode != 0
        card.unmount()
        card.mount()
        scene.recover()
        scene.check()
    scene.undo_all()
