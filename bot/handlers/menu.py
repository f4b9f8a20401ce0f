"""The menu of commands that Telegram shows: told to it when it has changed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging

from telegram import Bot, BotCommand
from telegram.error import RetryAfter, TelegramError

from bot.service.halts import seconds_of
from bot.store import records
from bot.store.thread import StoreThread
from bot.words.catalogue import ENGLISH, Words, catalogues

log = logging.getLogger(__name__)

_TRIES = 3  # of a language, each as long after the one before as Telegram says


async def set_menu(bot: Bot, store: StoreThread) -> None:
    """Tell Telegram the commands in each language; a bot that cannot goes on without.

    Telegram takes few of these calls: nobody else waits for them, and a language whose menu it
    has is not told again.
    """
    for code, words in catalogues().items():
        name, digest = f"menu:{bot.id}:{code}", _digest(words)
        if await store.run(lambda db, name=name: records.key(db, name)) == digest:  # type: ignore[misc]
            continue
        if not await _told(bot, code, words):
            return
        await store.run(
            lambda db, name=name, digest=digest: records.set_key(db, name, digest)  # type: ignore[misc]
        )


async def _told(bot: Bot, code: str, words: Words) -> bool:
    commands = [BotCommand(name, text) for name, text in words.menu.items()]
    for left in reversed(range(_TRIES)):
        try:
            await bot.set_my_commands(commands, language_code=None if code == ENGLISH else code)
        except RetryAfter as error:
            if not left:
                break
            await asyncio.sleep(seconds_of(error))
        except TelegramError as error:
            log.warning("the menu of commands could not be set (%s)", type(error).__name__)
            return False
        else:
            return True
    log.warning("the menu of commands could not be set: Telegram has it wait")
    return False


def _digest(words: Words) -> bytes:
    return hashlib.sha256(json.dumps(words.menu, sort_keys=True).encode()).digest()
