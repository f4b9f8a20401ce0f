"""The one function that looks at an archive's photos, on one machine as on each of a cluster."""

from __future__ import annotations

import io
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import Image

from core.archive.row import Row
from core.archive.sources.content import brought, parquet_rows
from core.archive.sources.source import Source, written
from core.errors import CatdogError, UnreadableCode, UnreadableImage
from core.images.decode import open_image
from core.images.exif import taken_by
from core.images.libjpeg import orientation_of
from core.images.plan import Plan
from core.model.classifier import Classifier, no_embeddings
from core.model.manifest import Kind
from core.model.verdict import judge
from core.runtime.lookahead import map_ahead, usable_cores

log = logging.getLogger(__name__)

INTERNAL_ERROR = "internal-error"  # a bug, which the log has
_SIDEWAYS = (5, 6, 7, 8)  # EXIF's orientations that swap width and height
# S3 answers after 50 to 100 ms, a core takes 20 a photo: so many wait for bytes for each core
_WAITING_PER_CORE = 8
_MOST_WAITING = 64
_AHEAD = 32  # rows for each core that wait for whoever takes them


@dataclass(frozen=True, slots=True)
class Looking:
    """What photos are looked at with. Safe to share between threads."""

    classifier: Classifier
    threshold: float | None = None
    embeddings: bool = False
    cores: int = field(default_factory=usable_cores)
    turns: threading.Semaphore = field(init=False)  # for the cores; bytes are brought meanwhile

    def __post_init__(self) -> None:
        object.__setattr__(self, "turns", threading.Semaphore(self.cores))

    def check(self) -> None:
        """Raise ModelRefused for embeddings of a model that has none."""
        if self.embeddings and self.classifier.manifest.kind is not Kind.HEAD:
            raise no_embeddings(self.classifier.manifest.version)


def classify(sources: Iterable[Source], looking: Looking) -> Iterator[Row]:
    """Classify photos in their order, on all cores, while later ones are read; flat in memory.

    A photo that cannot be read is a row with the code of its error, whatever the reason.
    """
    for kind, some in groupby(sources, _kind):
        if kind == "parquet":
            yield from _classify_parquet(some, looking)
        else:
            yield from _classify_files(some, looking, is_remote=kind == "remote")


def _kind(source: Source) -> str:
    return "parquet" if source.row else "remote" if source.is_remote else "local"


def _classify_files(
    sources: Iterable[Source], looking: Looking, *, is_remote: bool
) -> Iterator[Row]:
    def bring_and_look(source: Source) -> Row:
        return _look_or_fail(source, brought(source), looking)

    waiting = min(_WAITING_PER_CORE * looking.cores, _MOST_WAITING) if is_remote else 1
    threads = looking.cores + waiting
    ahead = -(-_AHEAD * looking.cores // threads)
    for _, row in map_ahead(bring_and_look, sources, ahead_per_core=ahead, threads=threads):
        yield row


def _classify_parquet(sources: Iterable[Source], looking: Looking) -> Iterator[Row]:
    """Classify photos that are rows of Parquet files; a row group is read once."""

    def look(item: tuple[Source, bytes]) -> Row:
        source, content = item
        return _look_or_fail(source, nullcontext(content), looking)

    for _, group in groupby(
        sources, lambda source: (source.address, source.row and source.row.group)
    ):
        some = list(group)
        left = {source.key: source for source in some}
        try:
            for _, row in map_ahead(
                look, parquet_rows(some), ahead_per_core=2, threads=looking.cores
            ):
                del left[row.path_bytes or row.path.encode()]
                yield row
        except (OSError, ValueError) as error:
            # the Parquet file is broken: what is left of it follows
            log.error("%s cannot be read: %s", some[0].address, error)
        for source in left.values():
            yield failed(source, looking, str(UnreadableCode.IO_ERROR))


def _look_or_fail(
    source: Source, content: AbstractContextManager[Path | bytes], looking: Looking
) -> Row:
    """Look at one photo; whatever goes wrong with it is the error of its row."""
    try:
        with content as there:
            return _look(source, there, looking)
    except UnreadableImage as error:
        return failed(source, looking, str(error.code))
    except CatdogError:  # such as a package for the store, which is not installed there
        raise
    except Exception:
        log.exception("%s", written(source.key))
        return failed(source, looking, INTERNAL_ERROR)


def _look(source: Source, content: Path | bytes, looking: Looking) -> Row:
    """Look at one photo when it is its turn. Raises UnreadableImage."""
    facts = _Facts()

    def opened(side: int) -> Image.Image:
        image = open_image(
            content,
            min_side=side,
            name=written(source.key),
            on_plan=facts.plans.append,
            on_content=facts.notice,
        )
        facts.is_wide = image.width > image.height
        return image

    with looking.turns:
        begin = time.perf_counter()
        embedding = None
        if looking.embeddings:
            prediction, embedding = looking.classifier.classify_and_embed(opened)
        else:
            prediction = looking.classifier.classify(opened)
        verdict = judge(prediction, looking.classifier.manifest.classes, looking.threshold)
        width, height = facts.sides
        return _row(
            source,
            looking,
            seconds=time.perf_counter() - begin,
            verdict=str(verdict.kind),
            label=prediction.label,
            confidence=prediction.confidence,
            probabilities=prediction.probabilities,
            embedding=None if embedding is None else np.asarray(embedding, np.float32).tolist(),
            width=width,
            height=height,
            taken=facts.taken,
        )


class _Facts:
    """What a photo's file says beside its pixels, noted while it is decoded."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.is_wide = False
        self.taken: datetime | None = None

    def notice(self, content: bytes) -> None:
        """Read when the photo was taken: of JPEG from what was walked, else from the file."""
        (plan,) = self.plans
        if plan.jpeg is None:
            try:
                with Image.open(io.BytesIO(content), formats=(plan.format,)) as image:
                    self.taken = taken_by(image.getexif())
            except Exception:  # unreadable EXIF does not stop the photo: its time is unknown
                self.taken = None
        elif plan.jpeg.exif is not None:
            exif = Image.Exif()
            exif.load(plan.jpeg.exif)
            self.taken = taken_by(exif)

    @property
    def sides(self) -> tuple[int, int]:
        """Width and height of the upright photo, in pixels."""
        (plan,) = self.plans
        width, height = plan.structure.width, plan.structure.height
        if plan.jpeg is not None:
            turned = (plan.orientation or orientation_of(plan.jpeg)) in _SIDEWAYS
        else:
            turned = width != height and (width > height) != self.is_wide
        return (height, width) if turned else (width, height)


def failed(source: Source, looking: Looking, code: str) -> Row:
    """Return the row of a photo that could not be read."""
    return _row(source, looking, seconds=0.0, error=code)


def _row(source: Source, looking: Looking, *, seconds: float, **seen: object) -> Row:
    path = written(source.key)
    return Row(
        path=path,
        path_bytes=None if path.encode() == source.key else source.key,
        etag=source.etag,
        size=source.size,
        mtime_ns=source.mtime_ns,
        seconds=seconds,
        model_version=looking.classifier.manifest.version,
        **seen,  # type: ignore[arg-type]
    )
