"""What the bot does with each message: download, await the prediction, reply."""

from __future__ import annotations

import logging
from typing import Any

from telegram import Document, Message, PhotoSize, Update
from telegram.error import TelegramError
from telegram.ext import Application, CommandHandler, ContextTypes, MessageHandler, filters

from bot import replies
from bot.inference import InferencePool
from core.errors import UnreadableImage
from core.manifest import Manifest
from core.photos import is_photo_name
from core.prediction import decide

log = logging.getLogger(__name__)


class _ImageFile(filters.MessageFilter):
    """Documents that say, by type or name, that they are images."""

    def filter(self, message: Message) -> bool:
        document = message.document
        if document is None:
            return False
        by_type = (document.mime_type or "").startswith("image/")
        return by_type or is_photo_name(document.file_name or "")


class Handlers:
    """The bot's answers, given a model."""

    def __init__(self, manifest: Manifest, inference: InferencePool, threshold: float) -> None:
        self._manifest = manifest
        self._inference = inference
        self._threshold = threshold

    def register(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """Tell the application which messages are for whom; edits and channels are for nobody."""
        new = filters.UpdateType.MESSAGE
        application.add_handler(CommandHandler(["start", "help"], self.start, filters=new))
        application.add_handler(MessageHandler(new & (filters.PHOTO | _ImageFile()), self.photo))
        application.add_error_handler(self.error)

    async def start(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer /start and /help."""
        assert update.message is not None
        await update.message.reply_text(replies.greeting(self._manifest))

    async def photo(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer a photo, or an image sent as a file, with a reply to it."""
        message = update.message
        assert message is not None
        attachment = _image_of(message)
        if (attachment.file_size or 0) > replies.MAX_MEGABYTES * 2**20:
            await _reply(message, replies.TOO_BIG)
            return
        try:
            file = await attachment.get_file()
            content = await file.download_as_bytearray()
        except TelegramError as error:
            log.warning("a photo could not be fetched: %s", type(error).__name__)
            await _reply(message, replies.TRY_AGAIN)
            return
        try:
            prediction = await self._inference.predict(bytes(content))
        except UnreadableImage as error:
            await _reply(message, replies.unreadable(error.code))
            return
        decision = decide(prediction, self._threshold)
        await _reply(message, replies.answer(decision, self._manifest))

    async def error(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Log what no handler caught, and tell whoever waits for an answer."""
        log.error("an update failed", exc_info=context.error)
        message = update.message if isinstance(update, Update) else None
        if message is not None and not isinstance(context.error, TelegramError):
            await _reply(message, replies.TRY_AGAIN)


def _image_of(message: Message) -> PhotoSize | Document:
    if message.photo:
        return message.photo[-1]  # the largest
    assert message.document is not None  # the filter lets nothing else through
    return message.document


async def _reply(message: Message, text: str) -> None:
    await message.reply_text(text, do_quote=True)
