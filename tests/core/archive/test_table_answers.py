"""What a table says of files, so long as they are the ones it saw."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.archive.classify import Looking
from core.archive.table_answers import TableAnswers
from core.errors import UsageRefused
from core.model.verdict import Prediction


def _of(answers: TableAnswers, path: Path) -> Prediction | str | None:
    status = path.stat()
    return answers.of(path, status.st_size, status.st_mtime_ns)


@pytest.fixture
def folder(photos: Callable[..., Path], over: Any, looking: Looking, tmp_path: Path) -> Path:
    folder = photos(12)
    (folder / "00003.jpg").write_bytes(b"")
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jpg"))
    (folder / "00000.jpg").rename(odd)
    over([folder], tmp_path / "table", looking)
    return folder


def test_it_is_what_the_model_said(folder: Path, looking: Looking, tmp_path: Path) -> None:
    version = looking.classifier.manifest.version
    answers = TableAnswers(str(tmp_path / "table"), folder, model_version=version)
    from core.images.decode import opener

    for path in folder.iterdir():
        if path.name == "00003.jpg":
            assert _of(answers, path) == "empty"
        else:
            assert _of(answers, path) == looking.classifier.classify(opener(path))


def test_a_file_that_changed_or_came_later_has_no_answer(
    folder: Path, looking: Looking, tmp_path: Path
) -> None:
    version = looking.classifier.manifest.version
    answers = TableAnswers(str(tmp_path / "table"), folder, model_version=version)
    os.utime(folder / "00004.jpg", ns=(1, 1))
    assert _of(answers, folder / "00004.jpg") is None
    (folder / "new.jpg").write_bytes(b"x")
    assert _of(answers, folder / "new.jpg") is None


def test_the_folder_may_have_had_another_path_where_the_table_was_made(
    folder: Path, looking: Looking, tmp_path: Path
) -> None:
    version = looking.classifier.manifest.version
    moved = folder.rename(tmp_path / "moved")
    with pytest.raises(UsageRefused, match="say it with --seen-at"):
        TableAnswers(str(tmp_path / "table"), moved, model_version=version)
    answers = TableAnswers(
        str(tmp_path / "table"), moved, model_version=version, seen_at=tmp_path / "photos"
    )
    assert isinstance(_of(answers, moved / "00005.jpg"), Prediction)


def test_another_models_table_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageRefused, match="was made by the model"):
        TableAnswers(str(tmp_path / "table"), folder, model_version="another")
