"""Albums: each of their photos and films comes as a message of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from telegram import Message

from bot.answering.incoming import NotAPhoto, Photo, sender_of
from bot.store.records import Record
from bot.words.catalogue import Words

_SETTLED_SECONDS = 1.0  # without another message, and an album is taken to be complete
_MAX_ALBUM = 10  # Telegram's
_REMEMBERED_SECONDS = 300.0  # that messages may come after the one of their album that asked

Key = tuple[int, str]  # chat, and Telegram's name for the album


@dataclass(frozen=True, slots=True)
class Other:
    """What is in an album and no photo."""

    position: int
    what: NotAPhoto


@dataclass(slots=True)
class Accepted:
    """A photo that was accepted, and its row, once that is on disk; None if it was before."""

    record: Record
    row: asyncio.Future[int | None]


@dataclass(slots=True)
class Album:
    """What is known of an album, and what of it has come and is not yet answered."""

    at: float  # when it last asked, or came
    messages: list[int] = field(default_factory=list)  # numbers of all, in order
    is_asked: bool = False
    is_queued: bool = False
    has_notice: bool = False  # that something in it is no photo was said
    unasked: list[tuple[Message, Photo]] = field(default_factory=list)
    others: list[tuple[Message, NotAPhoto]] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    grew: asyncio.Event = field(default_factory=asyncio.Event)

    def position(self, message: int) -> int:
        """Return where a message stands, from 1, as far as the album has come."""
        return self.messages.index(message) + 1

    async def settle(self) -> None:
        """Wait until no more comes."""
        while len(self.accepted) + len(self.unasked) + len(self.others) < _MAX_ALBUM:
            self.grew.clear()
            try:
                await asyncio.wait_for(self.grew.wait(), _SETTLED_SECONDS)
            except TimeoutError:
                return

    def empty(self) -> tuple[list[Accepted], list[tuple[Message, NotAPhoto]]]:
        """Take out what is to be answered now, in the album's order."""
        accepted = sorted(self.accepted, key=lambda one: one.record.message)
        others = sorted(self.others, key=lambda one: one[0].message_id)
        self.accepted, self.others, self.unasked = [], [], []
        return accepted, others


class Albums:
    """Remembers albums for some minutes: one message asks, and the others may come much later."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._albums: dict[Key, Album] = {}

    def add(self, key: Key, message: int, *, is_asked: bool) -> Album:
        """Note a message; returns its album, which is asked about if one of its messages asks."""
        now = self._clock()
        self._albums = {
            one: album
            for one, album in self._albums.items()
            if album.is_queued or now - album.at < _REMEMBERED_SECONDS
        }
        album = self._albums.setdefault(key, Album(now))
        if message not in album.messages:
            album.messages = sorted([*album.messages, message])
        album.is_asked |= is_asked
        if album.is_asked:
            album.at = now
        album.grew.set()
        return album

    def forget(self, person: int) -> None:
        """Drop what a person sent and nobody has asked about."""
        for album in self._albums.values():
            album.unasked = [one for one in album.unasked if sender_of(one[0]) != person]
            album.others = [one for one in album.others if sender_of(one[0]) != person]


def lines_of_others(words: Words, others: Sequence[Other]) -> list[str]:
    """Return a line for each kind of what is no photo in an album, with all numbers of it."""
    lines = []
    for what in dict.fromkeys(other.what for other in others):
        numbers = ", ".join(str(other.position) for other in others if other.what is what)
        sentence: str = getattr(words, what)
        lines.append(f"{numbers}: {sentence}")
    return lines
