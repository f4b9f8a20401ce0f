"""Who may ask, how often, and who is an admin."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from telegram import Bot, Chat, Message, MessageEntity, Update
from telegram.constants import ChatMemberStatus, ChatType
from telegram.ext import ApplicationHandlerStop, ContextTypes

from bot.answering.incoming import command_of, is_from_bot, is_private, language_of, sender_of
from bot.answering.services import Services
from bot.telegram.token_bucket import TokenBucket
from bot.words.catalogue import words_for

log = logging.getLogger(__name__)

_BURST, _PER_SECOND = 20, 0.5  # commands and other words, a person
_PRESS_BURST, _PRESSES_PER_SECOND = 100, 2.0  # buttons; an album has many
_KNOWN_SECONDS = 60.0  # that who is an admin is remembered
_FAILURE_SECONDS = 5.0  # that Telegram is not asked again after it did not say
_ASKED_AT_ONCE = 8  # of the connections, which others need too
_THEIR_OWN = ("forget", "privacy")
_ASKING = (MessageEntity.BOT_COMMAND, MessageEntity.MENTION, MessageEntity.TEXT_MENTION)
_ADMINS = (ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.OWNER)


class Gate:
    """Gets each update first; lets those pass that are to be handled."""

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self._users = settings.allowed_users
        self._is_open = not settings.allowed_users and not settings.allowed_chats
        self._chats = services.chats
        self._notices = services.notices
        self._words = TokenBucket(_BURST, _PER_SECOND)
        self._presses = TokenBucket(_PRESS_BURST, _PRESSES_PER_SECOND)

    async def check(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Raise ApplicationHandlerStop for who may not ask, or asks too often."""
        message, query = update.message, update.callback_query
        if message is not None and is_from_bot(message):  # two bots would answer for ever
            raise ApplicationHandlerStop
        if not self._is_allowed(update) and not _asks_for_their_own(message, context.bot):
            if message is not None and is_private(message):
                words = words_for(language_of(message))
                text = words.private.format(person=sender_of(message))
                self._notices.say_now_and_then(message, text)
            raise ApplicationHandlerStop
        if query is not None and not self._presses.take(query.from_user.id):
            raise ApplicationHandlerStop
        takes_one = message is not None and _takes_an_answer(message)
        if message is not None and takes_one and not self._words.take(sender_of(message)):
            raise ApplicationHandlerStop

    def _is_allowed(self, update: Update) -> bool:
        if self._is_open:
            return True
        user, chat, message = update.effective_user, update.effective_chat, update.message
        before = message.migrate_from_chat_id if message is not None else None
        return (
            (user is not None and user.id in self._users)
            or (chat is not None and self._chats.is_allowed(chat.id))
            or (before is not None and self._chats.is_allowed(before))
        )


def _asks_for_their_own(message: Message | None, bot: Bot) -> bool:
    """Whether a message asks what is kept of its sender, or to forget it.

    Whoever was answered once may, whether they are still or not.
    """
    if message is None or message.text is None:  # such a command in a caption is none
        return False
    return command_of(message, bot) in _THEIR_OWN


def _takes_an_answer(message: Message) -> bool:
    """Whether a message in words may be answered; photos have a share of their own."""
    if message.text is None:
        return False
    kinds = {entity.type for entity in message.entities}
    return is_private(message) or not kinds.isdisjoint(_ASKING)


class Admins:
    """Who is an admin of a group, asked of Telegram and known for a minute."""

    def __init__(self, bot: Bot, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bot = bot
        self._clock = clock
        self._known: dict[tuple[int, int], tuple[float, bool]] = {}  # until when, and what
        self._asking: dict[tuple[int, int], asyncio.Task[bool]] = {}
        self._slots = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def may_decide(self, message: Message) -> bool:
        """Whether who wrote a message in a group is one of its admins."""
        if message.sender_chat is not None:  # an admin who stays anonymous speaks as the group
            return message.sender_chat.id == message.chat.id
        return message.from_user is not None and await self.is_admin(
            message.chat, message.from_user.id
        )

    async def is_admin(self, chat: Chat, person: int) -> bool:
        """Whether a person is an admin of a chat; False if Telegram does not say.

        Whoever stops waiting for it leaves the question to be answered for the next time.
        """
        if chat.type not in (ChatType.GROUP, ChatType.SUPERGROUP):
            return False
        now = self._clock()
        self._known = {key: known for key, known in self._known.items() if now < known[0]}
        key = (chat.id, person)
        if key in self._known:
            return self._known[key][1]
        if key not in self._asking:
            task = self._asking[key] = asyncio.create_task(self._ask(key))
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(self._asking[key])

    async def _ask(self, key: tuple[int, int]) -> bool:
        async with self._slots:
            try:
                member = await self._bot.get_chat_member(*key)
                is_admin, known_for = member.status in _ADMINS, _KNOWN_SECONDS
            except Exception as error:  # Telegram's doing, or an answer that cannot be read
                log.info("who is an admin could not be asked (%s)", type(error).__name__)
                is_admin, known_for = False, _FAILURE_SECONDS
        self._known[key] = (self._clock() + known_for, is_admin)
        return is_admin
