"""Albums: each of their photos and films comes as a message of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from telegram import Message

from bot.answering.incoming import Attachment, NotAPhoto, sender_of
from bot.store.records import Asked
from bot.words.catalogue import Words

_SETTLED = 1.0  # seconds without another message, and an album is taken to be complete
_MAX_ALBUM = 10  # Telegram's
_ASKED = 300.0  # seconds that messages may come after the one of their album that asked

Key = tuple[int, str]  # chat, and Telegram's name for the album


@dataclass(frozen=True, slots=True)
class Other:
    """What is in an album and no photo."""

    position: int
    what: NotAPhoto


@dataclass(slots=True)
class Taken:
    """A photo that was taken in, and its row, once that is on disk."""

    asked: Asked
    row: asyncio.Future[int | None]


@dataclass(slots=True)
class Album:
    """What of an album has come and was not answered yet."""

    is_asked: bool = False
    unasked: list[tuple[Message, Attachment]] = field(default_factory=list)
    others: list[tuple[Message, NotAPhoto]] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    grew: asyncio.Event = field(default_factory=asyncio.Event)

    async def settle(self) -> None:
        """Wait until no more comes."""
        while len(self.taken) + len(self.unasked) + len(self.others) < _MAX_ALBUM:
            self.grew.clear()
            try:
                await asyncio.wait_for(self.grew.wait(), _SETTLED)
            except TimeoutError:
                return

    def forget(self, person: int) -> None:
        """Drop what a person sent and nobody has asked about."""
        self.unasked = [one for one in self.unasked if sender_of(one[0]) != person]
        self.others = [one for one in self.others if sender_of(one[0]) != person]


@dataclass(slots=True)
class _Known:
    """What is remembered of an album for a while."""

    at: float
    messages: list[int] = field(default_factory=list)
    is_asked: bool = False
    is_noticed: bool = False  # that something in it is no photo


class Albums:
    """Remembers albums for some minutes: only one of their messages asks, and the others may come
    much later."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[Key, _Known] = {}

    def came(self, key: Key, message: int, *, is_asked: bool) -> bool:
        """Note a message; gives whether the bot is asked about its album."""
        now = self._clock()
        self._known = {one: known for one, known in self._known.items() if now - known.at < _ASKED}
        known = self._known.setdefault(key, _Known(now))
        if message not in known.messages:
            known.messages = sorted([*known.messages, message])
        known.is_asked |= is_asked
        if known.is_asked:
            known.at = now
        return known.is_asked

    def position(self, key: Key, message: int) -> int:
        """Give where a message stands in its album, from 1, as far as that has come."""
        known = self._known.get(key)
        if known is None or message not in known.messages:
            return 1
        return known.messages.index(message) + 1

    def first_notice(self, key: Key) -> bool:
        """Tell whether it is not yet said that something in an album is no photo."""
        known = self._known.get(key)
        if known is None or known.is_noticed:
            return False
        known.is_noticed = True
        return True


def lines_of_others(words: Words, others: Sequence[Other]) -> list[str]:
    """Say of what else is in an album what it is: a line a kind, with all numbers of it."""
    lines = []
    for what in dict.fromkeys(other.what for other in others):
        numbers = ", ".join(str(other.position) for other in others if other.what is what)
        sentence: str = getattr(words, what)
        lines.append(f"{numbers}: {sentence}")
    return lines
