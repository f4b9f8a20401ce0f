"""`--set`, and networks of a person's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from catdog import main
from core.errors import UsageRefused
from core.training.networks.architectures import build
from core.training.networks.architectures.own import own_network, settings_of
from core.training.networks.recipe import (
    LEARNING_RATES,
    NONE,
    RECIPES,
    Recipe,
    Schedule,
    classic,
)
from core.training.networks.settings import change_recipe, parse, settings_for
from core.training.networks.transfer.transfer_recipe import Transfer

pytestmark = pytest.mark.keras


def changed(network: str, *given: str) -> Recipe:
    return change_recipe(RECIPES[network], parse(given))


def kinds(recipe: Recipe) -> list[str]:
    return [type(layer).__name__ for layer in build(recipe.with_image_size(32), 1).layers]


def test_settings_change_the_network_and_how_it_is_trained() -> None:
    recipe = changed(
        "vgg-small", "dropout=0.3", "widths=8,16", "dense=32", "schedule=constant", "flip=no",
        "rotation=15", "weight-decay=0.1",
    )  # fmt: skip
    assert (recipe.dropout, recipe.widths, recipe.dense) == (0.3, (8, 16), 32)
    assert recipe.schedule is Schedule.CONSTANT
    assert recipe.weight_decay == 0.1
    assert recipe.stages[-1].augmentation.rotation == 15
    assert recipe.stages[-1].augmentation.flip is False
    assert kinds(recipe).count("Dropout") == 1
    assert kinds(recipe).count("Conv2D") == 2
    for network in ("minimal", "sequential-bn"):
        assert "Dropout" in kinds(changed(network, "dropout=0.2")), network
    wide = build(changed("residual", "widths=8,16", "blocks=1,1").with_image_size(32), 3)
    assert wide.count_params() < 20_000


def test_what_all_networks_have_is_set_too() -> None:
    recipe = changed(
        "residual", "size=72", "augment=none", "optimizer=sgd", "batch-size=8", "seed=0",
        "patience=3", "rotation=5",
    )  # fmt: skip
    assert [stage.size for stage in recipe.stages] == [32, 48, 64, 72]
    assert {stage.augmentation for stage in recipe.stages} == {replace(NONE, rotation=5.0)}
    assert (recipe.optimizer, recipe.learning_rate) == ("sgd", LEARNING_RATES["sgd"])
    assert (recipe.batch_size, recipe.seed, recipe.patience) == (8, 0, 3)
    assert changed("minimal", "learning_rate=0.5", "optimizer=sgd").learning_rate == 0.5


@pytest.mark.parametrize(
    ("network", "given", "why"),
    [
        ("vgg-small", "dropuot=0.3", "has no such setting. It has .*dropout"),
        ("residual", "dropout=0.3", "has no such setting"),
        ("vgg-small", "dropout=2", "it is 0 to 0.95"),
        ("vgg-small", "dropout=nan", "it is 0 to 0.95"),
        ("vgg-small", "widths=8,x", "it is 32,64,128"),
        ("vgg-small", "widths=0", "it is 1 to 4096"),
        ("vgg-small", "schedule=sine", "it is cosine or constant"),
        ("vgg-small", "flip=maybe", "it is yes or no"),
        ("vgg-small", "epochs=3", "an option of its own, --epochs"),
        ("vgg-small", "dropout", "takes NAME=VALUE"),
        ("vgg-small", "optimizer=lion", "it is muon or adamw or adam or rmsprop or sgd"),
        ("vgg-small", "augment=much", "it is none or light or strong"),
        ("vgg-small", "size=8", "it is 32 to 512"),
        ("vgg-small", "batch_size=1", "it is 2 to 4096"),
    ],
)
def test_settings_that_make_no_sense_are_refused(network: str, given: str, why: str) -> None:
    with pytest.raises(UsageRefused, match=why):
        changed(network, given)


def test_networks_for_heads_have_settings_too() -> None:
    given = parse(["composites=0.2", "stored-size=160", "size=112", "batch_size=8"])
    made = settings_for("efficientnet-lite1", 3, given)
    assert isinstance(made, Transfer)
    assert (made.network, made.size, made.batch_size) == ("efficientnet-lite1", 112, 8)
    assert made.epochs == pytest.approx(3)
    assert made.stages[-1].sizes[-1][1] == 98
    assert {stage.composites for stage in made.stages} == {0.2}
    assert made.stored_size == 160
    assert Transfer.read(json.loads(json.dumps(asdict(made)))) == made
    with pytest.raises(UsageRefused, match="has no such setting"):
        settings_for("efficientnet-lite0", None, parse(["dropout=0.2"]))


OWN = """
import keras
from keras import layers

