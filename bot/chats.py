"""The groups where every photo is answered."""

from __future__ import annotations

from bot.store import records
from bot.store.thread import StoreThread


class Chats:
    """Which groups have turned that on: in the store, and at hand."""

    def __init__(self, store: StoreThread) -> None:
        self._store = store
        self._auto: set[int] = set()

    async def load(self) -> None:
        """Read what was turned on before the start."""
        self._auto = await self._store.run(records.auto_chats)

    def is_auto(self, chat: int) -> bool:
        return chat in self._auto

    async def set_auto(self, chat: int, on: bool) -> None:
        """Turn it on or off for a group."""
        await self._store.run(lambda db: records.set_auto(db, chat, on))
        if on:
            self._auto.add(chat)
        else:
            self._auto.discard(chat)

    async def moved(self, old: int, new: int) -> None:
        """Follow a group that became a supergroup, which has another number."""
        if old in self._auto:  # at once: its next photo may be here already
            self._auto.discard(old)
            self._auto.add(new)
        await self._store.run(lambda db: records.move_chat(db, old, new))
