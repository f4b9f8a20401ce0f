"""Sentences that are not about what a photo shows; nobody waits for them to be sent."""

from __future__ import annotations

from telegram import Bot, Message, ReplyParameters
from telegram.error import ChatMigrated

from bot.answering.incoming import sender_of
from bot.background_tasks import BackgroundTasks
from bot.telegram.delivery import deliver
from bot.telegram.token_bucket import TokenBucket

_EVERY = 10.0  # seconds between sentences to one person about what was not taken
_BURST, _PER_SECOND = 5, 0.2  # other sentences, a person
_SELDOM = 3600.0  # seconds between sentences to one person in a chat who only talks


class Notices:
    """Says sentences in reply to messages, not too many to one person or chat."""

    def __init__(self, bot: Bot, background: BackgroundTasks) -> None:
        self._bot = bot
        self._background = background
        self._rarely = TokenBucket(1, 1 / _EVERY)
        self._often = TokenBucket(_BURST, _PER_SECOND)
        self._seldom = TokenBucket(1, 1 / _SELDOM)

    def reply(self, message: Message, text: str) -> None:
        """Say what was asked for by a command."""
        self._background.run(message.chat.id, lambda: self._say(message, text))

    def say(self, message: Message, text: str) -> None:
        """Say a sentence, unless this person has had many."""
        if self._often.take(sender_of(message)):
            self.reply(message, text)

    def say_now_and_then(self, message: Message, text: str) -> None:
        """Say a sentence that many messages in a row would get."""
        if self._rarely.take(sender_of(message)):
            self.reply(message, text)

    def say_once_in_a_while(self, message: Message, text: str) -> None:
        """Say a sentence to who talks, and may not want an answer to each word."""
        if self._seldom.take((message.chat.id, sender_of(message))):
            self.say(message, text)

    def tell(self, chat: int, text: str) -> None:
        """Say a sentence that nobody asked for."""
        self._background.run(chat, lambda: deliver(lambda: self._bot.send_message(chat, text)))

    async def _say(self, message: Message, text: str) -> None:
        to = ReplyParameters(message.message_id, allow_sending_without_reply=True)
        thread = message.message_thread_id if message.is_topic_message else None
        try:
            await deliver(
                lambda: self._bot.send_message(
                    message.chat.id, text, reply_parameters=to, message_thread_id=thread
                )
            )
        except ChatMigrated as error:  # the number of the message is another's there
            new = error.new_chat_id
            await deliver(lambda: self._bot.send_message(new, text))