@keras.saving.register_keras_serializable("mine")
class Scaled(layers.Layer):
    def call(self, x):
        return x / 255.0

def build(size, classes, width=4, dropout=0.1):
    return keras.Sequential([
        keras.Input((size, size, 3)),
        Scaled(),
        layers.Conv2D(width, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(dropout),
        layers.Dense(END),
    ])

def resized(size, classes):
    return keras.Sequential([keras.Input((7, 7, 3)), layers.Flatten(), layers.Dense(classes)])

def nothing(size, classes):
    return None

def broken(size, classes):
    raise RuntimeError("not today")

def squared(size, classes):
    return keras.Sequential([keras.Input((size, size, 3)), layers.Flatten(),
                             layers.Dense(classes, activation="relu")])

def anonymous(size, classes):
    return keras.Sequential([keras.Input((size, size, 3)), layers.Lambda(lambda x: x),
                             layers.Flatten(), layers.Dense(classes)])

def raw(size, classes):
    return keras.Sequential([layers.Flatten(), layers.Dense(classes)])

def lonely():
    return None
"""


@pytest.fixture
def own(tmp_path: Path) -> Callable[[str], str]:
    def write(end: str = "classes") -> str:
        name = "".join(filter(str.isalnum, end))
        (tmp_path / f"{name}.py").write_text(OWN.replace("END", end))
        return f"{tmp_path}/{name}.py"

    return write


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    "end", ["classes", "1", "1, activation='sigmoid'", "classes, activation='softmax'"]
)
def test_a_network_of_ones_own_gives_one_logit_for_two_classes(
    end: str, own: Callable[[str], str]
) -> None:
    """However it ends, what comes out is a logit: nothing squashes it."""
    recipe = classic(f"{own(end)}:build", 16)
    network = build(recipe, 1)
    assert network.output["logits"].shape == (None, 1)
    assert network.input.dtype == "uint8"
    own_model = network.layers[2]
    assert own_model.layers[-1].activation.__name__ == "linear"


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("nowhere", "has no function nowhere"),
        ("nothing", "must return a Keras model"),
        ("broken", "failed: RuntimeError: not today"),
        ("resized", r"takes \(None, 7, 7, 3\)"),
        ("squared", "ends in relu"),
        ("anonymous", "Lambda layer"),
        ("lonely", "must take two arguments"),
    ],
)
def test_what_is_no_such_network_is_refused(
    function: str, why: str, own: Callable[..., str]
) -> None:
    with pytest.raises(UsageRefused, match=why):
        own_network(f"{own()}:{function}", 16, 1, {})


def test_a_network_of_ones_own_is_trained_with_its_settings_resumed_and_served(
    own: Callable[..., str], tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 40, "dogs": 40})
    spec = f"{own()}:build"
    assert settings_of(spec) == {"width": 4, "dropout": 0.1}
    model = tmp_path / "model"
    arguments = ("train", data, "--network", spec, "--output", model, "--set", "size=32",
                 "--epochs", 2, "--set", "width=8", "--set", "rotation=5")  # fmt: skip
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert "does not rescale" in result.stdout, "its layer is none that is known"
    recipe = json.loads((model / "manifest.json").read_text())["recipe"]
    assert recipe["arguments"] == [["width", 8]]
    answer = run("predict", next((data / "cats").iterdir()), "--model", model)
    assert answer.exit_code == 0, answer.output
    for wrong in ("height=3", "width=2.5"):
        assert run(*arguments[:4], "--set", wrong).exit_code == 2
    missing = run("train", data, "--network", "gone.py:build")
    assert missing.exit_code == 2
    assert "There is no file gone.py" in missing.stderr
