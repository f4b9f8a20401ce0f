"""The groups that the bot knows by number: where it answers every photo, and where it may."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from bot.store.thread import StoreThread
from bot.words.catalogue import words_for

log = logging.getLogger(__name__)


class Chats:
    """Groups with their settings, in the store and at hand; both follow a group's number."""

    def __init__(
        self, store: StoreThread, allowed: Iterable[int], announce: Callable[[int, str], None]
    ) -> None:
        """`allowed` are the groups on the allow list, and `announce` says something in a group."""
        self._store = store
        self._announce = announce
        self._auto: set[int] = set()
        self._allowed = set(allowed)

    async def load(self) -> None:
        """Read what was turned on, and which groups have moved, before the start."""
        rows = await self._rows("SELECT chat FROM bot_chats WHERE auto")
        self._auto = {chat for (chat,) in rows}
        moved = await self._rows("SELECT old, new FROM bot_moved_chats")
        for _ in moved:  # some may have moved more than once
            self._allowed |= {new for old, new in moved if old in self._allowed}

    def is_auto(self, chat: int) -> bool:
        return chat in self._auto

    def is_allowed(self, chat: int) -> bool:
        return chat in self._allowed

    async def set_auto(self, chat: int, *, is_on: bool) -> None:
        """Have every photo of a group answered, or only those that the bot is asked about."""
        await self._rows("INSERT OR REPLACE INTO bot_chats VALUES (?, ?)", chat, is_on)
        if is_on:
            self._auto.add(chat)
        else:
            self._auto.discard(chat)

    async def moved(self, old: int, new: int, language: str) -> None:
        """Follow a group that became a supergroup, which has another number.

        Of one on the allow list that is said there, once.
        """
        # at once: its next photo may be here already
        is_news = old in self._allowed and new not in self._allowed
        if old in self._auto:
            self._auto.discard(old)
            self._auto.add(new)
        if is_news:
            self._allowed.add(new)
            log.warning(
                "a group of CATDOG_BOT_ALLOW_CHAT became a supergroup, which has another number: "
                "it is followed, and the bot has said the number there"
            )
            self._announce(new, words_for(language).moved.format(old=old, new=new))
            await self._rows("INSERT OR REPLACE INTO bot_moved_chats VALUES (?, ?)", old, new)
        # photos stay where they were: their messages' numbers are others' in the new one
        await self._rows("UPDATE OR REPLACE bot_chats SET chat = ? WHERE chat = ?", new, old)

    async def _rows(self, statement: str, *values: int) -> list[tuple[int, ...]]:
        return await self._store.run(
            lambda db: [tuple(row) for row in db.execute(statement, values)]
        )
