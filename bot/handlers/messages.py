"""Which message is whose: photos, and what is said about them."""

from __future__ import annotations

import logging
from dataclasses import replace

from telegram import Message, Update
from telegram.error import TelegramError
from telegram.ext import ContextTypes

from bot.answering.incoming import (
    NotAPhoto,
    Photo,
    is_addressed,
    is_command,
    is_private,
    is_reply_to,
    language_of,
    mentions,
    photo_of,
    purpose_of,
    quoted_photo,
    replied_to,
    sender_of,
)
from bot.answering.photo_queue import PhotoQueue
from bot.answering.services import Services
from bot.store import records
from bot.store.records import Purpose
from bot.words import replies
from bot.words.catalogue import words_for
from core.store.database import StoreUnusable

log = logging.getLogger(__name__)


class Messages:
    """Takes in photos, and commands that point at photos."""

    def __init__(self, services: Services, photo_queue: PhotoQueue) -> None:
        self._services = services
        self._notices = services.notices
        self._photo_queue = photo_queue

    async def message(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Take in a photo; say of anything else that it is none, if the bot was spoken to."""
        message = update.message
        assert message is not None
        is_asked = is_private(message) or is_addressed(message, context.bot)
        found = photo_of(message)
        if isinstance(found, Photo):
            purpose = purpose_of(message, context.bot) or Purpose.WHAT
            if message.sticker is None:  # not every sticker of a group is meant as a photo
                is_asked = is_asked or self._services.chats.is_auto(message.chat.id)
            await self._photo_queue.take(message, found, purpose=purpose, is_asked=is_asked)
        elif found is not None and message.media_group_id is not None:
            await self._photo_queue.take_other(message, found, is_asked=is_asked)
        elif is_asked:
            await self._talk(message, found, context)

    async def what(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Predict the photo that /what replies to."""
        message = update.message
        assert message is not None
        photo = _pointed_at(message, context.bot.id)
        if isinstance(photo, Photo):
            await self._photo_queue.take(message, photo)
        elif photo is not None:
            self._say_what_it_is(message, photo)
        else:
            self._notices.say(message, words_for(language_of(message)).what_usage)

    async def why(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Explain the photo that /why replies to, or whose answer it replies to, or the last."""
        message = update.message
        assert message is not None
        photo = _pointed_at(message, context.bot.id)
        if isinstance(photo, NotAPhoto):
            self._say_what_it_is(message, photo)
            return
        if photo is None:
            photo = await self._answered_before(message)
        else:
            photo = await self._with_position(message, photo)
        if photo is None:
            self._notices.say(message, words_for(language_of(message)).why_usage)
        else:
            await self._photo_queue.take(message, photo, purpose=Purpose.WHY)

    async def moved(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.message
        assert message is not None
        old, new = message.chat.id, message.migrate_to_chat_id
        if message.migrate_from_chat_id is not None:
            old, new = message.migrate_from_chat_id, message.chat.id
        if new is not None:
            await self._services.chats.moved(old, new, language_of(message))

    async def error(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Log what no handler caught, and answer whoever waits."""
        message = update.message if isinstance(update, Update) else None
        words = words_for(language_of(message) if message is not None else None)
        if isinstance(context.error, StoreUnusable):
            log.error("an update could not be handled: %s", context.error)
            text = words.no_room
        else:
            log.error("an update failed", exc_info=context.error)
            text = words.trouble
        self._services.metrics.bugs.inc()
        if message is None or isinstance(context.error, TelegramError):
            return
        say = self._notices.reply if is_command(message) else self._notices.say
        say(message, text)

    async def _talk(
        self, message: Message, found: NotAPhoto | None, context: ContextTypes.DEFAULT_TYPE
    ) -> None:
        """Answer a message to the bot that holds no photo."""
        is_mention = mentions(message, context.bot)
        if is_mention and not is_private(message):
            pointed = _pointed_at(message, context.bot.id)
            if isinstance(pointed, Photo):  # "@catdog_bot?" in reply to somebody's photo
                await self._photo_queue.take(message, pointed)
                return
        # who talks with the bot, or about its answer, hears once in a while what it is for
        is_talk = not is_mention and not is_command(message)
        say = self._notices.say_once_in_a_while if is_talk else self._notices.say
        words = words_for(language_of(message))
        if found is None:
            kinds = replies.kinds(words, self._services.pool.manifest)
            say(message, words.hint.format(kinds=kinds))
        elif is_reply_to(message, context.bot.id):
            say(message, getattr(words, found))
        else:
            self._say_what_it_is(message, found)

    async def _answered_before(self, message: Message) -> Photo | None:
        """Return the photo whose answer a message replies to; in private, else the last one."""
        chat, person = message.chat.id, sender_of(message)
        answer = replied_to(message)
        if answer is not None:
            number = answer.message_id
            found = await self._services.store.run(records.find_answered, chat, number)
        elif is_private(message):
            found = await self._services.store.run(records.last_photo, chat, person)
        else:
            return None
        if found is None:
            return None
        return Photo(
            found.message,
            found.author,
            found.file_id,
            found.size,
            spoiler=found.spoiler,
            position=found.position,
        )

    async def _with_position(self, message: Message, photo: Photo) -> Photo:
        """Return the photo that a message replies to with its position in its album."""
        chat, replied = message.chat.id, replied_to(message)
        if replied is None or replied.media_group_id is None:
            return photo
        found = await self._services.store.run(records.find_message, chat, photo.message)
        return photo if found is None else replace(photo, position=found.position)

    def _say_what_it_is(self, message: Message, what: NotAPhoto) -> None:
        text: str = getattr(words_for(language_of(message)), what)
        self._notices.say(message, text)


def _pointed_at(message: Message, bot: int) -> Photo | NotAPhoto | None:
    """Return the photo that a message replies to, in this chat or, quoted, in another."""
    replied = replied_to(message)
    if replied is None:
        return quoted_photo(message)
    return None if is_reply_to(message, bot) else photo_of(replied)
