"""explain as a command: where it writes, how large and how fast, and what it says of failures."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from catdog import main
from core.model.registry import DEFAULT_MODEL
from core.training.extra import EXTRA_PACKAGES
from tests.conftest import MODELS

ROOT = Path(__file__).resolve().parent.parent.parent.parent
MEGABYTE = 1_000_000
TINY_HEAD = MODELS / "tiny"


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(main, ["explain", *map(str, arguments)], env=environment)


@pytest.fixture
def photo(tmp_path: Path, draw: Callable[..., Any]) -> Path:
    path = tmp_path / "tom.jpg"
    draw("cats", 700).save(path)
    return path


def test_the_page_goes_into_the_state_folder_and_replaces_an_earlier_one(photo: Path) -> None:
    """Nothing is put beside the photo."""
    state = Path(os.environ["CATDOG_STATE_DIR"])
    for _ in range(2):
        done = run(photo, "--model", TINY_HEAD)
        assert done.exit_code == 0
        assert done.stdout.strip() == str(state / "pages" / "explain-tom.html")
    assert [one.name for one in (state / "pages").iterdir()] == ["explain-tom.html"]
    assert [one.name for one in photo.parent.iterdir()] == ["tom.jpg"]


def test_a_page_is_opened_in_the_browser(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    page = tmp_path / "a page.html"
    assert run(photo, "--model", TINY_HEAD, "-o", page, "--open").exit_code == 0
    assert opened == [page.as_uri()]


def test_only_pages_are_written_over(photo: Path) -> None:
    """A photo that is named by mistake stays as it is."""
    before = photo.read_bytes()
    refused = run(photo, "--model", TINY_HEAD, "-o", photo)
    assert refused.exit_code == 2
    assert "tom.jpg must end in .html or .htm" in refused.output
    assert photo.read_bytes() == before


def test_the_verdict_is_the_one_that_predict_gives(photo: Path, tmp_path: Path) -> None:
    """With a person's threshold, too."""
    for more in ([], ["--threshold", "1"]):
        page = tmp_path / "page.html"
        assert run(photo, "--model", TINY_HEAD, "-o", page, *more).exit_code == 0
        said = CliRunner().invoke(main, ["predict", str(photo), "--model", str(TINY_HEAD), *more])
        words = said.stdout.strip().removeprefix(f"{photo}: ")
        assert f"<h1>Why “{words}”?</h1>" in page.read_text("utf-8")


def test_a_name_that_holds_html_is_shown_as_it_is(tmp_path: Path, draw: Callable[..., Any]) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>&\"'.png"
    draw("cats", 700).save(path)
    page = tmp_path / "page.html"
    assert run(path, "--model", TINY_HEAD, "-o", page).exit_code == 0
    text = page.read_text("utf-8")
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;&amp;" in text


def test_a_photo_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "tom.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 and no more")
    done = run(path, "--model", TINY_HEAD, "-o", tmp_path / "page.html")
    assert done.exit_code == 1
    assert "tom.jpg" in done.output
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(("name", "content"), [("network.keras", b"x"), ("network.keras", None)])
def test_a_network_that_cannot_be_looked_into_is_told(
    name: str, content: bytes | None, photo: Path, tmp_path: Path
) -> None:
    """On the page and on the terminal; the rest of the page is there."""
    model = tmp_path / "model"
    shutil.copytree(TINY_HEAD, model)
    if content is not None:
        (model / "network" / name).write_bytes(content)
    done = run(photo, "--model", model, "-o", tmp_path / "page.html")
    assert done.exit_code == 0
    assert "The inner layers are left out." in done.stderr
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "network.keras is not the file" in text or "network.keras cannot be read" in text
    assert 'id="evidence"' in text


