"""What people say of the answers, by the buttons under them."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from telegram import CallbackQuery, Chat, InlineKeyboardMarkup, Message, Update
from telegram.error import BadRequest
from telegram.ext import ContextTypes

from bot.answering.services import Services
from bot.background_tasks import BackgroundTasks
from bot.handlers.access import Admins
from bot.handlers.donated_photos import DonatedPhotos
from bot.store import opinions, records
from bot.store.opinions import Consent
from bot.store.records import Record
from bot.words import replies
from bot.words.buttons import Button, Press, consent_buttons, label_buttons, read_press
from bot.words.catalogue import Words, words_for
from core.store.database import StoreUnusable

log = logging.getLogger(__name__)

_MOST_PRESSES = 100  # of one person, or changes in one chat, that may wait
_ADMIN_SECONDS = 3.0  # for Telegram to say who is an admin; the button waits for it
_YOU_SAY = " ✎ "  # between an answer and what the person says
_ASIDE = "\n\n"  # between the answers and a question


@dataclass(frozen=True, slots=True)
class _Pressed:
    """A button that was pressed under the answer to a photo."""

    query: CallbackQuery
    record: Record
    choice: str
    words: Words
    moment: int  # of `Forgotten`, when it was pressed

    @property
    def person(self) -> int:
        return self.query.from_user.id


class FeedbackButtons:
    """Writes down what was pressed, shows that it was, and asks once what may be kept."""

    def __init__(
        self,
        services: Services,
        admins: Admins,
        donated: DonatedPhotos,
        turn_to_edit: Callable[[int], Awaitable[None]],
    ) -> None:
        """`turn_to_edit` waits until a message of a chat may be changed."""
        self._services = services
        self._admins = admins
        self._donated = donated
        self._turn_to_edit = turn_to_edit
        self._asks_for_photos = services.settings.asks_for_photos
        self._answers = BackgroundTasks()  # apart from whatever may wait for minutes
        self._edits = BackgroundTasks()
        self._editing: dict[tuple[int, int], asyncio.Lock] = {}
        self._to_edit: set[tuple[int, int]] = set()

    async def stop(self) -> None:
        """Give up what is not answered or shown yet."""
        await self._answers.stop()
        await self._edits.stop()

    async def pressed(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Handle a button that was pressed: what its presser may say is in the store then."""
        query = update.callback_query
        assert query is not None
        words = words_for(query.from_user.language_code)
        moment = self._services.forgotten.count
        await self._guarded(query, words, self._press(query, words, moment))

    async def _guarded(self, query: CallbackQuery, words: Words, handling: Awaitable[None]) -> None:
        """Handle a press, and say so if that fails."""
        try:
            await handling
        except StoreUnusable as error:
            log.error("a press could not be noted: %s", error)
            self._answer(query, words.no_room, show_alert=True)
        except Exception:
            log.exception("a press could not be handled")
            self._services.metrics.bugs.inc()
            self._answer(query, words.press_failed, show_alert=True)

    async def _press(self, query: CallbackQuery, words: Words, moment: int) -> None:
        press = read_press(query.data or "")
        record = await self._find(press)
        if press is None or record is None or record.sha256 is None:
            self._answer(query, words.too_old, show_alert=True)
            return
        pressed = _Pressed(query, record, press.choice, words, moment)
        if press.button is Button.CONSENT:
            await self._consent(pressed)
        elif query.message is None or query.message.chat.id != record.chat:
            self._answer(query, words.not_yours, show_alert=True)
        elif pressed.person in (record.person, record.author):
            await self._label(pressed)
        else:  # it takes asking Telegram, which may have to wait for its turn
            key, chat = ("press", pressed.person), query.message.chat
            self._answers.run(
                key,
                lambda: self._guarded(query, words, self._label_of_admin(pressed, chat)),
                most=_MOST_PRESSES,
            )

    async def _find(self, press: Press | None) -> Record | None:
        if press is None:
            return None
        if press.button is Button.LABEL and press.choice not in self._services.pool.manifest.labels:
            return None  # another model's
        return await self._services.store.run(records.find, press.row)

    async def _label_of_admin(self, pressed: _Pressed, chat: Chat) -> None:
        """Keep what a person says who may be an admin of the photo's group."""
        try:
            async with asyncio.timeout(_ADMIN_SECONDS):
                is_admin = await self._admins.is_admin(chat, pressed.person)
        except TimeoutError:
            self._answer(pressed.query, pressed.words.slow, show_alert=True)
            return
        if is_admin:
            await self._label(pressed)
        else:
            self._answer(pressed.query, pressed.words.not_yours, show_alert=True)

    async def _label(self, pressed: _Pressed) -> None:
        person, record, label = pressed.person, pressed.record, pressed.choice

        def record_label(db: sqlite3.Connection) -> bool | None:
            """Write the label; returns whether the photo may be kept, None if it is forgotten."""
            now = records.find(db, record.id)
            if now is None or now.sha256 is None:
                return None
            may_keep = False
            if person == record.author and self._asks_for_photos:
                may_keep = opinions.consent_of(db, person) is Consent.PHOTO
                opinions.ask_consent(db, person, record.id)
            if now.feedback is None:
                right = ("judged-right",) if label == now.predicted else ()
                records.count(db, "judged", *right)
            opinions.record_label(db, now, label, by=person, may_keep=may_keep)
            return may_keep

        may_keep = None
        if not self._services.forgotten.since(pressed.moment, person, record.author):
            may_keep = await self._services.store.run(record_label)
        if may_keep is None:
            self._answer(pressed.query, pressed.words.too_old, show_alert=True)
            return
        self._services.metrics.feedback.inc()
        name = replies.label_name(pressed.words, self._services.pool.manifest, label)
        # only now, when it is on disk, is it said to be noted
        self._done(pressed, pressed.words.noted.format(label=name), may_keep=may_keep)

    async def _consent(self, pressed: _Pressed) -> None:
        person, record, words = pressed.person, pressed.record, pressed.words
        if person != record.author or pressed.choice not in (Consent.ANSWER, Consent.PHOTO):
            self._answer(pressed.query, words.consent_not_yours, show_alert=True)
            return
        may_keep = pressed.choice == Consent.PHOTO and self._asks_for_photos

        def set_consent(db: sqlite3.Connection) -> bool:
            if records.find(db, record.id) is None:
                return False
            opinions.set_consent(db, person, Consent.PHOTO if may_keep else Consent.ANSWER)
            if may_keep:
                opinions.allow_photo(db, record.id)
            return True

        is_forgotten = self._services.forgotten.since(pressed.moment, person)
        if is_forgotten or not await self._services.store.run(set_consent):
            self._answer(pressed.query, words.too_old, show_alert=True)
            return
        kept = replies.consent(words, may_keep=may_keep)
        self._done(pressed, words.privacy_now.format(consent=kept), may_keep=may_keep)

    def _done(self, pressed: _Pressed, text: str, *, may_keep: bool) -> None:
        """Answer a press whose wish is on disk, show it, and keep the photo if it may be kept."""
        self._answer(pressed.query, text)
        message = pressed.query.message
        if isinstance(message, Message) and message.text is not None:  # else too old
            key = ("edit", message.chat.id)
            self._edits.run(key, lambda: self._edit(pressed, message), most=_MOST_PRESSES)
        if may_keep:
            self._donated.keep(pressed.record)

    def _answer(self, query: CallbackQuery, text: str, *, show_alert: bool = False) -> None:
        """Answer a press: Telegram counts that as no message, and the button waits for it."""
        key = ("answer", query.from_user.id)
        self._answers.run(
            key, lambda: _try(query.answer(text, show_alert=show_alert)), most=_MOST_PRESSES
        )

    async def _edit(self, pressed: _Pressed, message: Message) -> None:
        """Update the answer: what was said of each photo, and the question if it is open.

        One change of a message at a time, each made of what is in the store by then: the last
        shows how it is, and one that waits for its turn shows what comes meanwhile, too.
        """
        key = (message.chat.id, message.message_id)
        if key in self._to_edit:
            return
        self._to_edit.add(key)
        try:
            await self._turn_to_edit(message.chat.id)
        finally:
            self._to_edit.discard(key)
        lock = self._editing.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                text, markup = await self._services.store.run(self._edited, message, pressed.record)
                await _try(pressed.query.edit_message_text(text, reply_markup=markup))
        finally:
            if not lock.locked():
                self._editing.pop(key, None)

    def _edited(
        self, db: sqlite3.Connection, message: Message, record: Record
    ) -> tuple[str, InlineKeyboardMarkup | None]:
        """Return the text and the buttons of an answer, with what is said of each of its photos."""
        words, manifest = words_for(record.language), self._services.pool.manifest
        photos = records.answered_together(db, record)
        labels = {photo.id: opinions.label_of(db, photo) for photo in photos}
        chosen = {row: label for row, label in labels.items() if label in manifest.labels}
        lines = (message.text or "").partition(_ASIDE)[0].split("\n")
        numbers = [photo.position or number for number, photo in enumerate(photos, start=1)]
        is_numbered = any(lines[0].startswith(f"{number}. ") for number in numbers)
        for photo, number in zip(photos, numbers, strict=True):
            start = f"{number}. " if is_numbered else ""
            at = next((n for n, line in enumerate(lines) if line.startswith(start)), None)
            if at is None:
                continue
            lines[at] = lines[at].partition(_YOU_SAY)[0]
            if label := chosen.get(photo.id):
                name = replies.label_name(words, manifest, label)
                lines[at] += _YOU_SAY + words.you_say.format(label=name)
        text = "\n".join(lines)
        asked_at = opinions.asked_at(db, record.author, [photo.id for photo in photos])
        if asked_at is not None and self._asks_for_photos:
            return text + _ASIDE + words.ask_consent, consent_buttons(words, asked_at)
        rows = [photo.id if photo.sha256 else None for photo in photos]
        markup = label_buttons(
            words, manifest, rows, chosen, numbers=numbers if is_numbered else None
        )
        return text, markup


async def _try(call: Awaitable[object]) -> None:
    """Make a call that only shows something; the press may be too old, the message gone."""
    try:
        await call
    except Exception as error:  # Telegram's doing, or an answer that cannot be read
        level = logging.DEBUG if isinstance(error, BadRequest) else logging.INFO
        log.log(level, "a press could not be shown (%s)", type(error).__name__)
