"""Every number on a page is what the network computes: recomputed here, from the weights."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from catdog import main
from core.explain.answer import ask
from core.explain.what_if import GREY, series, single_changes
from core.images.decode import open_image, opener
from core.model.classifier import Classifier
from core.model.manifest import KERAS, Kind
from core.model.network import Network, find_network
from core.model.preprocessing import preprocess
from core.model.registry import DEFAULT_MODEL, network_folders
from core.training.networks.inspection import inspect, open_network
from tests.core.explain.plain_numpy import forward

WITHIN = 1e-4

pytestmark = pytest.mark.keras

Shown = dict[str, list[float]]


def explained(photo: Path, model: Path, page: Path) -> str:
    done = CliRunner().invoke(main, ["explain", str(photo), "-o", str(page), "--model", str(model)])
    assert done.exit_code == 0, done.output
    return page.read_text("utf-8")


def numbers_on(page: str) -> tuple[Shown, list[tuple[str, float, str]]]:
    """Read the numbers of a page by what they are, and each with the words that people see."""
    shown: Shown = {}
    seen = []
    pattern = r'<data class="number" value="([^"]+)" data-is="([^"]+)">(.*?)</data>'
    for value, what, words in re.findall(pattern, page, re.DOTALL):
        name = html.unescape(what)
        shown.setdefault(name, []).append(float(value))
        text = re.sub(r"<[^>]+>", "", html.unescape(words)).replace("\u2212", "-")
        seen.append((name, float(value), text.replace("\u00a0", " ").strip()))
    return shown, seen


class Recomputed:
    """A model and a photo, computed anew by NumPy and by the file that is served."""

    def __init__(self, photo: Path, model: Path) -> None:
        self.classifier = Classifier(model)
        manifest = self.manifest = self.classifier.manifest
        how = self.classifier.preprocessing
        self.pixels = preprocess(open_image(photo, min_side=how.decoded_side), how)
        self.logits = self.classifier.logits(self.pixels[None])[0].astype(np.float64)
        self.served = self.shares(self.logits)
        self.index = int(self.served.argmax())
        self.features = None
        path = model / KERAS
        if manifest.kind is Kind.HEAD:
            folder = find_network(
                str(manifest.network), network_folders(model, str(manifest.network))
            )
            path = folder / "network.keras"
            network = Network(folder)
            self.features = network.features(network.feature_map(self.pixels)).astype(np.float64)
            with np.load(model / "head.npz") as head:
                self.head = head["kernel"].astype(np.float64), head["bias"].astype(np.float64)
        self.keras = open_network(path)
        self.layers = inspect(self.keras, self.pixels).layers  # for the names and the order alone
        ways = {layer.name: list(layer.inputs) for layer in self.layers}
        self.values = forward(self.keras, self.pixels, ways)

    def shares(self, logits: Any) -> Any:
        row = np.asarray(logits, np.float64) / self.manifest.temperature
        if len(row) == 1:
            row = np.array([0.0, row[0]])
        powers = np.exp(row - row.max())
        return powers / powers.sum()

    def lead(self, values: Any) -> Any:
        """Hold the answer against the mean of the others; of a sigmoid against 0."""
        if values.shape[-1] == 1:
            return values[..., 0] * (1 if self.index == 1 else -1)
        return values[..., self.index] - np.delete(values, self.index, -1).mean(axis=-1)

    def weights_of(self, kind: str) -> Any:
        """Give the first layer of a kind."""
        return next(one for one in self.keras.layers if type(one).__name__ == kind)

    def expected(self, page: str, photo: Path) -> Shown:
        found: Shown = {}
        found |= self._answer()
        found |= self._what_if(photo)
        found |= self._first_layer()
        found |= self._normalization(page)
        found |= self._pooling(page)
        found |= self._stages()
        found |= self._evidence()
        return found

    def _answer(self) -> Shown:
        logits = self.logits if len(self.logits) > 1 else np.array([0.0, self.logits[0]])
        if self.features is None:
            in_floats = self.values[self.layers[-1].name]
        else:
            pooled = self.values[self.layers[-1].name].mean(axis=(0, 1))
            in_floats = pooled @ self.head[0] + self.head[1]
        floats = self.shares(in_floats)
        float_logits = in_floats if len(in_floats) > 1 else np.array([0.0, in_floats[0]])
        own = self.served[self.index]
        found = {
            "lead": [np.log(own) - np.log1p(-own)],
            "dial": [own],
            "uncovered": [own, own],
            "temperature": [self.manifest.temperature],
            "logit": [logits[-1]],
            "sigmoid": [self.served[-1]],
            "rest": [self.served[0]],
        }
        for place, label in enumerate(self.manifest.labels):
            scaled = logits[place] / self.manifest.temperature
            found |= {
                f"served:{label}": [self.served[place]],
                f"served again:{label}": [self.served[place]],
                f"share:{label}": [self.served[place]],
                f"logit:{label}": [logits[place]],
                f"scaled:{label}": [scaled],
                f"power:{label}": [np.exp(scaled)],
                f"floats:{label}": [floats[place]],
                f"float logit:{label}": [float_logits[place]],
            }
        return found

    def _what_if(self, photo: Path) -> Shown:
        found: Shown = {}
        size = len(self.pixels)
        for number, share in enumerate((0.2, 0.4)):
            side, least = round(share * size), 2.0
            for top in np.linspace(0, size - side, 13):
                for left in np.linspace(0, size - side, 13):
                    covered = self.pixels.copy()
                    covered[round(top) : round(top) + side, round(left) : round(left) + side] = GREY
                    logits = self.classifier.logits(covered[None])[0]
                    least = min(least, self.shares(logits)[self.index])
            found[f"covered {number}"] = [least]
        answer = ask(self.classifier.folder, opener(photo))
        for one in series(answer):
            for number, varied in enumerate(one.varied):
                found[f"{one.key} {number}"] = [self._asked(varied.image)]
        for number, varied in enumerate(single_changes(answer)):
            found[f"change {number}"] = [self._asked(varied.image)]
        return found

    def _asked(self, image: Image.Image) -> float:
        """Ask what is served about a changed photo."""
        prediction = self.classifier.classify(lambda _: image)
        return prediction.probabilities[self.manifest.labels[self.index]]

    def _first_layer(self) -> Shown:
        rescaling = self.weights_of("Rescaling")
        first = next(one for one in self.layers if one.activation.startswith("relu"))
        maps = self.values[first.name]
        found = {
            "lowest pixel": [float(rescaling.offset)],
            "highest pixel": [255 * rescaling.scale + rescaling.offset],
        }
        for number in range(maps.shape[-1]):
            found[f"filter {number} highest"] = [maps[..., number].max()]
        return found

    def _normalization(self, page: str) -> Shown:
        layer = next((one for one in self.layers if one.kind == "batch normalization"), None)
        if layer is None:
            return {}
        named = re.search(r"Channel (\d+) before</b>: mean", page)
        assert named is not None
        channel = int(named[1])
        before, after = self.values[layer.inputs[0]], self.values[layer.name]
        gamma, beta, mean, variance = self.keras.get_layer(layer.name).get_weights()
        spreads, later = before.std(axis=(0, 1)), after.std(axis=(0, 1))
        return {
            "before mean": [before[..., channel].mean()],
            "before deviation": [before[..., channel].std()],
            "after mean": [after[..., channel].mean()],
            "after deviation": [after[..., channel].std()],
            "moving mean": [mean[channel]],
            "moving variance": [variance[channel]],
            "gamma": [gamma[channel]],
            "beta": [beta[channel]],
            "spread least": [spreads.min()],
            "spread most": [spreads.max()],
            "spread after least": [later.min()],
            "spread after most": [later.max()],
        }

    def _pooling(self, page: str) -> Shown:
        """Find the values shown in the map itself: so they are pooled there, and nowhere else."""
        shown, _ = numbers_on(page)
        if "pooled from" not in shown:
            return {}
        pool = next(one for one in self.layers if one.kind in ("max pooling", "average pooling"))
        named = re.search(r"channel (\d+) before: ", page)
        assert named is not None
        source = self.values[pool.inputs[0]][..., int(named[1])]
        target = self.values[pool.name][..., int(named[1])]
        block = np.array(shown["pooled from"]).reshape(4, 4)
        cut = np.lib.stride_tricks.sliding_window_view(source, (4, 4))[::2, ::2]
        gaps = np.abs(cut - block).max(axis=(2, 3))
        row, column = np.unravel_index(int(gaps.argmin()), gaps.shape)
        return {
            "pooled from": cut[row, column].ravel().tolist(),
            "pooled to": target[row : row + 2, column : column + 2].ravel().tolist(),
        }

    def _stages(self) -> Shown:
        return {
            f"{layer.name} {channel}": [self.values[layer.name][..., channel].max()]
            for layer in self.layers
            if self.values[layer.name].ndim == 3
            for channel in range(self.values[layer.name].shape[-1])
        }

    def _evidence(self) -> Shown:
        if self.features is not None:
            values, (kernel, bias) = self.features.mean(axis=(0, 1)), self.head
        else:
            last = self.layers[-1]
            kernel, bias = self.keras.get_layer(last.name).get_weights()
            values = self.values[last.inputs[0]]
        weights, own_bias = self.lead(kernel.astype(np.float64)), float(self.lead(bias))
        terms = values * weights
        found = {
            "gains": [terms[terms > 0].sum()],
            "losses": [terms[terms < 0].sum()],
            "bias": [own_bias],
            "total": [terms.sum() + own_bias],
        }
        for number in range(len(values)):
            for side in ("for", "against"):
                found[f"{side} value {number}"] = [values[number]]
                found[f"{side} weight {number}"] = [weights[number]]
                found[f"{side} evidence {number}"] = [terms[number]]
        return found


def check(photo: Path, model: Path, tmp_path: Path) -> Shown:
    page = explained(photo, model, tmp_path / "page.html")
    shown, seen = numbers_on(page)
    expected = Recomputed(photo, model).expected(page, photo)
    unknown = set(shown) - set(expected)
    assert unknown == set(), "numbers that nothing here recomputes"
    for name, values in shown.items():
        for value, wanted in zip(values, expected[name] * len(values), strict=False):
            assert value == pytest.approx(
                float(wanted), abs=WITHIN * max(1.0, abs(float(wanted)))
            ), name
    for name, value, words in seen:
        assert says(words, value), f"{name}: {words!r} is not {value}"
    return shown


def says(words: str, value: float) -> bool:
    """Tell whether a number in words is that number, rounded as far as it is written."""
    if words.startswith(("<", ">")):
        limit = float(words[1:].strip(" %")) / 100
        return value < limit + 5e-4 if words[0] == "<" else value > limit - 5e-4
    text = words.removesuffix("%").strip()
    unit = 0.5 * 10.0 ** -len(text.partition(".")[2])
    factor = 100 if words.endswith("%") else 1
    return abs(float(text) - factor * value) <= unit * 1.001 + 1e-6 * abs(factor * value)


def test_with_a_network_of_three_classes(
    tiny_model: Path, draw: Callable[..., Any], tmp_path: Path
) -> None:
    """A residual one, whose shortcut has average pooling."""
    photo = tmp_path / "tom.png"
    draw("cats", 700, (90, 60)).save(photo)
    shown = check(photo, tiny_model, tmp_path)
    assert {"total", "pooled from", "moving mean", "floats:cat"} <= set(shown)


@pytest.mark.long
@pytest.mark.parametrize("name", ["minimal", "sequential-bn", "vgg-small", "residual"])
def test_with_each_network_that_people_train(
    name: str, learnt: Callable[[str], Path], cat: Path, tmp_path: Path
) -> None:
    shown = check(cat, learnt(name), tmp_path)
    assert {"sigmoid", "total", "pooled from", "covered 1"} <= set(shown)
    assert ("moving mean" in shown) == (name in ("sequential-bn", "residual"))


@pytest.mark.long
def test_with_the_model_that_comes_with_catdog(cat: Path, tmp_path: Path) -> None:
    shown = check(cat, DEFAULT_MODEL, tmp_path)
    assert {"total", "share:both", "floats:dog", "moving mean"} <= set(shown)
    assert len([name for name in shown if name.startswith("for evidence")]) == 10


def test_the_places_of_the_square_are_what_the_model_says(
    tiny_model: Path, draw: Callable[..., Any], tmp_path: Path
) -> None:
    """Those that the page's script shows when the square is dragged, each of them."""
    photo = tmp_path / "tom.png"
    draw("cats", 700).save(photo)
    page = explained(photo, tiny_model, tmp_path / "page.html")
    found = re.search(r'id="what-if-data">(.*?)</script>', page)
    assert found is not None
    computed = json.loads(found[1])
    own = Recomputed(photo, tiny_model)
    size = len(own.pixels)
    for square in computed["squares"]:
        side = round(square["share"] * size)
        for row, column in ((0, 0), (3, 9), (12, 12)):
            top, left = (round(square["starts"][one] * size) for one in (row, column))
            covered = own.pixels.copy()
            covered[top : top + side, left : left + side] = GREY
            wanted = own.shares(own.classifier.logits(covered[None])[0])
            np.testing.assert_allclose(square["probabilities"][row][column], wanted, atol=WITHIN)
