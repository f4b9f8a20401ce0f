"""Cats and dogs, drawn: alike enough that a small network has to learn, and can overfit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 160  # pixels
_FURS = ((140, 118, 96), (60, 52, 48), (214, 150, 84), (226, 222, 214), (120, 124, 132))


def draw_animal(kind: str, seed: int) -> Image.Image:
    """Draw a face somewhere before a wall: pointed ears for `cats`, hanging ones for `dogs`."""
    random = np.random.default_rng((seed, kind == "dogs"))
    image = _wall(random)
    size = random.uniform(0.28, 0.5) * SIDE
    x, y = random.uniform(0.35, 0.65, 2) * SIDE
    fur = np.array(_FURS[int(random.integers(len(_FURS)))]) + random.normal(0, 12, 3)
    shape = Image.new("L", (SIDE, SIDE), 0)
    draw = ImageDraw.Draw(shape)
    draw.ellipse((x - size / 2, y - size / 2, x + size / 2, y + size / 2), fill=255)
    for side in (-1, 1):
        if kind == "cats":
            tip = (x + side * size * random.uniform(0.38, 0.5), y - size * 0.85)
            draw.polygon(
                (
                    (x + side * size * 0.48, y - size * 0.12),
                    tip,
                    (x + side * size * 0.1, y - size * 0.45),
                ),
                fill=255,
            )
        else:
            middle = x + side * size * 0.52
            top = y - size * random.uniform(0.3, 0.4)
            draw.ellipse(
                (middle - size * 0.14, top, middle + size * 0.14, top + size * 0.75), fill=255
            )
    noise = random.normal(0, 22, (SIDE, SIDE, 1))
    hairs = Image.fromarray((fur + noise).clip(0, 255).astype(np.uint8))
    image.paste(hairs, (0, 0), shape.filter(ImageFilter.GaussianBlur(1)))
    _face(ImageDraw.Draw(image), kind, (float(x), float(y)), float(size), random)
    return image.filter(ImageFilter.GaussianBlur(float(random.uniform(0, 1.2))))


def draw_folder(folder: Path, kinds: dict[str, int], *, first: int = 0) -> Path:
    """Draw class folders with so many photos each."""
    for kind, number in kinds.items():
        (folder / kind).mkdir(parents=True)
        for seed in range(first, first + number):
            draw_animal(kind, seed).save(folder / kind / f"{kind}-{seed:04}.jpg", quality=90)
    return folder


def _wall(random: np.random.Generator) -> Image.Image:
    above, below = random.uniform(40, 230, (2, 3))
    down = np.linspace(0, 1, SIDE)[:, None, None]
    grain = random.normal(0, random.uniform(3, 25), (SIDE, SIDE, 1))
    pixels = above * (1 - down) + below * down + grain
    wall = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(wall)
    for _ in range(int(random.integers(0, 6))):  # whatever else stands about
        left, top = random.uniform(-20, SIDE, 2)
        wide, tall = random.uniform(10, 70, 2)
        colour = tuple(int(one) for one in random.uniform(20, 240, 3))
        draw.rectangle((left, top, left + wide, top + tall), fill=colour)
    return wall


def _face(
    draw: ImageDraw.ImageDraw,
    kind: str,
    middle: tuple[float, float],
    size: float,
    random: np.random.Generator,
) -> None:
    x, y = middle
    for side in (-1, 1):
        eye, radius = x + side * size * 0.2, size * 0.09
        colour = (150, 180, 70) if kind == "cats" and random.random() < 0.7 else (70, 48, 30)
        draw.ellipse((eye - radius, y - radius * 1.6, eye + radius, y + radius * 0.4), fill=colour)
        draw.ellipse((eye - 1.5, y - radius, eye + 1.5, y), fill=(10, 10, 10))
    nose = size * (0.07 if kind == "cats" else 0.13)
    draw.ellipse(
        (x - nose, y + size * 0.14, x + nose, y + size * 0.14 + 1.4 * nose), fill=(50, 34, 34)
    )
