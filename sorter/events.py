"""The operating system's word that something happened in a folder."""

from __future__ import annotations

import logging
import os
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchdog.events import (
    DirModifiedEvent,
    FileClosedNoWriteEvent,
    FileOpenedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

log = logging.getLogger(__name__)


class _Enqueue(FileSystemEventHandler):
    """Puts paths on a queue and does nothing else: what is raised here would end the thread."""

    def __init__(self, paths: queue.SimpleQueue[Path]) -> None:
        self._paths = paths

    def on_any_event(self, event: FileSystemEvent) -> None:
        # catdog opens, reads and moves the files itself, which must not wake it again
        if isinstance(event, FileOpenedEvent | FileClosedNoWriteEvent | DirModifiedEvent):
            return
        self._paths.put(Path(os.fsdecode(event.dest_path or event.src_path)))


@contextmanager
def changed_paths(folder: Path, *, recursive: bool) -> Iterator[queue.SimpleQueue[Path]]:
    """Collect the paths that something happened to, while the context lasts.

    Where the system cannot watch the folder the queue stays empty, with a warning.
    """
    paths: queue.SimpleQueue[Path] = queue.SimpleQueue()
    try:
        observer = Observer()
        observer.schedule(_Enqueue(paths), str(folder), recursive=recursive)
        observer.start()
    except OSError as error:  # inotify's limits, or a file system without events
        log.warning("no events for %s (%s): it is looked through instead", folder, error)
        yield paths
        return
    try:
        yield paths
    finally:
        observer.stop()
        observer.join()
