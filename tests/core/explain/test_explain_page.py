"""The page as people meet it: in a browser, at both widths, with a mouse and without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from catdog import main
from core.images.decode import open_image
from core.model.classifier import Classifier
from core.model.manifest import KERAS
from core.model.preprocessing import preprocess
from core.model.registry import DEFAULT_MODEL
from core.training.networks.inspection import open_network
from tests.browsing import DESKTOP, PHONE, Browser, Visit
from tests.conftest import MODELS
from tests.core.explain.plain_numpy import windows

WITHIN = 1e-4

pytestmark = pytest.mark.keras


def explained(photo: Path, model: Path, page: Path) -> Path:
    done = CliRunner().invoke(main, ["explain", str(photo), "-o", str(page), "--model", str(model)])
    assert done.exit_code == 0, done.output
    return page


def check_the_page(browser: Browser, page: Path) -> None:
    """No request, no error, nothing serious for axe, nothing wider than the window."""
    for width, dark in ((DESKTOP, False), (PHONE, True)):
        with browser.visit(page, width=width, dark=dark) as shown:
            assert shown.requests == []
            assert shown.errors == []
            assert shown.overflow <= 0
            assert shown.serious() == []


@pytest.fixture
def drawn(tmp_path: Path, draw: Callable[..., Any]) -> Path:
    path = tmp_path / "tom.png"
    draw("cats", 700, (90, 60)).save(path)
    return path


def test_without_a_keras_file_the_page_is_whole(
    browser: Browser, drawn: Path, tmp_path: Path
) -> None:
    """It says what is left out, and why."""
    page = explained(drawn, MODELS / "tiny", tmp_path / "page.html")
    check_the_page(browser, page)
    with browser.visit(page) as shown:
        text = shown.page.inner_text("main")
        assert "The inner layers are not shown here." in text
        assert "network.keras cannot be read" in text
        assert 10 <= shown.page.locator("#evidence .pieces li").count() <= 20
        assert shown.page.locator("#filter").count() == 0


def numbers_in(shown: Visit, where: str) -> list[float]:
    found: list[float] = shown.page.eval_on_selector_all(
        f"{where} b", "all => all.map(one => Number(one.dataset.value))"
    )
    return found


def check_the_filter(shown: Visit, photo: Path, model: Path) -> None:
    """Move the filter about, and compute each of its sums anew from the weights."""
    network = open_network(model / KERAS)
    how = Classifier(model).preprocessing
    pixels = preprocess(open_image(photo, min_side=how.decoded_side), how)
    convolution = next(one for one in network.layers if type(one).__name__ == "Conv2D")
    rescaling = next(one for one in network.layers if type(one).__name__ == "Rescaling")
    kernel, *bias = (one.astype(np.float64) for one in convolution.get_weights())
    cut = windows(
        pixels.astype(np.float64) * float(rescaling.scale) + float(rescaling.offset),
        convolution.kernel_size, convolution.strides[0], convolution.padding, 0.0,
    )  # fmt: skip
    rows, columns = cut.shape[:2]
    for chosen, row, column in ((0, 0, 0), (3, rows - 1, columns - 1), (1, rows // 2, 5)):
        shown.page.select_option("#filter-choice", str(chosen))
        for name, value in (("row", row), ("column", column)):
            shown.page.eval_on_selector(
                f"#filter-{name}",
                f"one => {{ one.value = {value}; one.dispatchEvent(new Event('input')) }}",
            )
        products = cut[row, column] * kernel[..., chosen]
        wanted = np.moveaxis(products, -1, 0).ravel()  # a table for each colour
        np.testing.assert_allclose(numbers_in(shown, "#filter-products"), wanted, atol=WITHIN)
        steps = numbers_in(shown, "#filter-steps")
        assert steps[0] == pytest.approx(products.sum(), abs=WITHIN)
        if bias:
            assert steps[1] == pytest.approx(products.sum() + bias[0][chosen], abs=WITHIN)
        relu = next(
            one for one in network.layers
            if type(one).__name__ == "ReLU" or (getattr(one, "activation", None) is not None
            and one.activation.__name__ == "relu")
        )  # fmt: skip
        import keras

        maps = keras.Model(network.inputs[0], relu.output)(pixels[None], training=False)
        last = float(np.asarray(maps)[0, row, column, chosen])
        assert steps[-1] == pytest.approx(last, abs=WITHIN * max(1.0, abs(last)))
    words = shown.page.inner_text("#filter-products td >> nth=0")
    assert words.split()[-1].replace("\u2212", "-") == f"{wanted[0]:.4f}".replace(
        "-0.0000", "0.0000"
    )


def check_the_dial(shown: Visit, model: Path) -> None:
    """At the model's own settings it says what is served; at others it follows."""
    own = shown.page.eval_on_selector_all("#dial-bars data", "all => all.map(o => Number(o.value))")
    served = shown.page.eval_on_selector_all(
        "[data-is^='served:']", "all => all.map(o => Number(o.value))"
    )
    np.testing.assert_allclose(own, served, atol=WITHIN)
    logits = shown.page.evaluate("JSON.parse(document.getElementById('dial-data').textContent)")
    row = np.array(logits["logits"])
    shown.page.eval_on_selector(
        "#dial-temperature", "one => { one.value = 1; one.dispatchEvent(new Event('input')) }"
    )
    at_ten = shown.page.eval_on_selector_all(
        "#dial-bars data", "all => all.map(o => Number(o.value))"
    )
    powers = np.exp(row / 10 - (row / 10).max())
    np.testing.assert_allclose(at_ten, powers / powers.sum(), atol=WITHIN)
    shown.page.click("#dial-reset")


