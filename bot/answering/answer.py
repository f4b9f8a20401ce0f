"""From an accepted photo to its answer: fetched, predicted, answered, once."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from telegram import InlineKeyboardMarkup, Message, ReplyParameters
from telegram.error import BadRequest, ChatMigrated

from bot.answering.albums import Other, lines_of_others
from bot.answering.inference import Inference
from bot.answering.services import Services
from bot.store import records
from bot.store.records import Purpose, Record, State
from bot.telegram.delivery import Delivery, Withdrawn, deliver
from bot.telegram.fetch import FetchCode, NotFetched
from bot.telegram.token_bucket import TokenBucket
from bot.words import replies
from bot.words.buttons import label_buttons
from bot.words.catalogue import Words, words_for
from core.errors import UnreadableImage
from core.store.database import StoreUnusable

log = logging.getLogger(__name__)

_CHAT_BURST, _CHAT_PER_SECOND = 20, 1.0  # answers in one private chat before Telegram minds
_OF_AN_ALBUM_AT_ONCE = 3  # photos that are fetched; others have albums, too
_UNSERVED_SECONDS = 600.0  # between sentences in a chat that no photos can be had
_MAX_ATTEMPTS = 2  # a photo that was at work twice when the bot died is not tried again


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of a photo, or of an album."""

    text: str
    outcome: str = "unreadable"  # of a photo, for the tallies
    inference: Inference | None = None
    markup: InlineKeyboardMarkup | None = None
    without_picture: str | None = None  # what is said where the picture cannot be sent


