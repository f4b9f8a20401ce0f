"""What layers do, in plain words."""

from __future__ import annotations

from core.training.networks.inspected import Layer, LayerKind

_WORDS = {
    LayerKind.INPUT: "takes the pixels of the photo",
    LayerKind.RESCALING: "brings pixels from 0 to 255 to small numbers, easier to learn from",
    LayerKind.CONVOLUTION: "looks everywhere for each of its patterns and says how well it fits",
    LayerKind.DEPTHWISE: "looks for one pattern in each channel by itself",
    LayerKind.NORMALIZATION: "brings each channel to the range that it was tuned to in training",
    LayerKind.ACTIVATION: "keeps what speaks for a pattern, and makes 0 of what speaks against it",
    LayerKind.MAX_POOLING: "keeps the largest of neighbouring values",
    LayerKind.AVERAGE_POOLING: "keeps the mean of neighbouring values",
    LayerKind.GLOBAL_POOLING: "keeps the mean of each channel, wherever in the photo it came from",
    LayerKind.FLATTEN: "writes all values of all maps into one row",
    LayerKind.DROPOUT: "does nothing now; in training it silences a random share of the values",
    LayerKind.DENSE: "weighs every number it gets, for each of its units, and adds up",
    LayerKind.ADD: "adds what went around some layers to what went through them",
    LayerKind.MULTIPLY: "multiplies, so that some channels count more than others",
    LayerKind.OTHER: "a layer of the person's own",
}


def in_words(layer: Layer) -> str:
    """Say what a layer does, in half a sentence."""
    words = _WORDS[layer.kind]
    if layer.kind is LayerKind.CONVOLUTION and layer.window == (1, 1):
        words = "mixes the channels of each place anew, without looking at its neighbours"
    elif layer.kind is LayerKind.ACTIVATION and layer.activation == "relu6":
        words += ", and 6 of what is above 6"
    elif layer.kind is LayerKind.DROPOUT and "rate" in layer.numbers:
        words = f"does nothing now; in training it silences {layer.numbers['rate']:.0%} at random"
    if layer.stride > 1 and layer.kind in (LayerKind.CONVOLUTION, LayerKind.DEPTHWISE):
        words += f"; it moves on by {layer.stride} places, so that its map is smaller"
    if layer.kind is not LayerKind.ACTIVATION and layer.activation != "linear":
        name = "ReLU" if layer.activation == "relu" else layer.activation
        words += f"; then {name}"
    return words


def shape_in_words(layer: Layer) -> str:
    """Write the shape of what a layer gives."""
    return " \N{MULTIPLICATION SIGN} ".join(f"{side:,}" for side in layer.output.shape)
