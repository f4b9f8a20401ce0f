"""Sentences that are not about what a photo shows; nobody waits for them to be sent."""

from __future__ import annotations

from telegram import Message, ReplyParameters
from telegram.error import ChatMigrated
from telegram.ext import ExtBot

from bot.answering.incoming import sender_of
from bot.background_tasks import BackgroundTasks
from bot.telegram.delivery import Delivery, deliver
from bot.telegram.token_bucket import TokenBucket

_REFUSAL_SECONDS = 10.0  # between sentences to one person about what was not taken
_BURST, _PER_SECOND = 5, 0.2  # other sentences, a person
_TALK_SECONDS = 3600.0  # between sentences to one person in a chat who only talks


class Notices:
    """Says sentences in reply to messages, not too many to one person or chat."""

    def __init__(self, bot: ExtBot[Delivery], background: BackgroundTasks) -> None:
        self._bot = bot
        self._background = background
        self._refusals = TokenBucket(1, 1 / _REFUSAL_SECONDS)
        self._others = TokenBucket(_BURST, _PER_SECOND)
        self._talks = TokenBucket(1, 1 / _TALK_SECONDS)

    def reply(self, message: Message, text: str) -> None:
        """Say what was asked for by a command."""
        self._background.run(message.chat.id, lambda: self._reply(message, text))

    def say(self, message: Message, text: str) -> None:
        """Say a sentence, unless this person has had many."""
        if self._others.take(sender_of(message)):
            self.reply(message, text)

    def say_now_and_then(self, message: Message, text: str) -> None:
        """Say a sentence that many messages in a row would get."""
        if self._refusals.take(sender_of(message)):
            self.reply(message, text)

    def say_once_in_a_while(self, message: Message, text: str) -> None:
        """Say a sentence to who talks, and may not want an answer to each word."""
        if self._talks.take((message.chat.id, sender_of(message))):
            self.say(message, text)

    def announce(self, chat: int, text: str) -> None:
        """Say a sentence that nobody asked for."""
        self._background.run(chat, lambda: self._send(chat, text))

    async def _reply(self, message: Message, text: str) -> None:
        thread = message.message_thread_id if message.is_topic_message else None
        try:
            await self._send(message.chat.id, text, message.message_id, thread)
        except ChatMigrated as error:  # the number of the message is another's there
            await self._send(error.new_chat_id, text)

    async def _send(
        self, chat: int, text: str, reply_to: int | None = None, thread: int | None = None
    ) -> None:
        to = ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to else None
        delivery = Delivery()
        await deliver(
            lambda: self._bot.send_message(
                chat, text, reply_parameters=to, message_thread_id=thread, rate_limit_args=delivery
            ),
            delivery,
        )
