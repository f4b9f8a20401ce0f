"""Photos as the page shows them: JPEGs of a few sizes, decoded ahead, the last ones kept."""

from __future__ import annotations

import io
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from PIL import Image

from core.images.decode import open_image, opener
from core.model.classifier import Classifier
from core.model.heatmap import overlay

SIDES = (320, 1600, 4096)  # pixels: in the grid, large, zoomed in
HEAT = "heat"
_KEPT_BYTES = 96 * 1_000_000  # of JPEGs: some 300 large ones
_THREADS = 3

Key = tuple[Path, int, int | str]  # the file, its time of change, a side or HEAT


class Pictures:
    """Makes JPEGs of photos on threads. Safe to share between threads."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="picture")
        self._lock = Lock()
        self._made: OrderedDict[Key, bytes] = OrderedDict()
        self._bytes = 0
        self._being_made: dict[Key, Future[bytes]] = {}

    def picture(self, path: Path, mtime_ns: int, kind: int | str) -> Future[bytes]:
        """Return the JPEG of a photo, at most `kind` pixels to a side, or with its heat map.

        The future raises UnreadableImage.
        """
        key = (path, mtime_ns, kind)
        with self._lock:
            made = self._made.get(key)
            if made is not None:
                self._made.move_to_end(key)
                done: Future[bytes] = Future()
                done.set_result(made)
                return done
            if key not in self._being_made:
                self._being_made[key] = self._pool.submit(self._make, key)
            return self._being_made[key]

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _make(self, key: Key) -> bytes:
        path, _, kind = key
        try:
            made = _jpeg(self._with_heat(path) if kind == HEAT else _scaled(path, int(kind)))
        finally:
            with self._lock:
                self._being_made.pop(key, None)
        with self._lock:
            self._made[key] = made
            self._bytes += len(made)
            while self._bytes > _KEPT_BYTES and len(self._made) > 1:
                _, oldest = self._made.popitem(last=False)
                self._bytes -= len(oldest)
        return made

    def _with_heat(self, path: Path) -> Image.Image:
        _, heat = self.classifier.explain(opener(path))
        image = _scaled(path, SIDES[1])
        return image if heat is None else overlay(image, heat)


def _scaled(path: Path, side: int) -> Image.Image:
    image = open_image(path, min_side=side)
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return image


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return file.getvalue()
