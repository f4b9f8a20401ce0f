"""Photos looked at ahead on all cores; whatever goes wrong with one is that one's outcome."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import UnreadableImage
from core.model.classifier import Classifier
from core.model.verdict import Prediction
from core.paths import display
from core.runtime.lookahead import map_ahead
from sorter.digests import Digests, Reading
from sorter.identity import FileIdentity

log = logging.getLogger(__name__)

# Answers are small: so many wait that the cores have work while whoever takes them writes to disk
_AHEAD_PER_CORE = 32


class Stumbled(Exception):
    """A bug of catdog's, which one photo has shown; the log has it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A photo that was looked at."""

    path: Path
    identity: FileIdentity | None  # before it was read
    answer: Prediction | UnreadableImage | Stumbled
    digests: Digests | None = None


def look_at(classifier: Classifier, photos: Iterable[Path]) -> Iterator[Seen]:
    """Look at photos in their order, ahead on all cores, however many there are."""

    def look(photo: Path) -> Seen:
        identity = FileIdentity.of(photo)
        try:
            reading = Reading(photo)
            answer = classifier.classify(reading.open)
            return Seen(photo, identity, answer, reading.digests)
        except UnreadableImage as error:
            return Seen(photo, identity, error)
        except Exception as error:
            log.exception("%s", display(photo))
            return Seen(photo, identity, Stumbled(str(error)))

    for _, seen in map_ahead(look, photos, ahead_per_core=_AHEAD_PER_CORE):
        yield seen
