"""The photos of a review as its threads and pages share them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Condition

from sorter.review.photos import Photo, State

_TOGETHER = 4_000  # photos in one answer to the page


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the model is with the folder."""

    read: int = 0  # files
    of: int = 0
    is_done: bool = False


class PhotoList:
    """All photos of a review, and in which order they changed. Safe to share between threads."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._photos: dict[str, Photo] = {}
        self._version_of: dict[str, int] = {}
        self.version = 0
        self.progress = Progress()

    def __len__(self) -> int:
        return len(self._photos)

    def all(self) -> list[Photo]:
        with self._changed:
            return list(self._photos.values())

    def get(self, id: str) -> Photo | None:
        return self._photos.get(id)

    def wait_for(self, id: str) -> Photo | None:
        """Return a photo, once it was read; None if the whole folder was, and it is not there."""
        with self._changed:
            self._changed.wait_for(lambda: id in self._photos or self.progress.is_done)
            return self._photos.get(id)

    def put(self, photos: Iterable[Photo]) -> None:
        """Add photos, or put them in the place of those of the same id."""
        with self._changed:
            for photo in photos:
                self.version += 1
                self._photos[photo.id] = photo
                self._version_of[photo.id] = self.version
            self._changed.notify_all()

    def group(self, numbers: Mapping[str, int]) -> None:
        """Give photos, by their ids, the numbers of their groups; the rest of each stays."""
        with self._changed:
            for id, number in numbers.items():
                self.version += 1
                self._photos[id] = replace(self._photos[id], group=number)
                self._version_of[id] = self.version
            self._changed.notify_all()

    def take_away(self, ids: Iterable[str]) -> None:
        """Mark photos as of no concern any more: they are shown no longer."""
        self.put(
            replace(photo, state=State.GONE, message=None)
            for id in ids
            if (photo := self.get(id)) is not None
        )

    def report(self, progress: Progress) -> None:
        with self._changed:
            self.progress = progress
            self.version += 1
            self._changed.notify_all()

    def touch(self) -> None:
        """Have pages ask anew, for what is not a photo's."""
        self.report(self.progress)

    def changed_since(self, version: int) -> tuple[int, list[Photo]]:
        """Return a version, and the photos that changed after the one that is given until then.

        Of very many the first come at once: the rest is asked for with the version returned.
        """
        with self._changed:
            changed = [id for id in self._photos if self._version_of[id] > version]
            if len(changed) <= _TOGETHER:
                return self.version, [self._photos[id] for id in changed]
            changed = sorted(changed, key=self._version_of.__getitem__)[:_TOGETHER]
            return self._version_of[changed[-1]], [self._photos[id] for id in changed]

    def wait(self, version: int, seconds: float) -> None:
        """Wait for a change after a version, so many seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: self.version > version, seconds)
