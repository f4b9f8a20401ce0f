"""Work that is listed on a thread, and waits on the disk until it is taken."""

from __future__ import annotations

import pickle
import tempfile
import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Ahead(Generic[Item]):
    """Items that a thread makes as fast as it can, so that their number is soon known.

    They wait in a temporary file: ten million photos are a gigabyte there, and nothing in memory.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the last who holds it
        self._changed = threading.Condition()
        self._made = self._taken = self._read_at = self._end = 0
        self._is_over = False
        self._error: BaseException | None = None
        threading.Thread(target=self._make, args=(items,), daemon=True, name="listing").start()

    @property
    def is_complete(self) -> bool:
        """Whether all items are known."""
        return self._is_over

    def __iter__(self) -> Iterator[Item]:
        """Hand each item out once, in order. Raises what making them raised, in turn."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_over or self._taken < self._made)
                if self._taken == self._made:
                    if self._error is not None:
                        raise self._error
                    return
                self._file.seek(self._read_at)
                item: Item = pickle.load(self._file)
                self._read_at = self._file.tell()
                self._taken += 1
            yield item

    def _make(self, items: Iterable[Item]) -> None:
        try:
            for item in items:
                with self._changed:
                    self._file.seek(self._end)
                    pickle.dump(item, self._file, protocol=pickle.HIGHEST_PROTOCOL)
                    self._end = self._file.tell()
                    self._made += 1
                    self._changed.notify_all()
        except BaseException as error:
            self._error = error
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