def check_the_square(shown: Visit) -> None:
    """Dragged by the mouse it stands where the pointer is, and the numbers change with it."""
    sent = shown.page.evaluate("JSON.parse(document.getElementById('what-if-data').textContent)")
    box = shown.page.locator("#covered-box").bounding_box()
    shown.page.locator("#covered-box").scroll_into_view_if_needed()
    box = shown.page.locator("#covered-box").bounding_box()
    shown.page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] - 3)
    last = sent["squares"][-1]["probabilities"][-1][-1]
    said = shown.page.eval_on_selector_all(
        "#covered-bars data", "all => all.map(one => Number(one.value))"
    )
    np.testing.assert_allclose(said, last, atol=1e-6)
    shown.page.check("input[name=square] >> nth=0")
    shown.page.check("#covered-show-map")
    assert shown.page.locator(".covered-map:visible").count() == 1
    assert shown.page.inner_text("#covered-says") == sent["squares"][0]["verdicts"][-1][-1]


def test_the_filter_the_dial_and_the_square_compute_as_the_network_does(
    browser: Browser, drawn: Path, tiny_model: Path, tmp_path: Path
) -> None:
    page = explained(drawn, tiny_model, tmp_path / "page.html")
    with browser.visit(page) as shown:
        check_the_filter(shown, drawn, tiny_model)
        check_the_dial(shown, tiny_model)
        check_the_square(shown)
        shown.page.click("[data-filter='2']")
        assert shown.page.input_value("#filter-choice") == "2"
        shown.page.click("#filter-run")
        for _ in range(100):
            if int(shown.page.input_value("#filter-row")) > 0:
                break
            shown.page.wait_for_timeout(50)
        assert int(shown.page.input_value("#filter-row")) > 0
        assert shown.errors == []


@pytest.mark.long
@pytest.mark.parametrize("name", ["minimal", "sequential-bn", "vgg-small", "residual"])
def test_each_network_that_people_train(
    name: str, browser: Browser, learnt: Callable[[str], Path], cat: Path, tmp_path: Path
) -> None:
    page = explained(cat, learnt(name), tmp_path / "page.html")
    check_the_page(browser, page)
    with browser.visit(page, width=PHONE) as shown:
        check_the_filter(shown, cat, learnt(name))
        check_the_dial(shown, learnt(name))


@pytest.mark.long
def test_the_model_that_comes_with_catdog(browser: Browser, cat: Path, tmp_path: Path) -> None:
    page = explained(cat, DEFAULT_MODEL, tmp_path / "page.html")
    check_the_page(browser, page)
    with browser.visit(page) as shown:
        check_the_dial(shown, DEFAULT_MODEL)
        check_the_square(shown)
        shown.page.emulate_media(media="print")
        assert shown.page.locator(".controls:visible").count() == 0
        assert len(shown.page.pdf()) > 100_000


@pytest.mark.long
@pytest.mark.parametrize("size", [(1, 900), (900, 1), (3, 3), (1, 1), (2400, 90)])
def test_photos_of_any_shape(
    size: tuple[int, int], browser: Browser, tiny_model: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "odd.png"
    Image.new("RGB", size, (200, 60, 60)).save(photo)
    page = explained(photo, tiny_model, tmp_path / "page.html")
    check_the_page(browser, page)
