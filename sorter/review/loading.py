"""Finds the photos of a review: first what the store knows, then what has to be decoded."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from core.errors import CatdogError
from core.images.listing import is_photo_name, list_folders
from core.model.classifier import Classifier
from core.store.answers import embeddings_of
from core.store.database import Store
from sorter.review.answering import Answers
from sorter.review.decisions import labelled_contents
from sorter.review.likeness import groups_of
from sorter.review.photo_list import PhotoList, Progress
from sorter.review.photos import Photo, What
from sorter.routes import Routes
from sorter.scanning.inbox import Inbox

log = logging.getLogger(__name__)

# Photos whose answers are known show while others are read: a page full, then more at a time.
_SHOWN_FIRST, _SHOWN_TOGETHER = 100, 2_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Which photos of which folders are reviewed."""

    inbox: Inbox
    routes: Routes
    what: What

    def listings(self) -> Iterator[tuple[Path, Sequence[str]]]:
        """Yield folders with the names of the files to look at, in their order. Raises OSError."""
        if self.what is not What.FILED:
            for scanned in self.inbox.scan():
                yield scanned.folder, sorted([*scanned.photos, *scanned.raws])
        if self.what in (What.FILED, What.DUPLICATES, What.ALL):
            for folder in filter(Path.is_dir, self._class_folders):
                for listing in list_folders(folder, recursive=True, is_wanted=is_photo_name):
                    yield listing.folder, listing.photos

    def is_filed(self, path: Path) -> bool:
        """Return whether a photo stands in a class folder."""
        return any(path.is_relative_to(folder) for folder in self._class_folders)

    def shown(self, photo: Photo, *, is_labelled: bool) -> bool:
        """Return whether a photo that was read is shown; of duplicates see `duplicates`."""
        if is_labelled or photo.verdict is None:
            return False
        if self.is_filed(photo.path):
            return self.what is What.FILED
        return self.what.shows(photo.verdict.kind)

    @property
    def _class_folders(self) -> list[Path]:
        destination = self.routes.destination
        return [destination / one.folder for one in self.routes.manifest.filed]


def load(
    selection: Selection,
    classifier: Classifier,
    state_dir: Path,
    photos: PhotoList,
    stop: Callable[[], bool],
) -> None:
    """Fill the list of photos, first with what is known; for a thread of its own."""
    try:
        with closing(Store(state_dir)) as store:
            _load(selection, classifier, store, photos, stop)
    except (CatdogError, OSError):
        log.exception("the photos of %s", selection.inbox.folder)
    photos.report(replace(photos.progress, is_done=True))


def _load(
    selection: Selection,
    classifier: Classifier,
    store: Store,
    photos: PhotoList,
    stop: Callable[[], bool],
) -> None:
    answers = Answers(classifier, selection.routes.threshold)
    labelled = labelled_contents(store)
    show = _Shown(selection, photos, store, labelled)
    listings = list(selection.listings())
    total = sum(len(names) for _, names in listings)
    files = (folder / name for folder, names in listings for name in names)
    missing: list[Path] = []
    done = 0
    together = _SHOWN_FIRST
    while some := list(islice(files, together)):
        known = list(answers.kept(store, some))
        read = [one for one in known if isinstance(one, Photo)]
        missing += [one for one in known if isinstance(one, Path)]
        show(read)
        done += len(read)
        total -= len(some) - len(known)  # gone since they were listed
        photos.report(Progress(done, total))
        together = min(2 * together, _SHOWN_TOGETHER)
    for batch in answers.make(store, missing, stop):
        done += len(batch)
        show(batch)
        photos.report(Progress(done, total))
    show.group()


class _Shown:
    """Adds to the list what is to be shown of photos that were read."""

    def __init__(
        self, selection: Selection, photos: PhotoList, store: Store, labelled: set[str]
    ) -> None:
        self._selection = selection
        self._photos = photos
        self._store = store
        self._labelled = labelled
        self._of_content: defaultdict[str, list[Photo]] = defaultdict(list)

    def __call__(self, read: Iterable[Photo]) -> None:
        if self._selection.what is What.DUPLICATES:
            shown = self._duplicates(read)
        else:
            shown = [
                photo
                for photo in read
                if self._selection.shown(photo, is_labelled=photo.sha256 in self._labelled)
            ]
        self._photos.put(shown)

    def _duplicates(self, read: Iterable[Photo]) -> list[Photo]:
        """Return the photos that are not filed and of which a file of the same bytes is there."""
        shown = {}
        for photo in read:
            if photo.sha256 is None or photo.verdict is None:
                continue
            same = self._of_content[photo.sha256]
            same.append(photo)
            filed = [one for one in same if self._selection.is_filed(one.path)]
            first = filed[0] if filed else same[0]
            for one in same:
                if one is not first and not self._selection.is_filed(one.path):
                    shown[one.path] = replace(one, stands_at=first.path)
        return list(shown.values())

    def group(self) -> None:
        """Number the groups of photos that look alike, once all are shown."""
        shown = sorted(self._photos.all(), key=lambda photo: photo.path)
        embeddings = embeddings_of(self._store, [photo.path for photo in shown])
        numbers = groups_of(embeddings.items())
        alike = {photo.id: numbers[photo.path] for photo in shown if photo.path in numbers}
        self._photos.group(alike)
