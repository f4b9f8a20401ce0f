"""A Keras model of a person's own, made by a function in a file of theirs."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
from keras import layers

from core.errors import UsageRefused
from core.training.networks.architectures.outputs import LOGITS

_SQUASHING = ("sigmoid", "softmax")  # applied by the loss, and by core when it serves


def own_network(spec: str, size: int, outputs: int, settings: Mapping[str, Any]) -> keras.Model:
    """Build what `my_network.py:build` makes, as `architectures.build` does.

    The function is called with the image's side in pixels, the number of classes, and `settings` by
    name. It returns a model from images (RGB, 0 to 255) to a number for each class, or for two
    classes to one; a sigmoid or softmax at its end is taken off. Raises UsageRefused.
    """
    classes = max(2, outputs)
    try:
        model = _function(spec)(size, classes, **settings)
    except UsageRefused:
        raise
    except Exception as error:  # whatever it is, it is theirs
        raise UsageRefused(f"{spec} failed: {type(error).__name__}: {error}") from error
    if isinstance(model, keras.Sequential) and not model.built:
        model.build((None, size, size, 3))
    ends = [getattr(model, "inputs", None), getattr(model, "outputs", None)]
    if not isinstance(model, keras.Model) or any(not one or len(one) != 1 for one in ends):
        raise UsageRefused(f"{spec} must return a Keras model with one input and one output.")
    _check_shapes(spec, model, size, classes)
    if any(isinstance(layer, layers.Lambda) for layer in model.layers):
        raise UsageRefused(
            f"{spec} has a Lambda layer, which cannot be saved safely. Make it a layer of its own."
        )
    _take_off_squashing(spec, model)
    image = keras.Input((size, size, 3), dtype="uint8", name="image")
    logits = model(layers.Rescaling(1.0, name="as_floats")(image))
    if logits.shape[-1] > outputs:  # two logits for two classes: their difference says as much
        weights = keras.initializers.Constant([[-1.0], [1.0]])
        logits = layers.Dense(
            1, use_bias=False, kernel_initializer=weights, trainable=False, name="difference"
        )(logits)
    return keras.Model(image, {LOGITS: logits}, name="own")


def settings_of(spec: str) -> dict[str, Any]:
    """Return the settings that a function takes, with its defaults. Raises UsageRefused."""
    more = list(inspect.signature(_function(spec)).parameters.values())[2:]
    return {one.name: one.default for one in more if one.default is not inspect.Parameter.empty}


def own_layers(spec: str) -> dict[str, Any]:
    """Return the layer classes of a person's file, without which no checkpoint is read."""
    module = _module(spec.rpartition(":")[0])
    return {
        name: one
        for name, one in vars(module).items()
        if inspect.isclass(one) and issubclass(one, keras.layers.Layer)
    }


def _function(spec: str) -> Callable[..., Any]:
    file, _, name = spec.rpartition(":")
    function = getattr(_module(file), name, None)
    if not callable(function):
        raise UsageRefused(f"{file} has no function {name}. Write: def {name}(size, classes): ...")
    if len(inspect.signature(function).parameters) < 2:
        raise UsageRefused(f"{spec} must take two arguments: def {name}(size, classes): ...")
    return function  # type: ignore[no-any-return]


@cache
def _module(file: str) -> ModuleType:
    path = Path(file)
    if not path.is_file():
        raise UsageRefused(f"There is no file {file}. Name one as FILE.py:FUNCTION.")
    made = importlib.util.spec_from_file_location(f"catdog_own_{path.stem}", path)
    assert made is not None
    assert made.loader is not None
    module = importlib.util.module_from_spec(made)
    sys.modules[made.name] = module
    try:
        made.loader.exec_module(module)
    except Exception as error:
        raise UsageRefused(f"{file} failed: {type(error).__name__}: {error}") from error
    return module


def _check_shapes(spec: str, model: keras.Model, size: int, classes: int) -> None:
    expected = (None, size, size, 3)
    shape = tuple(model.inputs[0].shape)
    if len(shape) != 4 or any(
        one not in (None, other) for one, other in zip(shape[1:], expected[1:], strict=True)
    ):
        raise UsageRefused(
            f"{spec} takes {shape}, but images are {expected}. Use the size that it is called "
            "with, or give --set size=PIXELS."
        )
    shape = tuple(model.outputs[0].shape)
    if shape not in {(None, classes), (None, 1 if classes == 2 else classes)}:
        raise UsageRefused(
            f"{spec} gives {shape}, but there are {classes} classes. End in Dense(classes)."
        )


def _take_off_squashing(spec: str, model: keras.Model) -> None:
    """Make a model end in logits. Raises UsageRefused if it ends in something else."""
    last = model.outputs[0]._keras_history.operation
    activation = getattr(last, "activation", None)
    name = getattr(activation, "__name__", None)
    if name in _SQUASHING:
        last.activation = keras.activations.linear
    elif isinstance(last, layers.Softmax) or name not in (None, "linear"):
        raise UsageRefused(
            f"{spec} ends in {name or 'Softmax'}. End in Dense(classes), without an activation."
        )
