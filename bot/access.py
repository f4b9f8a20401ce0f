"""Who may ask, how often, and who is an admin."""

from __future__ import annotations

import time
from collections.abc import Callable

from telegram import Bot, Chat, Message, MessageEntity, Update
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import TelegramError
from telegram.ext import ApplicationHandlerStop, ContextTypes

from bot.photos.incoming import is_private, language_of, sender_of
from bot.photos.notices import Notices
from bot.photos.rates import Allowance
from bot.settings import BotSettings
from bot.words.catalogue import words_for

_BURST, _PER_SECOND = 20, 0.5  # commands and other words, a person
_PRESS_BURST, _PRESSES_PER_SECOND = 100, 2.0  # buttons; an album has many
_REMEMBERED = 60.0  # seconds that who is an admin is known for
_ASKING = (MessageEntity.BOT_COMMAND, MessageEntity.MENTION, MessageEntity.TEXT_MENTION)
_ADMINS = (ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.OWNER)


class Gate:
    """The first to see an update; lets those pass that are to be handled."""

    def __init__(self, settings: BotSettings, notices: Notices) -> None:
        self._users = settings.allowed_users
        self._chats = settings.allowed_chats
        self._notices = notices
        self._words = Allowance(_BURST, _PER_SECOND)
        self._presses = Allowance(_PRESS_BURST, _PRESSES_PER_SECOND)

    async def check(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Raise ApplicationHandlerStop for who may not ask, or asks too often."""
        message, query = update.message, update.callback_query
        if not self._is_allowed(update):
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
        if not self._users and not self._chats:
            return True
        user, chat = update.effective_user, update.effective_chat
        return (user is not None and user.id in self._users) or (
            chat is not None and chat.id in self._chats
        )


def _takes_an_answer(message: Message) -> bool:
    """Tell whether a message in words may be answered; photos have a share of their own."""
    if message.text is None:
        return False
    kinds = {entity.type for entity in message.entities}
    return is_private(message) or not kinds.isdisjoint(_ASKING)


class Admins:
    """Who is an admin of a group, asked of Telegram and known for a minute."""

    def __init__(self, bot: Bot, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bot = bot
        self._clock = clock
        self._known: dict[tuple[int, int], tuple[float, bool]] = {}

    async def may_decide(self, message: Message) -> bool:
        """Tell whether who wrote a message in a group is one of its admins."""
        if message.sender_chat is not None:  # an admin who stays anonymous speaks as the group
            return message.sender_chat.id == message.chat.id
        return message.from_user is not None and await self.is_admin(
            message.chat, message.from_user.id
        )

    async def is_admin(self, chat: Chat, person: int) -> bool:
        """Tell whether a person is an admin of a chat; False if Telegram does not say."""
        if chat.type not in (ChatType.GROUP, ChatType.SUPERGROUP):
            return False
        now = self._clock()
        self._known = {
            key: known for key, known in self._known.items() if now - known[0] < _REMEMBERED
        }
        key = (chat.id, person)
        if key not in self._known:
            try:
                member = await self._bot.get_chat_member(chat.id, person)
            except TelegramError:
                return False
            self._known[key] = (now, member.status in _ADMINS)
        return self._known[key][1]
