"""Sentences that are not about what a photo shows; nobody waits for them to be sent."""

from __future__ import annotations

import asyncio

from telegram import Bot, Message, ReplyParameters

from bot.photos.delivery import deliver
from bot.photos.incoming import sender_of
from bot.photos.rates import Allowance

_EVERY = 10.0  # seconds between sentences to one person about what was not taken
_BURST, _PER_SECOND = 5, 0.2  # other sentences, a person


class Notices:
    """Says sentences in reply to messages, not too many to one person."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._rarely = Allowance(1, 1 / _EVERY)
        self._often = Allowance(_BURST, _PER_SECOND)
        self._tasks: set[asyncio.Task[None]] = set()

    def say(self, message: Message, text: str) -> None:
        """Say a sentence, unless this person has had many."""
        if self._often.take(sender_of(message)):
            self._start(message, text)

    def say_now_and_then(self, message: Message, text: str) -> None:
        """Say a sentence that many messages in a row would get."""
        if self._rarely.take(sender_of(message)):
            self._start(message, text)

    async def stop(self) -> None:
        """Give up what was not said yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, message: Message, text: str) -> None:
        task = asyncio.create_task(say(self._bot, message, text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def say(bot: Bot, message: Message, text: str) -> None:
    """Reply to a message with a sentence."""
    to = ReplyParameters(message.message_id, allow_sending_without_reply=True)
    thread = message.message_thread_id if message.is_topic_message else None
    await deliver(
        lambda: bot.send_message(
            message.chat.id, text, reply_parameters=to, message_thread_id=thread
        )
    )
