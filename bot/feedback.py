"""What people say of the answers, by the buttons under them."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable
from typing import Any

from telegram import CallbackQuery, InlineKeyboardMarkup, Message, Update
from telegram.error import BadRequest, TelegramError
from telegram.ext import Application, CallbackQueryHandler, ContextTypes

from bot.access import Admins
from bot.errands import Errands
from bot.keeping import Keeping
from bot.photos.inference import InferencePool
from bot.service.metrics import Metrics
from bot.store import opinions, records
from bot.store.opinions import Consent
from bot.store.records import Record
from bot.store.thread import StoreThread
from bot.words import replies
from bot.words.buttons import Button, Press, consent_buttons, label_buttons, read_press
from bot.words.catalogue import Words, words_for

log = logging.getLogger(__name__)

_SAID = " ✎ "  # between an answer and what the person says
_ASIDE = "\n\n"  # between the answers and a question


class FeedbackButtons:
    """Takes down what was pressed, shows that it was, and asks once what may be kept."""

    def __init__(
        self,
        store: StoreThread,
        pool: InferencePool,
        keeping: Keeping,
        admins: Admins,
        errands: Errands,
        metrics: Metrics,
        *,
        asks_for_photos: bool,
    ) -> None:
        self._store = store
        self._pool = pool
        self._keeping = keeping
        self._admins = admins
        self._errands = errands
        self._metrics = metrics
        self._asks_for_photos = asks_for_photos
        self._showing: dict[tuple[int, int], asyncio.Lock] = {}

    def register(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """Tell the application whose the buttons are."""
        application.add_handler(CallbackQueryHandler(self.pressed))

    async def pressed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Handle a button that was pressed; it takes asking and telling Telegram."""
        query = update.callback_query
        assert query is not None
        self._errands.run(("press", query.from_user.id), lambda: self._press(query), most=30)

    async def _press(self, query: CallbackQuery) -> None:
        words = words_for(query.from_user.language_code)
        press = read_press(query.data or "")
        record = await self._find(press)
        if press is None or record is None or record.seen is None:
            await _try(query.answer(words.too_old, show_alert=True))
        elif press.button is Button.CONSENT:
            await self._consent(query, record, press.choice, words)
        elif await self._may_press(query, record):
            await self._label(query, record, press.choice, words)
        else:
            await _try(query.answer(words.not_yours, show_alert=True))

    async def _find(self, press: Press | None) -> Record | None:
        if press is None:
            return None
        if press.button is Button.LABEL and press.choice not in self._pool.manifest.labels:
            return None  # another model's
        return await self._store.run(lambda db: records.find(db, press.row))

    async def _may_press(self, query: CallbackQuery, record: Record) -> bool:
        message, person = query.message, query.from_user.id
        if message is None or message.chat.id != record.asked.chat:
            return False
        if person in (record.asked.person, record.asked.author):
            return True
        return await self._admins.is_admin(message.chat, person)

    async def _label(self, query: CallbackQuery, record: Record, label: str, words: Words) -> None:
        person = query.from_user.id

        def say(db: sqlite3.Connection) -> bool:
            """Keep the label; gives whether the photo may be kept."""
            may_keep = False
            if person == record.asked.author and self._asks_for_photos:
                may_keep = opinions.consent_of(db, person) is Consent.PHOTO
                opinions.ask_consent(db, person, record.id)
            now = records.find(db, record.id) or record
            if now.feedback is None:
                assert record.seen is not None
                right = ("judged-right",) if label == record.seen.label else ()
                records.count(db, "judged", *right)
            opinions.say(db, now, label, by=person, may_keep=may_keep)
            return may_keep

        may_keep = await self._store.run(say)
        self._metrics.feedback.inc()
        name = replies.said(words, self._pool.manifest, label)
        # only now, when it is on disk, is it said to be noted
        await _try(query.answer(words.noted.format(label=name)))
        await self._show(query, record)
        if may_keep:
            self._keeping.keep(record)

    async def _consent(
        self, query: CallbackQuery, record: Record, choice: str, words: Words
    ) -> None:
        person = query.from_user.id
        if person != record.asked.author or choice not in (Consent.ANSWER, Consent.PHOTO):
            await _try(query.answer(words.not_yours, show_alert=True))
            return
        may_keep = choice == Consent.PHOTO and self._asks_for_photos

        def keep(db: sqlite3.Connection) -> None:
            opinions.set_consent(db, person, Consent.PHOTO if may_keep else Consent.ANSWER)
            if may_keep:
                opinions.allow_photo(db, record.id)

        await self._store.run(keep)
        kept = words.photo_too if may_keep else words.only_answer
        await _try(query.answer(words.privacy_now.format(consent=kept[:1].lower() + kept[1:])))
        await self._show(query, record)
        if may_keep:
            self._keeping.keep(record)

    async def _show(self, query: CallbackQuery, record: Record) -> None:
        """Update the answer: what was said of each photo, and the question if it is open.

        One change of a message at a time, each made of what is in the store by then: the last
        shows how it is.
        """
        message = query.message
        if not isinstance(message, Message) or message.text is None:
            return  # too old for Telegram to show it
        key = (message.chat.id, message.message_id)
        lock = self._showing.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                shown = await self._store.run(lambda db: self._shown(db, message, record))
                await _try(query.edit_message_text(shown[0], reply_markup=shown[1]))
        finally:
            if not lock.locked():
                self._showing.pop(key, None)

    def _shown(
        self, db: sqlite3.Connection, message: Message, record: Record
    ) -> tuple[str, InlineKeyboardMarkup | None]:
        words, manifest = words_for(record.asked.language), self._pool.manifest
        answered = records.answered_with(db, record)
        rows = [one.id if one.seen else None for one in answered]
        chosen = {}
        for one in answered:
            label = opinions.said_of(db, one)
            if label is not None and label in manifest.labels:
                chosen[one.id] = label
        lines = (message.text or "").partition(_ASIDE)[0].split("\n")
        if len(lines) == len(rows):
            for number, row in enumerate(rows):
                line = lines[number].partition(_SAID)[0]
                if row in chosen:
                    name = replies.said(words, manifest, chosen[row])
                    line += _SAID + words.you_say.format(label=name)
                lines[number] = line
        text = "\n".join(lines)
        asked_at = opinions.is_asked_at(db, record.asked.author, [one.id for one in answered])
        if asked_at is not None and self._asks_for_photos:
            return text + _ASIDE + words.ask_consent, consent_buttons(words, asked_at)
        return text, label_buttons(words, manifest, rows, chosen)


async def _try(call: Awaitable[object]) -> None:
    """Make a call that only shows something; the press may be too old, the message gone."""
    try:
        await call
    except BadRequest as error:
        log.debug("a press could not be shown (%s)", error)
    except TelegramError as error:
        log.info("a press could not be shown (%s)", type(error).__name__)
