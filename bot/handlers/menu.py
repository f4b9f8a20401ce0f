"""The menu of commands that Telegram shows, set when it has changed."""

from __future__ import annotations

import hashlib
import json
import logging
from functools import partial

from telegram import Bot, BotCommand
from telegram.error import RetryAfter, TelegramError

from bot.store import records
from bot.store.thread import StoreThread
from bot.telegram.retry import retry
from bot.words.catalogue import ENGLISH, Words, catalogues

log = logging.getLogger(__name__)

_PAUSES_SECONDS = (0.0, 0.0)  # between tries: as long as Telegram says


async def set_menu(bot: Bot, store: StoreThread) -> None:
    """Set the commands in each language; a bot that cannot goes on without.

    Telegram takes few of these calls: nobody else waits for them, and a menu that it has is not
    set again.
    """
    for code, words in catalogues().items():
        name = f"menu:{bot.id}:{code}"
        digest = hashlib.sha256(json.dumps(words.menu, sort_keys=True).encode()).digest()
        if await store.run(records.key, name=name) == digest:
            continue
        try:
            await retry(partial(_set, bot, code, words), _PAUSES_SECONDS, _has_to_wait)
        except TelegramError as error:
            log.warning("the menu of commands could not be set (%s)", type(error).__name__)
            return
        await store.run(records.set_key, name=name, value=digest)


async def _set(bot: Bot, code: str, words: Words) -> None:
    commands = [BotCommand(name, text) for name, text in words.menu.items()]
    await bot.set_my_commands(commands, language_code=None if code == ENGLISH else code)


def _has_to_wait(error: Exception) -> bool:
    return isinstance(error, RetryAfter)
