"""Whatever people and crashes do in whatever order: no photo is ever lost or doubled."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from catdog import main
from core.store.database import Store
from sorter.moving.rename import rename_no_replace

NAMES = ["tom.png", "Tom.png", "rex.png", "no suffix", "tom (1).png", "caf\udce9.png"]
SIDECARS = ["tom.xmp", "rex.png.json", "tom.mov", "tom (1).xmp"]
FOLDERS = [".", "trip"]
COUNTED: Counter[str] = Counter()


class Crash(BaseException):
    """The process is gone: nothing of it runs any more."""


@contextmanager
def suppress_crash() -> Iterator[None]:
    try:
        yield
    except Crash:
        COUNTED["crashes"] += 1


@contextmanager
def crash_at(step: int, *, before: bool) -> Iterator[None]:
    """End the process before or after its n-th rename, as kill -9 would."""
    calls = 0
    dead = False
    writing = Store.writing

    def counted(source: Path, destination: Path) -> None:
        nonlocal calls, dead
        calls += 1
        dead = dead or (before and calls == step)
        if dead:
            raise Crash
        rename_no_replace(source, destination)
        if calls == step:
            dead = True
            raise Crash

    def refused(self: Store) -> Any:
        if dead:
            raise Crash
        return writing(self)

    with pytest.MonkeyPatch.context() as patch, suppress_crash():
        patch.setattr("sorter.moving.transfer.rename_no_replace", counted)
        patch.setattr(Store, "writing", refused)
        yield
    gc.collect()  # a lock ends with its process


class Folder(RuleBasedStateMachine):
    """A person and catdog with one folder between them."""

    photos: ClassVar[list[bytes]] = []
    model: ClassVar[Path] = Path()

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp())
        self.inbox = self.root / "inbox"
        (self.inbox / "trip").mkdir(parents=True)
        self.expected: Counter[bytes] = Counter()
        self.unused = list(self.photos)
        self.notes = 0

    def teardown(self) -> None:
        COUNTED["examples"] += 1
        shutil.rmtree(self.root)

    def command(self, *arguments: str) -> None:
        COUNTED[arguments[0]] += 1
        state = ["--state-dir", str(self.root / "state")]
        result = CliRunner().invoke(main, [*state, *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code in (0, 1), result.output

    def sort(self, *options: str) -> None:
        self.command("sort", str(self.inbox), "--recursive", "--model", str(self.model), *options)

    def files(self) -> list[Path]:
        return sorted(path for path in self.inbox.rglob("*") if path.is_file())

    @precondition(lambda self: self.unused)
    @rule(name=st.sampled_from(NAMES), folder=st.sampled_from(FOLDERS))
    def drop(self, name: str, folder: str) -> None:
        path = self.inbox / folder / name
        if not os.path.lexists(path):
            content = self.unused.pop()
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            self.expected[content] += 1

    @precondition(lambda self: len(self.unused) > 8)
    @rule(folder=st.sampled_from(FOLDERS))
    def drop_many(self, folder: str) -> None:
        """A camera's card: photos with their sidecars."""
        for _ in range(4):
            content = self.unused.pop()
            stem = self.inbox / folder / f"IMG_{len(self.unused):04}"
            stem.parent.mkdir(exist_ok=True)
            stem.with_suffix(".png").write_bytes(content)
            note = f"about {len(self.unused)}".encode()
            stem.with_suffix(".xmp").write_bytes(note)
            self.expected.update([content, note])

    @rule(name=st.sampled_from(SIDECARS), folder=st.sampled_from(FOLDERS))
    def drop_sidecar(self, name: str, folder: str) -> None:
        path = self.inbox / folder / name
        if not os.path.lexists(path):
            self.notes += 1
            content = f"note {self.notes}".encode()
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            self.expected[content] += 1

    @precondition(lambda self: self.unused and self.files())
    @rule(choice=st.integers(0, 1000))
    def change(self, choice: int) -> None:
        """Save another photo over one, wherever it is."""
        files = self.files()
        path = files[choice % len(files)]
        self.expected[path.read_bytes()] -= 1
        content = self.unused.pop()
        path.write_bytes(content)
        self.expected[content] += 1

    @precondition(lambda self: self.files())
    @rule(
        choice=st.integers(0, 1000),
        name=st.sampled_from(NAMES),
        folder=st.sampled_from([*FOLDERS, "cats", "dogs"]),
    )
    def rename(self, choice: int, name: str, folder: str) -> None:
        files = self.files()
        path = files[choice % len(files)]
        new = self.inbox / folder / name
        if not os.path.lexists(new):
            new.parent.mkdir(exist_ok=True)
            path.rename(new)

    @rule(others=st.booleans(), by_date=st.booleans(), skip=st.booleans())
    def sort_all(self, others: bool, by_date: bool, skip: bool) -> None:
        options = ["--others", "move"] if others else []
        options += ["--by-date"] if by_date else []
        self.sort(*options, *(["--conflict", "skip"] if skip else []))

    @rule()
    def undo(self) -> None:
        self.command("undo")

    @rule(last=st.integers(1, 5))
    def undo_some(self, last: int) -> None:
        self.command("undo", "--last", str(last))

    @rule(step=st.integers(1, 8), before=st.booleans())
    def crash_while_sorting(self, step: int, before: bool) -> None:
        with crash_at(step, before=before):
            self.sort()

    @rule(step=st.integers(1, 8), before=st.booleans())
    def crash_while_undoing(self, step: int, before: bool) -> None:
        with crash_at(step, before=before):
            self.command("undo", "--since", "1d")

    @rule()
    def history(self) -> None:
        self.command("history")

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        if hasattr(self, "inbox"):
            assert Counter(path.read_bytes() for path in self.files()) == +self.expected


def pool(draw: Callable[..., Any], folder: Path, number: int) -> list[bytes]:
    """Make distinct photos: cats, dogs, and what is neither."""
    contents = []
    for seed in range(number):
        draw(("cats", "dogs", "other")[seed % 3], seed, (32, 24)).save(folder / "one.png")
        contents.append((folder / "one.png").read_bytes())
    (folder / "one.png").unlink()
    return contents


@pytest.mark.skipif(os.name != "posix", reason="names of any bytes, as POSIX has them")
@pytest.mark.parametrize(
    "examples", [pytest.param(8, id="some"), pytest.param(100, id="many", marks=pytest.mark.long)]
)
def test_no_photo_is_lost_or_doubled_whatever_happens(
    examples: int, tmp_path: Path, tiny_model: Path, draw: Callable[..., Any]
) -> None:
    COUNTED.clear()
    Folder.photos = pool(draw, tmp_path, 60)
    Folder.model = tiny_model
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Folder,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    sys.stdout.write(f"state machine: {dict(COUNTED)}\n")
    assert COUNTED["examples"] >= examples // 2