def test_a_model_that_cannot_be_served_is_refused(photo: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(TINY_HEAD, model)
    (model / "network" / "network.tflite").write_bytes(b"x")
    done = run(photo, "--model", model, "-o", tmp_path / "page.html")
    assert done.exit_code == 3
    assert "network.tflite" in done.output


def test_a_damaged_keras_file_of_a_whole_network_is_told(
    photo: Path, tiny_model: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    (model / "model.keras").write_bytes(b"x")
    done = run(photo, "--model", model, "-o", tmp_path / "page.html")
    assert done.exit_code == 0
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "model.keras is not the file that its manifest names" in text
    assert 'id="filter"' not in text


def test_the_photos_of_a_person_that_taught_a_model_are_found(
    photo: Path, fill_folder: Callable[..., Path], tmp_path: Path
) -> None:
    """By their content, whatever they are called now; the photo itself is the nearest."""
    data = fill_folder(tmp_path / "data", {"cats": 25, "dogs": 25})
    model = tmp_path / "mine"
    trained = CliRunner().invoke(
        main,
        ["train", str(data), "--output", str(model)],
        env={"CATDOG_MODEL": str(TINY_HEAD), "CATDOG_MODELS_DIR": str(_promoted(tmp_path))},
    )
    assert trained.exit_code == 0, trained.output
    one = data / "cats" / "cats-007.jpg"
    renamed = one.with_name("renamed.jpg")
    one.rename(renamed)
    page = tmp_path / "page.html"
    assert run(renamed, "--model", model, "-o", page).exit_code == 0
    text = page.read_text("utf-8")
    assert "photo not found" in text
    assert 'Of your <span class="number">50</span> photos' in text
    assert run(renamed, "--model", model, "-o", page, "--photos", data).exit_code == 0
    text = page.read_text("utf-8")
    assert "photo not found" not in text
    similar = [
        float(value) for value in re.findall(r'value="([^"]+)" data-is="similarity \d', text)
    ]
    assert similar == sorted(similar, reverse=True)
    assert similar[0] > 0.999
    assert len(similar) == 8
    first = text[text.index("similarity 0") :]
    assert re.search(r'class="name dim">([^<]*)<', first)[1] == "cats/renamed.jpg"  # type: ignore[index]


def _promoted(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    shutil.copytree(TINY_HEAD, folder / "tiny")
    (folder / "promoted").write_text("tiny\n", encoding="utf-8")
    return folder


@pytest.mark.keras
def test_the_photos_that_taught_a_whole_network_are_found(
    photo: Path, tiny_model: Path, fill_folder: Callable[..., Path], tmp_path: Path
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 30, "dogs": 30, "other": 30})
    page = tmp_path / "page.html"
    assert run(photo, "--model", tiny_model, "-o", page).exit_code == 0
    assert "--photos FOLDER" in page.read_text("utf-8")
    one = data / "cats" / "cats-003.jpg"
    assert run(one, "--model", tiny_model, "-o", page, "--photos", data).exit_code == 0
    text = page.read_text("utf-8")
    labels = re.findall(r"<b>(\w+)</b> <small><data[^>]*data-is=\"similarity", text)
    assert len(labels) == 8
    assert labels.count("cat") >= 6


def explain_alone(
    photo: Path, page: Path, *, model: Path, before: str = "pass"
) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run the command in a process of its own. Returns: it, and the processor time it took.

    That is more than the time that passes where cores are free, and the same where they are not.
    """
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = f"import sys; {before}; from catdog import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "explain", photo, "-o", page, "--model", model],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime


def test_without_the_extra_the_page_has_the_rest_in_ten_seconds(
    tmp_path: Path, draw: Callable[..., Any]
) -> None:
    """Of the model that comes with catdog, under 6 MB; and it says what the extra would add."""
    photo, page = tmp_path / "cat.jpg", tmp_path / "page.html"
    draw("cats", 1, (1600, 1200)).save(photo)
    hidden = f"sys.modules.update(dict.fromkeys({sorted(EXTRA_PACKAGES)}))"
    done, seconds = explain_alone(photo, page, model=DEFAULT_MODEL, before=hidden)
    assert done.returncode == 0, done.stderr
    assert "pip install '.[keras]'" in done.stderr
    text = page.read_text("utf-8")
    assert "Keras and TensorFlow are not installed" in text
    for part in ("sees", "end", "evidence", "dial", "what-if", "taught", "layers"):
        assert f'id="{part}"' in text
    assert page.stat().st_size < 6 * MEGABYTE
    assert seconds < 10


@pytest.mark.keras
@pytest.mark.long
def test_with_the_extra_in_twenty_seconds(tmp_path: Path, draw: Callable[..., Any]) -> None:
    photo, page = tmp_path / "cat.jpg", tmp_path / "page.html"
    draw("cats", 1, (4000, 3000)).save(photo, quality=92)
    done, seconds = explain_alone(photo, page, model=DEFAULT_MODEL)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    text = page.read_text("utf-8")
    assert 'id="filter"' in text
    found = re.search(r'id="filter-data">(.*?)</script>', text)
    assert found is not None
    assert json.loads(found[1])["filters"] == 32
    assert page.stat().st_size < 6 * MEGABYTE
    assert seconds < 20
