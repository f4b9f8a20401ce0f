"""One odd file is that file's own trouble: the others are sorted."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from catdog import main
from core.model.classifier import Classifier
from core.store.database import Store
from sorter.filing.mover import Mover
from sorter.filing.pipeline import Sorting, sort_photos
from sorter.identity import FileIdentity
from sorter.journal.left_files import LeftFiles
from sorter.journal.run import Run
from sorter.outcome import FileOutcome, Outcome, Reason
from sorter.routes import Routes
from sorter.sidecars.matching import FolderSidecars
from sorter.undoing.history import moves_of, runs

Draw = Callable[..., Any]
Put = Callable[[Path, bytes], Path]

FAR = 10_000_000_000  # seconds: the year 2286, whose nanoseconds do not fit 63 bits


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def date(path: Path, seconds: int) -> None:
    os.utime(path, ns=(seconds * 10**9, seconds * 10**9))
    if path.stat().st_mtime_ns != seconds * 10**9:
        pytest.skip("this file system does not keep such times")


@pytest.mark.parametrize("seconds", [FAR, 2**33 + 2**32, -(2**31)])
def test_a_photo_of_any_time_is_filed_and_comes_back(
    tmp_path: Path, draw: Draw, put: Put, tiny_model: Path, seconds: int
) -> None:
    draw("cats", 300).save(tmp_path / "odd.jpg")
    draw("dogs", 300).save(tmp_path / "rex.jpg")
    put(tmp_path / "odd.xmp", b"notes")
    for name in ("odd.jpg", "odd.xmp"):
        date(tmp_path / name, seconds)
    result = run("sort", tmp_path, "--model", tiny_model, "--by-date")
    assert result.exit_code == 0, result.output
    (odd,) = (tmp_path / "cats").rglob("odd.jpg")
    assert (odd.stat().st_mtime_ns, odd.with_suffix(".xmp").exists()) == (seconds * 10**9, True)
    assert "3 files of run 1 put back" in run("undo").stdout
    assert (tmp_path / "odd.jpg").stat().st_mtime_ns == seconds * 10**9


def test_no_number_of_a_file_system_is_refused_by_what_is_remembered(
    tmp_path: Path, store: Store
) -> None:
    memory = LeftFiles(store, "rules")
    for number in (-(2**70), -1, 0, 2**63 - 1, 2**63, 2**80):
        identity = FileIdentity(2**64 - 1, 2**64 - 1, abs(number), number)
        memory.remember(tmp_path / str(number), identity, "unsure")
        memory.flush()
        assert memory.reason(tmp_path / str(number), identity) == "unsure"
        other = FileIdentity(1, 1, abs(number), number + 1)
        assert memory.reason(tmp_path / str(number), other) is None


class StumblingClassifier(Classifier):
    """A classifier with a bug that one photo shows."""

    def classify(self, opened: Any) -> Any:
        if opened(97).width == 97:
            raise ZeroDivisionError("a bug")
        return super().classify(opened)


class StumblingRoutes(Routes):
    def route(self, photo: FileOutcome, *rest: Any) -> FileOutcome:
        if photo.path.name == "odd.jpg":
            raise OverflowError("a bug")
        return super().route(photo, *rest)


class StumblingRun(Run):
    def plan(self, groups: Any) -> Any:
        if any(move.source.name == "odd.jpg" for group in groups for move in group):
            raise OverflowError("a bug")
        return super().plan(groups)


@pytest.mark.parametrize("where", ["classifier", "routes", "journal"])
def test_a_bug_that_one_photo_shows_is_that_ones_failure(
    tmp_path: Path,
    draw: Draw,
    tiny_model: Path,
    store: Store,
    where: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    draw("cats", 301).save(tmp_path / "a.jpg")
    draw("cats", 300, (97, 60)).save(tmp_path / "odd.jpg")
    draw("dogs", 301).save(tmp_path / "z.jpg")
    kind = StumblingClassifier if where == "classifier" else Classifier
    classifier = kind(tiny_model)
    routing = StumblingRoutes if where == "routes" else Routes
    journal = (StumblingRun if where == "journal" else Run)(store, "sort", tmp_path, tmp_path)
    sorting = Sorting(
        classifier,
        routing(classifier.manifest, tmp_path, 0.6),
        Mover(journal, tmp_path),
    )
    photos = [tmp_path / name for name in ("a.jpg", "odd.jpg", "z.jpg")]
    outcomes = chain.from_iterable(sort_photos(sorting, {}, photos))
    by_name = {one.path.name: one for one in outcomes}
    journal.end()
    assert (by_name["odd.jpg"].outcome, by_name["odd.jpg"].reason) == (
        Outcome.FAILED, Reason.INTERNAL_ERROR,
    )  # fmt: skip
    assert by_name["odd.jpg"].message is not None
    assert {name: by_name[name].outcome for name in ("a.jpg", "z.jpg")} == dict.fromkeys(
        ("a.jpg", "z.jpg"), Outcome.MOVED
    )
    assert "a bug" in caplog.text
    assert "Traceback" in caplog.text
    assert (tmp_path / "odd.jpg").exists()
    assert len(list(moves_of(store, journal.id))) == 2
    assert all(one.run.ended is not None for one in runs(store))


def test_a_caller_that_stops_has_the_outcomes_of_all_that_was_moved(
    tmp_path: Path, draw: Draw, tiny_model: Path, store: Store
) -> None:
    """A note that went with the last photo, too."""
    for name in ("a.jpg", "b.jpg"):
        draw("cats", 301).save(tmp_path / name)
        (tmp_path / f"{name}.xmp").write_text("a note")
    classifier = Classifier(tiny_model)
    names_here = [path.name for path in tmp_path.iterdir()]
    sidecars = {tmp_path: FolderSidecars(names_here)}
    journal = Run(store, "sort", tmp_path, tmp_path)
    routes = Routes(classifier.manifest, tmp_path, 0.6)
    sorting = Sorting(classifier, routes, Mover(journal, tmp_path))
    photos = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    with closing(sort_photos(sorting, sidecars, photos)) as groups:
        names = {one.path.name for one in next(groups)}
    journal.end()
    assert names == {"a.jpg", "a.jpg.xmp"}
    assert {path.name for path in (tmp_path / "cats").iterdir()} == names
