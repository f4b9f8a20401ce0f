"""Labels from a corrected column of an archive's table."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from catdog import main
from core.errors import UsageRefused
from core.model.promotion import promote
from core.training.data.archive_labels import with_table
from core.training.data.labelled import LabelledFolder, scan

TINY_HEAD = Path(__file__).resolve().parents[3] / "models" / "tiny"


@pytest.fixture(autouse=True)
def _extra() -> None:
    pytest.importorskip("pyarrow", reason="the extra `archive` is not installed")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


@pytest.fixture
def photos(tmp_path: Path, fill_folder: Callable[..., Path]) -> Path:
    return fill_folder(tmp_path / "photos", {"cats": 60, "dogs": 60, "other": 60}, 4000)


def corrected(photos: Path, tmp_path: Path, change: Callable[[Path], str | None]) -> Path:
    """Write the table of photos, and a copy with a column `right` as a person would correct it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    done = run("archive", photos, "--to", tmp_path / "table", "--model", TINY_HEAD)
    assert done.exit_code == 0, done.output
    table = pq.read_table(tmp_path / "table")
    labels = [change(Path(path)) for path in table["path"].to_pylist()]
    file = tmp_path / "corrected.parquet"
    pq.write_table(table.append_column("right", pa.array(labels, pa.string())), file)
    return file


def test_labels_are_added_and_win_over_folders(photos: Path, tmp_path: Path) -> None:
    def change(path: Path) -> str | None:
        names = {"cats-4000.jpg": "dog", "dogs-4001.jpg": "Cats", "other-4002.jpg": "wolf"}
        return names.get(path.name, "" if path.parent.name == "cats" else None)

    file = corrected(photos, tmp_path, change)
    labelled = scan(photos)
    found = with_table(labelled, f"{file}:right")
    label_of = {photo.path.name: photo.label for photo in found.labelled.photos}
    assert (found.added, found.missing) == (2, 0)
    assert (label_of["cats-4000.jpg"], label_of["dogs-4001.jpg"]) == ("dog", "cat")
    assert len(label_of) == len(labelled.photos)
    (fault,) = found.faults
    assert "is called wolf, which is not learnt here" in fault.reason


def test_photos_that_changed_since_or_are_gone_are_not_learnt_from(
    photos: Path, tmp_path: Path
) -> None:
    file = corrected(photos, tmp_path, lambda path: "dog" if "cats-400" in path.name else None)
    os.utime(photos / "cats" / "cats-4000.jpg", (1, 1))
    (photos / "cats" / "cats-4001.jpg").unlink()
    found = with_table(scan(photos), f"{file}:right")
    assert (found.added, found.missing, len(found.faults)) == (8, 1, 1)
    assert "changed since it was labelled" in found.faults[0].reason


def test_a_column_that_is_not_there_and_a_table_of_one_class_are_refused(
    photos: Path, tmp_path: Path
) -> None:
    file = corrected(photos, tmp_path, lambda path: "dog")
    with pytest.raises(UsageRefused, match="has no column 'wrong'"):
        with_table(scan(photos), f"{file}:wrong")
    with pytest.raises(UsageRefused, match="must be TABLE:COLUMN"):
        with_table(scan(photos), str(file))
    nothing = LabelledFolder(None, (), (), not_photos=0)
    with pytest.raises(UsageRefused, match="two classes or more"):
        with_table(nothing, f"{file}:right")


@pytest.mark.parametrize("is_alone", [True, False])
def test_train_learns_from_the_table(
    is_alone: bool, photos: Path, tmp_path: Path, head_models_dir: Path
) -> None:
    pytest.importorskip("sklearn", reason="the extra `train` is not installed")
    file = corrected(photos, tmp_path, lambda path: path.parent.name)
    models = Path(os.environ["CATDOG_MODELS_DIR"])
    shutil.copytree(head_models_dir / "tiny", models / "mine")
    promote(models, "mine")
    result = run("train", *([] if is_alone else [photos]), "--with-table", f"{file}:right")
    assert result.exit_code == 0, result.output
    added = 180 if is_alone else 0
    assert f"{added} photos that {file}:right labels are learnt from; 0 are" in result.stdout
    assert "180 photos of 3 classes" in result.stdout


def test_without_data_and_table_it_says_what_to_name() -> None:
    result = run("train")
    assert result.exit_code == 2
    assert "--with-table alone" in result.output
