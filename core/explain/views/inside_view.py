"""The inside of a network, as the page shows it: pictures and numbers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.explain.answer import Answer, as_classes
from core.explain.first_layer import FirstLayer, first_layer
from core.explain.inside import (
    EndOfMaps,
    Normalization,
    Reduction,
    Stage,
    end_of_maps,
    normalization,
    reduction,
    stages,
)
from core.explain.views.drawings import kernel_picture, map_picture, over_photo
from core.explain.views.words import in_words, shape_in_words
from core.pages.charts import Histogram, histogram
from core.pages.pictures import Encoding, data_url
from core.training.networks.inspected import Inspected, Layer, LayerKind

_TILE = 96  # pixels of a feature map in a gallery
_LARGE = 260  # pixels of one that is compared
_OVERLAY = 150  # pixels of the photo under a map
_BINS = 40


@dataclass(frozen=True, slots=True)
class MapView:
    """One channel of a map."""

    channel: int
    picture: str
    highest: float
    kernel: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class StageView:
    """Layers of one size, and their strongest maps."""

    stage: Stage
    maps: tuple[MapView, ...]
    layers: tuple[LayerRow, ...]


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A layer as a row of a table."""

    name: str
    kind: str
    words: str
    shape: str
    parameters: int


@dataclass(frozen=True, slots=True, eq=False)
class BeforeAndAfter:
    """A map before and after a layer."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class InFloats:
    """The answer that the network gives in full precision, beside the one that is served."""

    probabilities: tuple[float, ...]
    logits: tuple[float, ...]
    largest_gap: float  # between the probabilities


@dataclass(frozen=True, eq=False)
class InsideView:
    """All that the page shows of the inside; what a network does not have is None."""

    first: FirstLayer | None
    filters: tuple[MapView, ...]
    filter_data: dict[str, Any] | None  # what the page's script computes with
    normalization: Normalization | None
    normalization_charts: tuple[Histogram, Histogram] | None
    reduction: Reduction | None
    reduction_pictures: BeforeAndAfter | None
    stages: tuple[StageView, ...]
    end: EndOfMaps | None
    layers: tuple[LayerRow, ...]
    parameters: int
    dropout: float | None  # share
    in_floats: InFloats | None


def inside_view(answer: Answer, inspected: Inspected) -> InsideView:
    """Draw what a network made of a photo."""
    seen = Image.fromarray(answer.pixels)
    first = first_layer(inspected)
    choice = None if first is None else first.choice
    normal = normalization(inspected, choice)
    smaller = reduction(inspected, choice)
    return InsideView(
        first=first,
        filters=tuple(_filters(first)) if first else (),
        filter_data=_filter_data(first, answer) if first else None,
        normalization=normal,
        normalization_charts=_charts(normal) if normal else None,
        reduction=smaller,
        reduction_pictures=(
            BeforeAndAfter(_large(smaller.before), _large(smaller.after)) if smaller else None
        ),
        stages=tuple(_stage(one, seen) for one in stages(inspected)),
        end=end_of_maps(inspected),
        layers=tuple(_rows(inspected.layers)),
        parameters=sum(layer.parameters for layer in inspected.layers),
        dropout=next(
            (
                layer.numbers.get("rate")
                for layer in reversed(inspected.layers)
                if layer.kind is LayerKind.DROPOUT
            ),
            None,
        ),
        in_floats=_in_floats(answer, inspected),
    )


def _filters(first: FirstLayer) -> Iterator[MapView]:
    for number in range(first.filters):
        values = first.output[..., number]
        yield MapView(
            channel=number,
            picture=data_url(_shrunk(map_picture(values, side=_TILE)), Encoding.PNG),
            highest=float(values.max()),
            kernel=data_url(kernel_picture(first.kernel[..., number], side=30), Encoding.PNG),
        )


def _filter_data(first: FirstLayer, answer: Answer) -> dict[str, Any]:
    """Give the page's script what it needs to compute each value anew."""
    return {
        "size": len(answer.pixels),
        "pixels": base64.b64encode(answer.pixels.tobytes()).decode(),
        "kernel": _numbers(first.kernel),
        "window": list(first.kernel.shape[:2]),
        "filters": first.filters,
        "bias": None if first.bias is None else _numbers(first.bias),
        "scale": first.scale,
        "offset": first.offset,
        "stride": first.stride,
        "padding": list(first.padding),
        "multiplier": None if first.multiplier is None else _numbers(first.multiplier),
        "shift": None if first.shift is None else _numbers(first.shift),
        "activation": first.activation,
        "rows": first.output.shape[0],
        "columns": first.output.shape[1],
        "choice": first.choice,
        "place": list(first.place),
    }


def _numbers(values: npt.NDArray[np.float32]) -> list[float]:
    return [float(f"{value:.8g}") for value in values.ravel()]


def _charts(normal: Normalization) -> tuple[Histogram, Histogram]:
    both = np.concatenate([normal.before.ravel(), normal.after.ravel()])
    ends = float(both.min()), float(both.max())  # the same for both, or they would look alike
    return (
        histogram(normal.before.ravel(), bins=_BINS, ends=ends),
        histogram(normal.after.ravel(), bins=_BINS, ends=ends),
    )


def _stage(stage: Stage, seen: Image.Image) -> StageView:
    small = seen.resize((_OVERLAY, _OVERLAY), Image.Resampling.BILINEAR)
    maps = stage.shown.output
    return StageView(
        stage=stage,
        maps=tuple(
            MapView(
                channel,
                data_url(over_photo(small, maps[..., channel]), quality=78),
                float(maps[..., channel].max()),
            )
            for channel in stage.strongest
        ),
        layers=tuple(_rows(stage.layers)),
    )


def _rows(layers: tuple[Layer, ...]) -> Iterator[LayerRow]:
    for layer in layers:
        yield LayerRow(
            layer.name, str(layer.kind), in_words(layer), shape_in_words(layer), layer.parameters
        )


def _in_floats(answer: Answer, inspected: Inspected) -> InFloats | None:
    """Give the answer of the Keras file; with a head, of that on the network's own map."""
    output = inspected.last.output
    if answer.head is not None:
        if output.ndim != 3 or output.shape[-1] != len(answer.head.kernel):
            return None
        logits = answer.head.logits(output.mean(axis=(0, 1)))
    elif output.shape == answer.logits.shape:
        logits = output
    else:
        return None
    probabilities = answer.probabilities(logits[np.newaxis])[0]
    served = answer.probabilities(answer.logits[np.newaxis])[0]
    return InFloats(
        tuple(float(one) for one in probabilities),
        tuple(float(one) for one in as_classes(logits)),
        float(np.abs(probabilities - served).max()),
    )


def _large(values: npt.NDArray[np.float32]) -> str:
    return data_url(map_picture(values, side=_LARGE), Encoding.PNG)


def _shrunk(image: Image.Image) -> Image.Image:
    """Keep a gallery of large maps small."""
    if max(image.size) <= 2 * _TILE:
        return image
    return image.resize((_TILE, _TILE), Image.Resampling.BOX)
