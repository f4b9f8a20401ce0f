"""Finds the photos of a review: first what the store knows, then what has to be decoded."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
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

_SHOWN_TOGETHER = 2_000  # photos whose answers are known: the first show while others are read


@dataclass(frozen=True, slots=True)
class Selection:
    """Which photos of which folders are reviewed."""

    inbox: Inbox
    routes: Routes
    what: What

    def files(self) -> Iterator[Path]:
        """Return the files to look at, in the order of folders and names. Raises OSError."""
        if self.what is not What.FILED:
            for scanned in self.inbox.scan():
                names = sorted([*scanned.photos, *scanned.raws])
                yield from (scanned.folder / name for name in names)
        if self.what in (What.FILED, What.DUPLICATES, What.ALL):
            yield from self._filed_files()

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

    def _filed_files(self) -> Iterator[Path]:
        for folder in self._class_folders:
            if folder.is_dir():
                for listing in list_folders(folder, recursive=True, is_wanted=is_photo_name):
                    yield from (listing.folder / name for name in listing.photos)


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
    read: list[Photo] = []
    missing: list[Path] = []
    done = 0
    show = _Shown(selection, photos, store, labelled)
    files = list(selection.files())
    for top in {selection.inbox.folder, selection.routes.destination}:
        own = [path for path in files if _top(selection, path) == top]
        for one in answers.kept(store, top, own):
            if isinstance(one, Path):
                missing.append(one)
                continue
            read.append(one)
            if len(read) >= _SHOWN_TOGETHER:
                show(read)
                done, read = done + len(read), []
                photos.report(Progress(done, len(files)))
    show(read)
    done += len(read)
    photos.report(Progress(done, done + len(missing)))
    total = done + len(missing)
    for batch in answers.make(store, missing, stop):
        done += len(batch)
        show(batch)
        photos.report(Progress(done, total))
    show.group()


def _top(selection: Selection, path: Path) -> Path:
    """Return the folder below which the answer for a file is asked for."""
    inbox, destination = selection.inbox.folder, selection.routes.destination
    return inbox if path.is_relative_to(inbox) else destination


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
