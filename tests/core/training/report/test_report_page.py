"""The report as people meet it: at both widths, light and dark, pointed at, clicked and printed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from catdog import main
from core.model.manifest import read_manifest
from tests.browsing import DESKTOP, PHONE, Browser

pytestmark = [pytest.mark.keras, pytest.mark.long]


@pytest.fixture
def model(learnt: Callable[[str], Path]) -> Path:
    return learnt("residual")


@pytest.fixture
def report(model: Path) -> Path:
    return model / "report.html"


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, True), (PHONE, False)])
def test_it_asks_for_nothing_and_can_be_used_by_all(
    browser: Browser, report: Path, width: int, dark: bool
) -> None:
    with browser.visit(report, width=width, dark=dark) as shown:
        for closed in shown.page.locator("details").all():
            closed.evaluate("one => one.open = true")
        assert shown.requests == []
        assert shown.errors == []
        assert shown.overflow <= 0
        assert shown.serious() == []


def test_the_curves_can_be_read_off(browser: Browser, report: Path, model: Path) -> None:
    """Accuracy and loss, in training and validation, from epoch 1 on, with the best one marked."""
    history = json.loads((model / "metrics.json").read_text("utf-8"))["history"]
    kept = read_manifest(model).recipe["epoch_kept"]
    with browser.visit(report) as shown:
        assert shown.page.locator("#curves h2").inner_text().startswith("How the training went: ")
        charts = shown.page.locator("[data-chart]")
        assert charts.count() == 2
        for place, (what, form) in enumerate((("accuracy", ".1%"), ("loss", ".3f"))):
            chart = charts.nth(place)
            assert f"best: epoch {kept}" in chart.text_content()
            expected = [
                f"{name}, epoch {epoch['number']}: {epoch[key]:{form}}"
                for name, key in (("training", what), ("validation", f"validation_{what}"))
                for epoch in history
            ]
            found = chart.locator("circle title").all_text_contents()
            assert found == expected
            assert found[0].startswith("training, epoch 1: ")
            chart.scroll_into_view_if_needed()
            point = chart.locator(".line-1 circle").nth(1)
            box = point.bounding_box()
            shown.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
            read = chart.locator("output").inner_text()
            assert read == f"{expected[1]} · {expected[1 + len(history)]}"


def test_what_is_wrong_with_the_photos_comes_first(browser: Browser, report: Path) -> None:
    with browser.visit(report) as shown:
        titles = shown.page.locator("h2").all_inner_texts()
    assert titles[0] == "What is wrong with the photos"
    assert titles[1].startswith("How the training went")


def test_a_figure_is_explained_on_a_click(browser: Browser, report: Path) -> None:
    with browser.visit(report) as shown:
        explained = shown.page.get_by_text("The mean of \u2212ln of the confidence").first
        assert not explained.is_visible()
        shown.page.get_by_text("loss (cross-entropy)").first.click()
        assert explained.is_visible()


@pytest.mark.parametrize(("width", "least"), [(DESKTOP, 230), (PHONE, 300)])
def test_photos_are_large_enough_to_see(
    browser: Browser, report: Path, width: int, least: int
) -> None:
    with browser.visit(report, width=width) as shown:
        widths = shown.page.eval_on_selector_all(
            ".photo img", "all => all.map(one => one.getBoundingClientRect().width)"
        )
        own = shown.page.eval_on_selector_all(".photo img", "all => all.map(o => o.naturalWidth)")
    assert widths
    assert min(widths) >= least
    assert min(own) >= 300


def test_each_photo_has_the_command_that_explains_it(
    browser: Browser, report: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    with browser.visit(report) as shown:
        commands = shown.page.locator(".photo code").all_text_contents()
        shown.page.locator(".photo summary").first.click()
        shown.page.locator("[data-copy]").first.click()
        # the clipboard takes its time, or is not allowed: then the command is selected
        shown.page.locator("[data-copy]", has_text=re.compile("Copied|Selected")).wait_for()
    program, *arguments = shlex.split(commands[0])
    assert program == "catdog"
    done = CliRunner().invoke(main, arguments, env={"CATDOG_MODELS_DIR": str(model.parent)})
    assert done.exit_code == 0, done.output
    assert len(opened) == 1
    assert model.name in Path(opened[0].removeprefix("file://")).read_text("utf-8")


def test_it_can_be_printed(browser: Browser, report: Path) -> None:
    """On white, with what is closed left closed."""
    with browser.visit(report, dark=True) as shown:
        shown.page.emulate_media(media="print")
        ground = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 255)"
        assert len(shown.page.pdf()) > 50_000


def test_the_pages_of_evaluate_and_of_label_errors_hold_as_well(
    browser: Browser, model: Path, tmp_path: Path
) -> None:
    """Photos whose names hold HTML are among them."""
    data = tmp_path / "data"
    shutil.copytree(model.parent.parent / "data", data)
    one = next((data / "cats").iterdir())
    one.rename(one.with_name("<img src=x onerror=alert(1)>.jpg"))
    page = tmp_path / "page.html"
    done = CliRunner().invoke(
        main, ["evaluate", str(data), "--model", str(model), "--html", str(page)]
    )
    assert done.exit_code == 0, done.output
    assert not re.search(r"<img src=x", page.read_text("utf-8"))
    for width in (DESKTOP, PHONE):
        with browser.visit(page, width=width) as shown:
            assert (shown.requests, shown.errors) == ([], [])
            assert shown.overflow <= 0
            assert shown.serious() == []
