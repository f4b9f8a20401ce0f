"""Events of the operating system: what happened in a folder, as long as it tells."""

from __future__ import annotations

import logging
import os
import queue
import threading
from pathlib import Path

from watchdog.events import (
    DirModifiedEvent,
    FileClosedNoWriteEvent,
    FileOpenedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.utils import BaseThread

from core.paths import display

log = logging.getLogger(__name__)

_JOIN_SECONDS = 5.0  # that a thread gets to end


def _is_news(record: logging.LogRecord) -> bool:
    """Return whether it is not the error that watchdog logs if it is stopped while it waits."""
    return "called when the thread is inactive" not in record.getMessage()


logging.getLogger("watchdog.observers.inotify").addFilter(_is_news)


class _Enqueue(FileSystemEventHandler):
    """Puts paths on a queue and does nothing else: what is raised here would end the thread."""

    def __init__(self, paths: queue.SimpleQueue[Path]) -> None:
        self._paths = paths

    def on_any_event(self, event: FileSystemEvent) -> None:
        # catdog opens, reads and moves the files itself, which must not wake it again
        if isinstance(event, FileOpenedEvent | FileClosedNoWriteEvent | DirModifiedEvent):
            return
        self._paths.put(Path(os.fsdecode(event.dest_path or event.src_path)))


class FolderEvents:
    """Collects the paths that something happened to in a folder; is started anew if it breaks."""

    def __init__(self, folder: Path, *, recursive: bool) -> None:
        self._folder = folder
        self._recursive = recursive
        self._paths: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._threads: list[BaseThread] = []  # all that an event passes through

    def start(self) -> bool:
        """Begin, or begin anew; False, with a warning, where the system cannot watch the folder."""
        try:
            self.listen()
        except OSError as error:
            log.warning(
                "no events for %s (%s): it is scanned instead; `catdog doctor` says what to do",
                display(self._folder),
                error.strerror or error,
            )
            return False
        return True

    def listen(self) -> None:
        """Begin, or begin anew. Raises OSError by inotify's limits or without events."""
        self.stop()
        before = set(threading.enumerate())
        try:
            observer = Observer()
            observer.schedule(_Enqueue(self._paths), str(self._folder), recursive=self._recursive)
            observer.start()
        finally:
            self._threads = [
                thread
                for thread in threading.enumerate()
                if isinstance(thread, BaseThread) and thread not in before
            ]

    def stop(self) -> None:
        threads, self._threads = self._threads, []
        for thread in reversed(threads):  # the observer ends those that it started
            thread.stop()
        for thread in threads:
            thread.join(_JOIN_SECONDS)

    @property
    def is_alive(self) -> bool:
        """Whether all threads that events pass through are running."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def take(self) -> set[Path]:
        paths: set[Path] = set()
        while True:
            try:
                paths.add(self._paths.get_nowait())
            except queue.Empty:
                return paths