class Answering:
    """Answers photos, one message's or one album's at a time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        is_paced = services.settings.send_rate > 0
        self._pace = TokenBucket(_CHAT_BURST, _CHAT_PER_SECOND) if is_paced else None
        self._unserved = TokenBucket(1, 1 / _UNSERVED_SECONDS)

    async def answer(self, photos: Sequence[Record], others: Sequence[Other] = ()) -> None:
        """Answer the photos of one message or album, with a reply to the first.

        `others` are what else is in the album.
        """
        first = photos[0]
        slots = asyncio.Semaphore(_OF_AN_ALBUM_AT_ONCE)
        words = words_for(first.language)

        async def answer_to(photo: Record) -> Answer:
            async with slots:
                return await self._answer_to(photo, words)

        answers = await asyncio.gather(*(answer_to(one) for one in photos))
        try:
            sent = None
            if self._is_news(first, answers):
                together = self._together(words, photos, answers, others)
                if self._pace is not None and first.chat > 0:
                    await self._pace.wait(first.chat)
                sent = await self._send(first, together, self._delivery(photos, answers))
        except Withdrawn:
            return  # its person is forgotten, and all that was under way
        try:
            await self._services.store.run(_finish, photos, answers, sent)
        except StoreUnusable as error:  # it was answered: that much is noted
            log.error("that a photo was answered could not be noted: %s", error)
            self._services.metrics.bugs.inc()
        for photo, answer in zip(photos, answers, strict=True):
            self._services.metrics.answered(answer.outcome, time.time() - photo.at)
            log.info(
                "answered a photo",
                extra={"purpose": photo.purpose, "outcome": answer.outcome, "photo": photo.id},
            )

    async def say(self, photo: Record, text: str) -> None:
        """Say a sentence in an answer's place."""
        await self._send(photo, Answer(text), Delivery())

    def _is_news(self, photo: Record, answers: Sequence[Answer]) -> bool:
        """Whether there is something to say; that no photo can be had is said seldom."""
        if any(answer.outcome != FetchCode.UNSERVED for answer in answers):
            return True
        return self._unserved.take(photo.chat)

    def _together(
        self,
        words: Words,
        photos: Sequence[Record],
        answers: Sequence[Answer],
        others: Sequence[Other],
    ) -> Answer:
        """Make one answer of those to the photos of a message or album."""
        first, answer = photos[0], answers[0]
        if first.purpose is Purpose.WHY:
            prefix = "" if first.position is None else f"{first.position}. "
            without_picture = prefix + (answer.without_picture or answer.text)
            return replace(answer, text=prefix + answer.text, without_picture=without_picture)
        pairs = list(zip(photos, answers, strict=True))
        is_one = len(photos) + len(others) == 1
        numbers = [photo.position or number for number, photo in enumerate(photos, start=1)]
        rows = [photo.id if answer.inference else None for photo, answer in pairs]
        markup = label_buttons(
            words, self._services.pool.manifest, rows, numbers=None if is_one else numbers
        )
        if is_one:
            return replace(answer, markup=markup)
        lines = [f"{number}. {one.text}" for number, one in zip(numbers, answers, strict=True)]
        return Answer("\n".join([*lines, *lines_of_others(words, others)]), markup=markup)

    async def _answer_to(self, photo: Record, words: Words) -> Answer:
        if photo.attempts >= _MAX_ATTEMPTS:
            return Answer(words.gave_up, "gave-up")
        services = self._services
        try:
            async with services.fetcher.fetched(photo.file_id, photo.size) as content:
                await services.store.run(records.begin, photo.id)
                explains = photo.purpose is Purpose.WHY
                return _answer(await services.pool.infer(content, explains=explains), photo, words)
        except NotFetched as error:
            line: str = getattr(words, error.code)
            return Answer(line.format(limit=error.limit // 2**20), error.code.replace("_", "-"))
        except UnreadableImage as error:
            return Answer(replies.unreadable(words, error.code), error.code)
        except StoreUnusable:
            raise
        except Exception:
            log.exception("a photo could not be predicted")
            services.metrics.bugs.inc()
            return Answer(words.trouble, "trouble")

    def _delivery(self, photos: Sequence[Record], answers: Sequence[Answer]) -> Delivery:
        store, ids = self._services.store, [photo.id for photo in photos]

        def note_sending(db: sqlite3.Connection) -> None:
            if not records.find_all(db, ids):
                raise Withdrawn
            for photo, answer in zip(photos, answers, strict=True):
                if answer.inference is not None:
                    sha256, verdict = answer.inference.sha256, answer.inference.verdict
                    records.set_prediction(db, photo.id, sha256, verdict)
            records.set_state(db, ids, State.SENDING)

        return Delivery(
            note_sending=lambda: store.run(note_sending),
            note_not_sent=lambda: store.run(records.set_state, ids, State.WORKING),
        )

    async def _send(self, photo: Record, answer: Answer, delivery: Delivery) -> Message | None:
        try:
            return await deliver(lambda: self._attempt(photo, answer, delivery), delivery)
        except ChatMigrated as error:  # the group has become a supergroup, and has a new number
            new = error.new_chat_id
            await self._services.chats.moved(photo.chat, new, photo.language)
            return await deliver(
                lambda: self._attempt(photo, answer, delivery, moved_to=new), delivery
            )

    async def _attempt(
        self, photo: Record, answer: Answer, delivery: Delivery, *, moved_to: int | None = None
    ) -> Message:
        bot = self._services.bot
        chat, text, markup = photo.chat, answer.text, answer.markup
        where: dict[str, Any] = {"rate_limit_args": delivery}
        if moved_to is not None:  # messages have other numbers there
            chat, markup = moved_to, None
        else:  # without the photo's message if that was deleted meanwhile
            to = ReplyParameters(photo.message, allow_sending_without_reply=True)
            where |= {"reply_parameters": to, "message_thread_id": photo.thread}
        if answer.inference is not None and answer.inference.picture is not None:
            picture = answer.inference.picture
            try:
                return await bot.send_photo(
                    chat, picture, caption=text, has_spoiler=photo.spoiler, **where
                )
            except ChatMigrated:
                raise
            except BadRequest as error:  # it is too long and narrow for a photo, say
                log.info("Telegram takes no such picture (%s)", type(error).__name__)
                text = answer.without_picture or text
        return await bot.send_message(chat, text, reply_markup=markup, **where)


def _answer(inference: Inference, photo: Record, words: Words) -> Answer:
    text = replies.answer(words, inference.manifest, inference.verdict)
    if photo.purpose is Purpose.WHAT:
        return Answer(text, inference.verdict.label, inference)
    template = words.why if inference.picture else words.why_not
    version = inference.verdict.prediction.model_version
    explained = template.format(answer=text, version=version)
    return Answer(explained, "explained", inference, without_picture=text)


def _finish(
    db: sqlite3.Connection,
    photos: Sequence[Record],
    answers: Sequence[Answer],
    sent: Message | None,
) -> None:
    # an answer of Telegram's that a message was sent need not name the message
    number = sent.message_id if isinstance(sent, Message) else None
    number = number if isinstance(number, int) else None
    records.set_state(db, [photo.id for photo in photos], State.DONE, answer=number)
    for photo, answer in zip(photos, answers, strict=True):
        if answer.inference is not None and photo.purpose is Purpose.WHAT:
            records.count(db, "photos", f"label:{answer.outcome}")
