"""A recipe suited to the photos that there are."""

from __future__ import annotations

import keras

from core.errors import UsageRefused
from core.runtime.console import Console
from core.training.data.dataset import Dataset
from core.training.networks.architectures import build
from core.training.networks.fitting.training_loop import outputs_for
from core.training.networks.recipe import Recipe


def suited(recipe: Recipe, dataset: Dataset, console: Console) -> Recipe:
    """Suit a recipe to so many photos, and say what a person may not expect of it.

    Raises UsageRefused for a network that cannot be built.
    """
    suits = recipe.with_batches_for(len(dataset.training))
    if suits != recipe:
        console.say(
            f"Batches of {suits.batch_size} photos, not {recipe.batch_size}: there are so few that "
            "an epoch would be hardly a step."
        )
    try:
        network = build(suits, outputs_for(dataset))
    except ValueError as error:
        raise UsageRefused(
            f"{recipe.network} cannot be built with these settings: {error}"
        ) from error
    kinds = (keras.layers.Rescaling, keras.layers.Normalization, keras.layers.BatchNormalization)
    if recipe.is_own and not any(isinstance(layer, kinds) for layer in network.layers[2].layers):
        console.say(
            f"{recipe.network} does not rescale: it gets pixels from 0 to 255 as they are. Begin "
            "with keras.layers.Rescaling(1 / 255)."
        )
    return suits
