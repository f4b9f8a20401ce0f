"""The commands, but for those about a photo."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from telegram import Message, Update
from telegram.ext import ContextTypes

from bot.answering.incoming import is_private, language_of, sender_of
from bot.answering.photo_queue import PhotoQueue
from bot.answering.services import Services
from bot.handlers.access import Admins
from bot.handlers.donated_photos import DonatedPhotos
from bot.store import opinions, records
from bot.store.opinions import Consent
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
        services: Services,
        admins: Admins,
        photo_queue: PhotoQueue,
        donated: DonatedPhotos,
    ) -> None:
        self._services = services
        self._admins = admins
        self._photo_queue = photo_queue
        self._donated = donated

    async def start(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        self._reply(message, words.start.format(kinds=self._kinds(words)))

    async def help(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        mention = f"@{context.bot.username}"
        self._reply(message, words.help.format(kinds=self._kinds(words), mention=mention))

    async def stats(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        tallies = await self._services.store.run(records.tallies)
        photos, judged = tallies.get("photos", 0), tallies.get("judged", 0)
        if not photos:
            self._reply(message, words.no_stats)
            return
        names = {
            one.label: replies.tally_name(words, one)
            for one in self._services.pool.manifest.classes
        }
        labels = ", ".join(
            words.stats_line.format(name=name, times=tallies.get(f"label:{label}", 0))
            for label, name in {**names, UNSURE: words.stats_unsure}.items()
        )
        text = words.stats.format(photos=photos, labels=labels)
        if judged:
            right = tallies.get("judged-right", 0)
            text += "\n" + words.stats_feedback.format(feedback=judged, right=right)
        self._reply(message, text)

    async def model(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        manifest = self._services.pool.manifest
        text = words.model.format(
            version=manifest.version,
            created=manifest.created[:10],
            kinds=self._kinds(words),
            threshold=percent(self._services.pool.threshold),
        )
        figures = manifest.metrics.get("test") or manifest.metrics.get("validation")
        if figures:
            accuracy = f"{figures['accuracy'] * 100:.1f} %"
            text += "\n" + words.model_figures.format(photos=figures["photos"], accuracy=accuracy)
        self._reply(message, text)

    async def privacy(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        text = words.privacy.format(days=records.KEPT_DAYS)
        now = words.privacy_off
        if self._services.settings.asks_for_photos:
            person = sender_of(message)
            consent = await self._services.store.run(opinions.consent_of, person)
            kept = replies.consent(words, may_keep=consent is Consent.PHOTO)
            now = words.privacy_now.format(consent=kept)
        self._reply(message, f"{text}\n\n{now}")

    async def forget(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        person = sender_of(message)
        self._photo_queue.forget(person)
        self._services.forgotten.note(person)
        number, files = await self._services.store.run(opinions.forget, person)
        await self._donated.written(person)
        await asyncio.to_thread(_delete, files)
        await self._services.store.erase()
        text = words.forgotten.format(number=number) if number else words.nothing_to_forget
        self._reply(message, text)

    async def auto(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, words = _asked(update)
        choice = (context.args or [""])[0].lower()
        if is_private(message):
            self._reply(message, words.auto_groups)
        elif choice not in ("on", "off"):
            self._reply(message, words.auto_usage)
        else:  # it takes asking Telegram, which may have to wait for its turn
            is_on = choice == "on"
            self._services.background.run(
                message.chat.id, lambda: self._set_auto(message, words, context, is_on=is_on)
            )

    async def _set_auto(
        self, message: Message, words: Words, context: ContextTypes.DEFAULT_TYPE, *, is_on: bool
    ) -> None:
        if not await self._admins.may_decide(message):
            self._reply(message, words.auto_admins)
            return
        try:
            await self._services.chats.set_auto(message.chat.id, is_on=is_on)
        except StoreUnusable as error:  # no handler is there any more to catch it
            log.error("a command could not be followed: %s", error)
            self._reply(message, words.no_room)
            return
        text = words.auto_on if is_on else words.auto_off
        if is_on and not (
            context.bot.can_read_all_group_messages
            or await self._admins.is_admin(message.chat, context.bot.id)
        ):
            text = f"{text}\n{words.auto_hidden}"
        self._reply(message, text)

    def _kinds(self, words: Words) -> str:
        return replies.kinds(words, self._services.pool.manifest)

    def _reply(self, message: Message, text: str) -> None:
        self._services.notices.reply(message, text)


def _asked(update: Update) -> tuple[Message, Words]:
    message = update.message
    assert message is not None  # the filter lets nothing else through
    return message, words_for(language_of(message))


def _delete(files: list[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
