"""Networks of keras.applications, which others have trained on ImageNet, with a head of our own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
from keras import layers

from core.errors import UsageRefused
from core.paths import display
from core.training.architectures.outputs import ACTIVATION, LOGITS

_MAKERS: dict[str, Callable[..., keras.Model]] = {
    "mobilenetv3": keras.applications.MobileNetV3Large,
    "efficientnetv2b0": keras.applications.EfficientNetV2B0,
}
IMAGENET, NO_WEIGHTS = "imagenet", "none"


def backbone(name: str, size: int | None, outputs: int) -> keras.Model:
    """Build the network of that name with random weights, ending as `architectures.build` says.

    Howard et al., "Searching for MobileNetV3", 2019 (the large one); Tan and Le, "EfficientNetV2",
    2021 (B0).
    """
    image = keras.Input((size, size, 3), dtype="uint8", name="image")
    features = _MAKERS[name](input_tensor=image, include_top=False, weights=None).output
    head = layers.Dense(outputs, name="head")
    pooled = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(features))
    return keras.Model(image, {LOGITS: head(pooled), ACTIVATION: head(features)}, name=name)


def load_backbone_weights(network: keras.Model, name: str, weights: str) -> None:
    """Give a network of `backbone` trained weights, all but its head's.

    `weights` is `imagenet`, which Keras fetches once, or a file of weights for the network of that
    name in keras.applications without its top. Raises UsageRefused.
    """
    if weights != IMAGENET and not Path(weights).is_file():
        raise UsageRefused(
            f"There is no file {display(Path(weights))}. Name a file of weights, or imagenet, or "
            "none."
        )
    try:
        trained = _MAKERS[name](input_shape=(224, 224, 3), include_top=False, weights=weights)
    except Exception as error:  # whatever the network or the file gives rise to
        first = str(error).strip().splitlines() or [type(error).__name__]
        if weights == IMAGENET:
            raise UsageRefused(
                "ImageNet's weights could not be fetched: that needs the internet, once. Put the "
                "file where Keras looks for it, or name it with --backbone-weights FILE. "
                f"Keras says: {first[0]}"
            ) from error
        raise UsageRefused(
            f"{display(Path(weights))} does not hold the weights of {name} without its top. Keras "
            f"says: {first[0]}"
        ) from error
    for own, other in zip(network.layers, trained.layers, strict=False):
        own.set_weights(other.get_weights())
