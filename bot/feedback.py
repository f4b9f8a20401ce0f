"""What people say of the answers, by the buttons under them."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Collection
from typing import Any

from telegram import CallbackQuery, InlineKeyboardMarkup, Message, Update
from telegram.error import BadRequest, TelegramError
from telegram.ext import Application, CallbackQueryHandler, ContextTypes

from bot.access import Admins
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
        metrics: Metrics,
        *,
        asks_for_photos: bool,
    ) -> None:
        self._store = store
        self._pool = pool
        self._keeping = keeping
        self._admins = admins
        self._metrics = metrics
        self._asks_for_photos = asks_for_photos

    def register(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """Tell the application whose the buttons are."""
        application.add_handler(CallbackQueryHandler(self.pressed))

    async def pressed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Handle a button that was pressed."""
        query = update.callback_query
        assert query is not None
        words = words_for(query.from_user.language_code)
        press = read_press(query.data or "")
        record = await self._find(press)
        if press is None or record is None or record.seen is None:
            await _try(query.answer(words.too_old, show_alert=True))
            return
        if not await self._may_press(query, record):
            await _try(query.answer(words.not_yours, show_alert=True))
            return
        if press.button is Button.LABEL:
            await self._label(query, record, press.choice, words)
        else:
            await self._consent(query, record, press.choice, words)

    async def _find(self, press: Press | None) -> Record | None:
        if press is None:
            return None
        if press.button is Button.LABEL and press.choice not in self._pool.manifest.labels:
            return None  # another model's
        return await self._store.run(lambda db: records.find(db, press.row))

    async def _may_press(self, query: CallbackQuery, record: Record) -> bool:
        message = query.message
        if message is None or message.chat.id != record.asked.chat:
            return False
        person = query.from_user.id
        return person == record.asked.person or await self._admins.is_admin(message.chat, person)

    async def _label(self, query: CallbackQuery, record: Record, label: str, words: Words) -> None:
        person = query.from_user.id
        is_own = person == record.asked.person

        def say(db: sqlite3.Connection) -> Consent | None:
            """Keep the label; gives the person's consent, None if they are to be asked for it."""
            consent = opinions.consent_of(db, person) if is_own else Consent.ANSWER
            if consent is Consent.PHOTO and not self._asks_for_photos:
                consent = Consent.ANSWER
            if opinions.said_of(db, record) is None:
                assert record.seen is not None
                right = ("judged-right",) if label == record.seen.label else ()
                records.count(db, "judged", *right)
            opinions.say(db, record, label, by=person, consent=consent or Consent.ANSWER)
            if consent is None and self._asks_for_photos:
                opinions.set_consent(db, person, Consent.ANSWER)  # asked once, whatever they say
            return consent

        consent = await self._store.run(say)
        self._metrics.feedback.inc()
        asks = consent is None and self._asks_for_photos
        name = replies.said(words, self._pool.manifest, label)
        # only now, when it is on disk, is it said to be noted
        await _try(query.answer(words.noted.format(label=name)))
        await self._show(query, record, words, asks=asks)
        if consent is Consent.PHOTO:
            self._keeping.keep(record)

    async def _consent(
        self, query: CallbackQuery, record: Record, choice: str, words: Words
    ) -> None:
        person = query.from_user.id
        if person != record.asked.person or choice not in list(Consent):
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
        await self._show(query, record, words, asks=False)
        if may_keep:
            self._keeping.keep(record)

    async def _show(
        self, query: CallbackQuery, record: Record, words: Words, *, asks: bool
    ) -> None:
        """Update the answer: what was said of each photo, and the question if it is to be asked."""
        message = query.message
        if not isinstance(message, Message) or message.text is None:
            return  # too old for Telegram to show it
        manifest = self._pool.manifest
        answered, chosen = await self._store.run(lambda db: _chosen(db, record, manifest.labels))
        rows = [one.id if one.seen else None for one in answered]
        lines = message.text.partition(_ASIDE)[0].split("\n")
        if len(lines) == len(rows):
            for number, row in enumerate(rows):
                line = lines[number].partition(_SAID)[0]
                if row in chosen:
                    label = replies.said(words, manifest, chosen[row])
                    line += _SAID + words.you_say.format(label=label)
                lines[number] = line
        text = "\n".join(lines)
        markup: InlineKeyboardMarkup | None = label_buttons(words, manifest, rows, chosen)
        if asks:
            text += _ASIDE + words.ask_consent
            markup = consent_buttons(words, record.id)
        await _try(query.edit_message_text(text, reply_markup=markup))


def _chosen(
    db: sqlite3.Connection, record: Record, labels: Collection[str]
) -> tuple[list[Record], dict[int, str]]:
    """Give the photos of an answer, and the label that was pressed for each row."""
    answered = records.album_of(db, record)
    chosen = {}
    for one in answered:
        label = opinions.said_of(db, one)
        if label is not None and label in labels:
            chosen[one.id] = label
    return answered, chosen


async def _try(call: Awaitable[object]) -> None:
    """Make a call that only shows something; the press may be too old, the message gone."""
    try:
        await call
    except BadRequest as error:
        log.debug("a press could not be shown (%s)", error)
    except TelegramError as error:
        log.info("a press could not be shown (%s)", type(error).__name__)
