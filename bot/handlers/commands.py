"""The commands, but for those about a photo."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from telegram import Message, Update
from telegram.ext import Application, CommandHandler, ContextTypes, filters

from bot.answering.chats import Chats
from bot.answering.incoming import is_private, language_of, sender_of
from bot.answering.inference import InferencePool
from bot.answering.notices import Notices
from bot.answering.photo_queue import PhotoQueue
from bot.background_tasks import BackgroundTasks
from bot.handlers.access import Admins
from bot.handlers.donated_photos import DonatedPhotos
from bot.store import opinions, records
from bot.store.forgotten import Forgotten
from bot.store.opinions import Consent
from bot.store.thread import StoreThread
from bot.words import replies
from bot.words.catalogue import Words, words_for
from core.labels import UNSURE
from core.model.wording import percent
from core.store.database import StoreUnusable

log = logging.getLogger(__name__)


class Commands:
    """Answers /start, /help, /stats, /model, /privacy, /forget and /auto."""

    def __init__(
        self,
        store: StoreThread,
        pool: InferencePool,
        chats: Chats,
        admins: Admins,
        notices: Notices,
        background: BackgroundTasks,
        photo_queue: PhotoQueue,
        donated: DonatedPhotos,
        forgotten: Forgotten,
        *,
        asks_for_photos: bool,
    ) -> None:
        self._notices = notices
        self._background = background
        self._photo_queue = photo_queue
        self._donated = donated
        self._forgotten = forgotten
        self._store = store
        self._pool = pool
        self._chats = chats
        self._admins = admins
        self._asks_for_photos = asks_for_photos

    def register(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """Tell the application which command is whose."""
        commands: dict[str, Callable[..., Any]] = {
            "start": self.start,
            "help": self.help,
            "stats": self.stats,
            "model": self.model,
            "privacy": self.privacy,
            "forget": self.forget,
            "auto": self.auto,
        }
        for name, command in commands.items():
            application.add_handler(
                CommandHandler(name, command, filters=filters.UpdateType.MESSAGE)
            )

    async def start(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        kinds = replies.kinds(words, self._pool.manifest)
        self._notices.reply(message, words.start.format(kinds=kinds))

    async def help(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        kinds = replies.kinds(words, self._pool.manifest)
        mention = f"@{context.bot.username}"
        self._notices.reply(message, words.help.format(kinds=kinds, mention=mention))

    async def stats(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        tallies = await self._store.run(records.tallies)
        self._notices.reply(message, self._stats(words, tallies))

    async def model(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        manifest = self._pool.manifest
        lines = [
            words.model.format(
                version=manifest.version,
                created=manifest.created[:10],
                kinds=replies.kinds(words, manifest),
                threshold=percent(self._pool.threshold),
            )
        ]
        figures = manifest.metrics.get("test") or manifest.metrics.get("validation")
        if figures:
            accuracy = f"{figures['accuracy'] * 100:.1f} %"
            lines.append(words.model_figures.format(photos=figures["photos"], accuracy=accuracy))
        self._notices.reply(message, "\n".join(lines))

    async def privacy(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        text = words.privacy.format(days=records.KEPT_DAYS)
        if self._asks_for_photos:
            person = sender_of(message)
            consent = await self._store.run(lambda db: opinions.consent_of(db, person))
            kept = words.photo_too if consent is Consent.PHOTO else words.only_answer
            text += "\n\n" + words.privacy_now.format(consent=kept[:1].lower() + kept[1:])
        else:
            text += "\n\n" + words.privacy_off
        self._notices.reply(message, text)

    async def forget(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        person = sender_of(message)
        self._photo_queue.forget(person)
        self._forgotten.note(person)
        number, files = await self._store.run(lambda db: opinions.forget(db, person))
        await self._donated.written(person)
        await asyncio.to_thread(_delete, files)
        await self._store.erase()
        text = words.forgotten.format(number=number) if number else words.nothing_to_forget
        self._notices.reply(message, text)

    async def auto(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        choice = (context.args or [""])[0].lower()
        if is_private(message):
            self._notices.reply(message, words.auto_groups)
        elif choice not in ("on", "off"):
            self._notices.reply(message, words.auto_usage)
        else:  # it takes asking Telegram, which may have to wait for its turn
            self._background.run(
                message.chat.id, lambda: self._set_auto(message, words, choice == "on", context)
            )

    async def _set_auto(
        self, message: Message, words: Words, on: bool, context: ContextTypes.DEFAULT_TYPE
    ) -> None:
        if not await self._admins.may_decide(message):
            self._notices.reply(message, words.auto_admins)
            return
        try:
            await self._chats.set_auto(message.chat.id, on)
        except StoreUnusable as error:  # no handler is there any more to catch it
            log.error("a command could not be followed: %s", error)
            self._notices.reply(message, words.no_room)
            return
        text = words.auto_on if on else words.auto_off
        if on and not await self._sees_all(message, context):
            text = f"{text}\n{words.auto_hidden}"
        self._notices.reply(message, text)

    async def _sees_all(self, message: Message, context: ContextTypes.DEFAULT_TYPE) -> bool:
        """Tell whether Telegram shows the bot all of a group's messages."""
        if context.bot.can_read_all_group_messages:
            return True
        return await self._admins.is_admin(message.chat, context.bot.id)

    def _stats(self, words: Words, tallies: dict[str, int]) -> str:
        photos = tallies.get("photos", 0)
        if not photos:
            return words.no_stats
        lines = []
        for seen in self._pool.manifest.classes:
            times = tallies.get(f"label:{seen.label}", 0)
            lines.append((replies.tally(words, seen), times))
        lines.append((words.stats_unsure, tallies.get(f"label:{UNSURE}", 0)))
        labels = ", ".join(words.stats_line.format(name=name, times=times) for name, times in lines)
        text = words.stats.format(photos=photos, labels=labels)
        judged = tallies.get("judged", 0)
        if judged:
            right = tallies.get("judged-right", 0)
            text += "\n" + words.stats_feedback.format(feedback=judged, right=right)
        return text


def _asked(update: Update) -> tuple[Message, Words]:
    message = update.message
    assert message is not None  # the filter lets nothing else through
    return message, words_for(language_of(message))


def _delete(files: list[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
