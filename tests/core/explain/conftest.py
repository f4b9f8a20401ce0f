"""A photo to ask models about."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw


def draw_cat(size: tuple[int, int] = (400, 300)) -> Image.Image:
    """Draw a cat's face: ears, eyes, a nose and whiskers."""
    width, height = size
    photo = Image.new("RGB", size, (96, 142, 88))
    drawing = ImageDraw.Draw(photo)

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x * width, y * height) for x, y in points]

    fur, dark = (206, 138, 70), (70, 42, 22)
    drawing.polygon(at((0.3, 0.45), (0.32, 0.1), (0.47, 0.3)), fill=fur)
    drawing.polygon(at((0.7, 0.45), (0.68, 0.1), (0.53, 0.3)), fill=fur)
    drawing.ellipse(at((0.28, 0.22), (0.72, 0.88)), fill=fur)
    for left in (0.37, 0.54):
        drawing.ellipse(at((left, 0.42), (left + 0.09, 0.55)), fill=(176, 208, 70))
        drawing.ellipse(at((left + 0.03, 0.42), (left + 0.06, 0.55)), fill=(10, 10, 10))
    drawing.polygon(at((0.47, 0.63), (0.53, 0.63), (0.5, 0.68)), fill=(214, 110, 120))
    for height_there in (0.66, 0.7, 0.74):
        drawing.line(at((0.46, 0.69), (0.2, height_there)), fill=dark, width=2)
        drawing.line(at((0.54, 0.69), (0.8, height_there)), fill=dark, width=2)
    return photo


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    path = tmp_path / "drawn cat.png"
    draw_cat().save(path)
    return path
