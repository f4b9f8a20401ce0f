"""The photos that taught a model, as the page shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import ImageOps

from core.errors import UnreadableImage
from core.explain.neighbours import Neighbour
from core.images.decode import open_image
from core.pages.pictures import data_url
from core.paths import display

_NEIGHBOUR = 200  # pixels


@dataclass(frozen=True, slots=True)
class NeighbourView:
    """A photo that taught the model."""

    neighbour: Neighbour
    name: str
    picture: str | None


def neighbour_views(neighbours: Iterable[Neighbour]) -> tuple[NeighbourView, ...]:
    """Draw the photos whose files were found."""
    return tuple(_neighbour(one) for one in neighbours)


def _neighbour(neighbour: Neighbour) -> NeighbourView:
    if neighbour.path is None:
        return NeighbourView(neighbour, "", None)
    name = display(Path(neighbour.path.parent.name) / neighbour.path.name)
    try:
        image = open_image(neighbour.path, min_side=_NEIGHBOUR)
    except UnreadableImage:
        return NeighbourView(neighbour, name, None)
    return NeighbourView(
        neighbour, name, data_url(ImageOps.contain(image, (_NEIGHBOUR, _NEIGHBOUR)))
    )
