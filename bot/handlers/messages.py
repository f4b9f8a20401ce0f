"""Which message is whose: photos, and what is said about them."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from telegram import Message, Update
from telegram.error import TelegramError
from telegram.ext import Application, CommandHandler, ContextTypes, MessageHandler, filters

from bot.answering.chats import Chats
from bot.answering.incoming import (
    Attachment,
    NotAPhoto,
    Pointed,
    attachment_of,
    command_of,
    is_addressed,
    is_command,
    is_private,
    is_reply_to,
    language_of,
    mentions,
    sender_of,
)
from bot.answering.inference import InferencePool
from bot.answering.notices import Notices
from bot.answering.photo_queue import PhotoQueue
from bot.service.metrics import Metrics
from bot.store import records
from bot.store.records import Purpose
from bot.store.thread import StoreThread
from bot.words import replies
from bot.words.catalogue import words_for
from core.store.database import StoreUnusable

log = logging.getLogger(__name__)

_NOBODY = 0  # whose photo a quoted one is, nobody here knows


class Handlers:
    """Takes in photos, and commands that point at photos."""

    def __init__(
        self,
        photo_queue: PhotoQueue,
        notices: Notices,
        chats: Chats,
        store: StoreThread,
        pool: InferencePool,
        metrics: Metrics,
    ) -> None:
        self._photo_queue = photo_queue
        self._notices = notices
        self._chats = chats
        self._store = store
        self._pool = pool
        self._metrics = metrics

    def register(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """Tell the application which messages are for whom; edits and channels are for nobody."""
        new = filters.UpdateType.MESSAGE
        application.add_handler(CommandHandler("what", self.what, filters=new))
        application.add_handler(CommandHandler("why", self.why, filters=new))
        application.add_handler(MessageHandler(new & filters.StatusUpdate.MIGRATE, self.moved))
        # what the commands' handlers did not take, in a group, may be another bot's
        others = ~filters.COMMAND | filters.ChatType.PRIVATE
        application.add_handler(
            MessageHandler(new & ~filters.StatusUpdate.ALL & others, self.message)
        )
        application.add_error_handler(self.error)

    async def message(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Take in a photo; say of anything else that it is none, if the bot was spoken to."""
        message = update.message
        assert message is not None
        is_asked = is_private(message) or is_addressed(message, context.bot)
        found = attachment_of(message)
        if isinstance(found, Attachment):
            purpose = command_of(message, context.bot) or Purpose.WHAT
            if message.sticker is None:  # not every sticker of a group is meant to be looked at
                is_asked = is_asked or self._chats.is_auto(message.chat.id)
            await self._photo_queue.take(message, found, purpose=purpose, is_asked=is_asked)
            return
        if found is not None and message.media_group_id is not None:
            await self._photo_queue.take_other(message, found, is_asked=is_asked)
            return
        if not is_asked:
            return
        if not is_private(message) and mentions(message, context.bot):
            pointed = _pointed_at(message, context.bot.id)
            if isinstance(pointed, Pointed):  # "@catdog_bot?" in reply to somebody's photo
                await self._take(message, pointed, Purpose.WHAT)
                return
        # who talks with the bot, or about its answer, is told once in a while what it is for
        is_chat = not mentions(message, context.bot) and not is_command(message)
        say = self._notices.say_once_in_a_while if is_chat else self._notices.say
        words = words_for(language_of(message))
        if found is None:
            kinds = replies.kinds(words, self._pool.manifest)
            say(message, words.hint.format(kinds=kinds))
        elif is_reply_to(message, context.bot.id):
            say(message, getattr(words, found))
        else:
            self._say_what_it_is(message, found)

    async def what(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Look at the photo that /what replies to."""
        message = update.message
        assert message is not None
        pointed = _pointed_at(message, context.bot.id)
        if isinstance(pointed, Pointed):
            await self._take(message, pointed, Purpose.WHAT)
        elif pointed is not None:
            self._say_what_it_is(message, pointed)
        else:
            self._notices.say(message, words_for(language_of(message)).what_usage)

    async def why(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Explain the photo that /why replies to, or whose answer it replies to, or the last."""
        message = update.message
        assert message is not None
        pointed = _pointed_at(message, context.bot.id)
        if isinstance(pointed, NotAPhoto):
            self._say_what_it_is(message, pointed)
            return
        if pointed is None:
            pointed = await self._answered_before(message)
        else:
            pointed = await self._with_number(message, pointed)
        if pointed is None:
            self._notices.say(message, words_for(language_of(message)).why_usage)
            return
        await self._take(message, pointed, Purpose.WHY)

    async def moved(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Follow a group that becomes a supergroup."""
        message = update.message
        assert message is not None
        old, new = message.chat.id, message.migrate_to_chat_id
        if message.migrate_from_chat_id is not None:
            old, new = message.migrate_from_chat_id, message.chat.id
        if new is not None:
            await self._chats.moved(old, new, language_of(message))

    async def error(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Log what no handler caught, and tell whoever waits for an answer."""
        message = update.message if isinstance(update, Update) else None
        words = words_for(language_of(message) if message is not None else None)
        if isinstance(context.error, StoreUnusable):
            log.error("an update could not be handled: %s", context.error)
            text = words.no_room
        else:
            log.error("an update failed", exc_info=context.error)
            text = words.trouble
        self._metrics.bugs.inc()
        if message is None or isinstance(context.error, TelegramError):
            return
        say = self._notices.reply if is_command(message) else self._notices.say
        say(message, text)

    async def _take(self, message: Message, pointed: Pointed, purpose: Purpose) -> None:
        await self._photo_queue.take(message, pointed.image, pointed=pointed, purpose=purpose)

    async def _answered_before(self, message: Message) -> Pointed | None:
        """Find the photo whose answer a message replies to; in private, else the last one."""
        chat, person = message.chat.id, sender_of(message)
        answer = message.reply_to_message
        if answer is not None and answer.forum_topic_created is None:
            number = answer.message_id
            found = await self._store.run(lambda db: records.find_answered(db, chat, number))
        elif is_private(message):
            found = await self._store.run(lambda db: records.last_photo(db, chat, person))
        else:
            return None
        if found is None:
            return None
        asked = found.asked
        image = Attachment(asked.file_id, asked.size, has_spoiler=asked.has_spoiler)
        return Pointed(asked.message, asked.author, image, asked.position)

    async def _with_number(self, message: Message, pointed: Pointed) -> Pointed:
        """Give the photo that a message replies to the number that it has in its album."""
        chat, replied = message.chat.id, message.reply_to_message
        if replied is None or replied.media_group_id is None:
            return pointed
        found = await self._store.run(lambda db: records.of_message(db, chat, pointed.message))
        return pointed if found is None else replace(pointed, position=found.asked.position)

    def _say_what_it_is(self, message: Message, what: NotAPhoto) -> None:
        text: str = getattr(words_for(language_of(message)), what)
        self._notices.say(message, text)


def _pointed_at(message: Message, bot: int) -> Pointed | NotAPhoto | None:
    """Find the photo that a message replies to, in this chat or, quoted, in another."""
    replied = message.reply_to_message
    if replied is not None and replied.forum_topic_created is None:  # each topic begins with one
        if is_reply_to(message, bot):
            return None
        found = attachment_of(replied)
        if isinstance(found, Attachment):
            return Pointed(replied.message_id, sender_of(replied), found)
        return found
    if message.external_reply is not None:
        found = attachment_of(message.external_reply)
        if isinstance(found, Attachment):
            return Pointed(message.message_id, _NOBODY, found)
        return found
    return None
