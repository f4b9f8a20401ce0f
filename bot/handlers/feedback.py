"""What people say of the answers, by the buttons under them."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from telegram import CallbackQuery, InlineKeyboardMarkup, Message, Update
from telegram.error import BadRequest
from telegram.ext import Application, CallbackQueryHandler, ContextTypes

from bot.answering.inference import InferencePool
from bot.background_tasks import BackgroundTasks
from bot.handlers.access import Admins
from bot.handlers.donated_photos import DonatedPhotos
from bot.service.metrics import Metrics
from bot.store import opinions, records
from bot.store.forgotten import Forgotten, Moment
from bot.store.opinions import Consent
from bot.store.records import Record
from bot.store.thread import StoreThread
from bot.words import replies
from bot.words.buttons import Button, Press, consent_buttons, label_buttons, read_press
from bot.words.catalogue import Words, words_for
from core.store.database import StoreUnusable

log = logging.getLogger(__name__)

_PRESSES = 100  # of one person, or changes in one chat, that may wait
_ASKING = 3.0  # seconds for Telegram to say who is an admin; the button waits for it
_SAID = " ✎ "  # between an answer and what the person says
_ASIDE = "\n\n"  # between the answers and a question


class FeedbackButtons:
    """Takes down what was pressed, shows that it was, and asks once what may be kept."""

    def __init__(
        self,
        store: StoreThread,
        pool: InferencePool,
        donated: DonatedPhotos,
        admins: Admins,
        forgotten: Forgotten,
        metrics: Metrics,
        *,
        turn_to_edit: Callable[[int], Awaitable[None]],
        asks_for_photos: bool,
    ) -> None:
        """`turn_to_edit` waits until a message of a chat may be changed."""
        self._store = store
        self._pool = pool
        self._donated = donated
        self._admins = admins
        self._forgotten = forgotten
        self._metrics = metrics
        self._turn_to_edit = turn_to_edit
        self._asks_for_photos = asks_for_photos
        self._answers = BackgroundTasks()  # apart from whatever may wait for minutes
        self._shows = BackgroundTasks()
        self._showing: dict[tuple[int, int], asyncio.Lock] = {}
        self._to_show: set[tuple[int, int]] = set()

    def register(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """Tell the application whose the buttons are."""
        application.add_handler(CallbackQueryHandler(self.pressed))

    async def stop(self) -> None:
        """Give up what is not told or shown yet."""
        await self._answers.stop()
        await self._shows.stop()

    async def pressed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Handle a button that was pressed: what its presser may say is in the store then."""
        query = update.callback_query
        assert query is not None
        began, words = self._forgotten.now(), words_for(query.from_user.language_code)
        try:
            await self._press(query, words, began)
        except StoreUnusable as error:
            log.error("a press could not be noted: %s", error)
            self._answer(query, words.no_room, show_alert=True)
        except Exception:
            log.exception("a press could not be handled")
            self._metrics.bugs.inc()
            self._answer(query, words.press_failed, show_alert=True)

    async def _press(self, query: CallbackQuery, words: Words, began: Moment) -> None:
        press = read_press(query.data or "")
        record = await self._find(press)
        if press is None or record is None or record.seen is None:
            self._answer(query, words.too_old, show_alert=True)
        elif press.button is Button.CONSENT:
            await self._consent(query, record, press.choice, words, began)
        elif not _is_there(query, record):
            self._answer(query, words.not_yours, show_alert=True)
        elif query.from_user.id in (record.asked.person, record.asked.author):
            await self._label(query, record, press.choice, words, began)
        else:
            key = ("press", query.from_user.id)
            self._answers.run(
                key, lambda: self._label_of_admin(query, record, press.choice, words, began),
                most=_PRESSES,
            )  # fmt: skip

    async def _find(self, press: Press | None) -> Record | None:
        if press is None:
            return None
        if press.button is Button.LABEL and press.choice not in self._pool.manifest.labels:
            return None  # another model's
        return await self._store.run(lambda db: records.find(db, press.row))

    async def _label_of_admin(
        self, query: CallbackQuery, record: Record, label: str, words: Words, began: Moment
    ) -> None:
        """Keep what an admin says; it takes asking Telegram whether they are one."""
        assert query.message is not None
        try:
            async with asyncio.timeout(_ASKING):
                may = await self._admins.is_admin(query.message.chat, query.from_user.id)
        except TimeoutError:
            self._answer(query, words.slow, show_alert=True)
            return
        if not may:
            self._answer(query, words.not_yours, show_alert=True)
            return
        try:
            await self._label(query, record, label, words, began)
        except StoreUnusable as error:
            log.error("a press could not be noted: %s", error)
            self._answer(query, words.no_room, show_alert=True)

    async def _label(
        self, query: CallbackQuery, record: Record, label: str, words: Words, began: Moment
    ) -> None:
        person = query.from_user.id

        def say(db: sqlite3.Connection) -> bool | None:
            """Keep the label; gives whether the photo may be kept, None if it is forgotten."""
            now = records.find(db, record.id)
            if now is None or now.seen is None:
                return None
            may_keep = False
            if person == record.asked.author and self._asks_for_photos:
                may_keep = opinions.consent_of(db, person) is Consent.PHOTO
                opinions.ask_consent(db, person, record.id)
            if now.feedback is None:
                right = ("judged-right",) if label == now.seen.label else ()
                records.count(db, "judged", *right)
            opinions.record_label(db, now, label, by=person, may_keep=may_keep)
            return may_keep

        may_keep = None
        if not self._forgotten.since(began, person, record.asked.author):
            may_keep = await self._store.run(say)
        if may_keep is None:
            self._answer(query, words.too_old, show_alert=True)
            return
        self._metrics.feedback.inc()
        name = replies.said(words, self._pool.manifest, label)
        # only now, when it is on disk, is it said to be noted
        self._answer(query, words.noted.format(label=name))
        self._show(query, record)
        if may_keep:
            self._donated.keep(record)

    async def _consent(
        self, query: CallbackQuery, record: Record, choice: str, words: Words, began: Moment
    ) -> None:
        person = query.from_user.id
        if person != record.asked.author or choice not in (Consent.ANSWER, Consent.PHOTO):
            self._answer(query, words.consent_not_yours, show_alert=True)
            return
        may_keep = choice == Consent.PHOTO and self._asks_for_photos

        def keep(db: sqlite3.Connection) -> bool:
            if records.find(db, record.id) is None:
                return False
            opinions.set_consent(db, person, Consent.PHOTO if may_keep else Consent.ANSWER)
            if may_keep:
                opinions.allow_photo(db, record.id)
            return True

        if self._forgotten.since(began, person) or not await self._store.run(keep):
            self._answer(query, words.too_old, show_alert=True)
            return
        kept = words.photo_too if may_keep else words.only_answer
        self._answer(query, words.privacy_now.format(consent=kept[:1].lower() + kept[1:]))
        self._show(query, record)
        if may_keep:
            self._donated.keep(record)

    def _answer(self, query: CallbackQuery, text: str, *, show_alert: bool = False) -> None:
        """Answer a press: Telegram counts that as no message, and the button waits for it."""
        key = ("answer", query.from_user.id)
        self._answers.run(
            key, lambda: _try(query.answer(text, show_alert=show_alert)), most=_PRESSES
        )

    def _show(self, query: CallbackQuery, record: Record) -> None:
        message = query.message
        if isinstance(message, Message) and message.text is not None:  # else too old
            key = ("show", message.chat.id)
            self._shows.run(key, lambda: self._shown_now(query, message, record), most=_PRESSES)

    async def _shown_now(self, query: CallbackQuery, message: Message, record: Record) -> None:
        """Update the answer: what was said of each photo, and the question if it is open.

        One change of a message at a time, each made of what is in the store by then: the last
        shows how it is, and one that waits for its turn shows what comes meanwhile, too.
        """
        key = (message.chat.id, message.message_id)
        if key in self._to_show:
            return
        self._to_show.add(key)
        try:
            await self._turn_to_edit(message.chat.id)
        finally:
            self._to_show.discard(key)
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
        shown = (message.text or "").partition(_ASIDE)[0]
        numbers = [one.asked.position or number for number, one in enumerate(answered, start=1)]
        is_numbered = any(shown.startswith(f"{number}. ") for number in numbers)
        lines = shown.split("\n")
        for place, row in enumerate(rows):
            start = f"{numbers[place]}. " if is_numbered else ""
            at = next((n for n, line in enumerate(lines) if line.startswith(start)), None)
            if at is None:
                continue
            lines[at] = lines[at].partition(_SAID)[0]
            if row in chosen:
                name = replies.said(words, manifest, chosen[row])
                lines[at] += _SAID + words.you_say.format(label=name)
        text = "\n".join(lines)
        asked_at = opinions.is_asked_at(db, record.asked.author, [one.id for one in answered])
        if asked_at is not None and self._asks_for_photos:
            return text + _ASIDE + words.ask_consent, consent_buttons(words, asked_at)
        markup = label_buttons(
            words, manifest, rows, chosen, numbers=numbers if is_numbered else None
        )
        return text, markup


def _is_there(query: CallbackQuery, record: Record) -> bool:
    """Tell whether a button was pressed in the chat of the photo that it is about."""
    return query.message is not None and query.message.chat.id == record.asked.chat


async def _try(call: Awaitable[object]) -> None:
    """Make a call that only shows something; the press may be too old, the message gone."""
    try:
        await call
    except Exception as error:  # Telegram's doing, or an answer that cannot be read
        level = logging.DEBUG if isinstance(error, BadRequest) else logging.INFO
        log.log(level, "a press could not be shown (%s)", type(error).__name__)
