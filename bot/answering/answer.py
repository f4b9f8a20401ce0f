"""From an accepted photo to its answer: fetch, look, say, once."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from telegram import Bot, InlineKeyboardMarkup, Message, ReplyParameters
from telegram.error import BadRequest, ChatMigrated

from bot.answering.albums import Other, lines_of_others
from bot.answering.chats import Chats
from bot.answering.inference import Inference, InferencePool
from bot.service.metrics import Metrics
from bot.store import records
from bot.store.records import Asked, Purpose, Record, State
from bot.store.thread import StoreThread
from bot.telegram.delivery import Marks, Withdrawn, deliver
from bot.telegram.fetch import FetchCode, Fetcher, NotFetched
from bot.telegram.token_bucket import TokenBucket
from bot.words import replies
from bot.words.buttons import label_buttons
from bot.words.catalogue import Words, words_for
from core.errors import UnreadableImage
from core.store.database import StoreUnusable

log = logging.getLogger(__name__)

_OF_AN_ALBUM_AT_ONCE = 3  # photos that are fetched; others have albums, too
_EVERY = 600.0  # seconds between sentences in a chat that no photos can be had
_MAX_ATTEMPTS = 2  # a photo that was at work twice when the bot died is not tried again


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a photo: a line to say, and what was seen, if anything was."""

    line: str
    inference: Inference | None = None
    name: str = "unreadable"  # for the tallies
    answer: str | None = None  # of an explanation: what was seen, without the picture

    @property
    def picture(self) -> bytes | None:
        return self.inference.picture if self.inference else None


class Answering:
    """Answers photos, one message's or one album's at a time."""

    def __init__(
        self,
        bot: Bot,
        store: StoreThread,
        pool: InferencePool,
        fetcher: Fetcher,
        chats: Chats,
        pace: TokenBucket | None,
        metrics: Metrics,
    ) -> None:
        """`pace` says how fast one chat is answered; None: as fast as it goes."""
        self._bot = bot
        self._store = store
        self._pool = pool
        self._fetcher = fetcher
        self._chats = chats
        self._pace = pace
        self._metrics = metrics
        self._rarely = TokenBucket(1, 1 / _EVERY)

    async def answer(self, work: Sequence[Record], others: Sequence[Other] = ()) -> None:
        """Answer the photos of one message or album, with a reply to the first.

        `others` are what else is in the album.
        """
        first = work[0].asked
        slots = asyncio.Semaphore(_OF_AN_ALBUM_AT_ONCE)
        words = words_for(first.language)

        async def look(one: Record) -> Outcome:
            async with slots:
                return await self._look(one, words)

        outcomes = await asyncio.gather(*(look(one) for one in work))
        try:
            sent = None
            if self._is_worth_saying(first, outcomes):
                reply = self._reply(words, work, outcomes, others)
                if self._pace is not None and first.chat > 0:
                    await asyncio.sleep(self._pace.wait_for(first.chat))
                sent = await self._send(first, reply, self._marks(work, outcomes))
        except Withdrawn:
            return  # its person is forgotten, and all that was under way
        try:
            await self._store.run(lambda db: _finish(db, work, outcomes, sent))
        except StoreUnusable as error:  # it was answered: that much is noted
            log.error("that a photo was answered could not be noted: %s", error)
            self._metrics.bugs.inc()
        for one, outcome in zip(work, outcomes, strict=True):
            self._metrics.answered(outcome.name, time.time() - one.asked.at)
            log.info(
                "answered a photo",
                extra={"purpose": one.asked.purpose, "outcome": outcome.name, "photo": one.id},
            )

    async def say(self, asked: Asked, text: str) -> None:
        """Say a sentence in an answer's place."""
        await self._send(asked, _Reply(text, None, None), None)

    def _is_worth_saying(self, asked: Asked, outcomes: Sequence[Outcome]) -> bool:
        """Tell whether there is news; that no photo can be had is none for each."""
        if any(outcome.name != FetchCode.UNSERVED for outcome in outcomes):
            return True
        return self._rarely.take(asked.chat)

    def _reply(
        self,
        words: Words,
        work: Sequence[Record],
        outcomes: Sequence[Outcome],
        others: Sequence[Other],
    ) -> _Reply:
        is_one = len(work) + len(others) == 1
        numbers = [one.asked.position or number for number, one in enumerate(work, start=1)]
        asked = work[0].asked
        if asked.purpose is Purpose.WHY:
            prefix = "" if asked.position is None else f"{asked.position}. "
            (outcome,) = outcomes
            return _Reply(
                prefix + outcome.line,
                picture=outcome.picture,
                has_spoiler=asked.has_spoiler,
                alone=prefix + (outcome.answer or outcome.line),
            )
        rows = [
            one.id if outcome.inference else None
            for one, outcome in zip(work, outcomes, strict=True)
        ]
        markup = label_buttons(
            words, self._pool.manifest, rows, numbers=None if is_one else numbers
        )
        lines = [outcome.line for outcome in outcomes]
        if is_one:
            return _Reply(lines[0], markup)
        numbered = [f"{number}. {line}" for number, line in zip(numbers, lines, strict=True)]
        return _Reply("\n".join([*numbered, *lines_of_others(words, others)]), markup)

    async def _look(self, record: Record, words: Words) -> Outcome:
        asked = record.asked
        if record.attempts >= _MAX_ATTEMPTS:
            return Outcome(words.gave_up, name="gave-up")
        try:
            async with self._fetcher.fetched(self._bot, asked.file_id, asked.size) as content:
                await self._store.run(lambda db: records.begin(db, record.id))
                if asked.purpose is Purpose.WHY:
                    return self._explained(await self._pool.explain(content), words)
                return self._outcome(await self._pool.predict(content), words)
        except NotFetched as error:
            line: str = getattr(words, error.code)
            return Outcome(
                line.format(limit=error.limit // 2**20), name=error.code.replace("_", "-")
            )
        except UnreadableImage as error:
            return Outcome(replies.unreadable(words, error.code), name=error.code)
        except StoreUnusable:
            raise
        except Exception:
            log.exception("a photo could not be looked at")
            self._metrics.bugs.inc()
            return Outcome(words.trouble, name="trouble")

    def _outcome(self, inference: Inference, words: Words) -> Outcome:
        line = replies.answer(words, inference.manifest, inference.verdict)
        return Outcome(line, inference, inference.verdict.label)

    def _explained(self, inference: Inference, words: Words) -> Outcome:
        outcome = self._outcome(inference, words)
        template = words.why if inference.picture else words.why_not
        version = inference.verdict.prediction.model_version
        line = template.format(answer=outcome.line, version=version)
        return Outcome(line, inference, "explained", answer=outcome.line)

    def _marks(self, work: Sequence[Record], outcomes: Sequence[Outcome]) -> Marks:
        ids = [one.id for one in work]

        def before(db: sqlite3.Connection) -> None:
            if not records.find_all(db, ids):
                raise Withdrawn
            for one, outcome in zip(work, outcomes, strict=True):
                if outcome.inference is not None:
                    records.set_prediction(
                        db, one.id, outcome.inference.sha256, outcome.inference.verdict
                    )
            records.mark(db, ids, State.SENDING)

        return Marks(
            before=lambda: self._store.run(before),
            undo=lambda: self._store.run(lambda db: records.mark(db, ids, State.WORKING)),
        )

    async def _send(self, asked: Asked, reply: _Reply, marks: Marks | None) -> Message | None:
        try:
            return await deliver(lambda: reply.send(self._bot, asked), marks)
        except ChatMigrated as error:  # the group has become a supergroup, and has a new number
            new = error.new_chat_id
            await self._chats.moved(asked.chat, new, asked.language)
            return await deliver(lambda: reply.send(self._bot, asked, moved_to=new), marks)


@dataclass(frozen=True, slots=True)
class _Reply:
    text: str
    markup: InlineKeyboardMarkup | None = None
    picture: bytes | None = None
    has_spoiler: bool = False
    alone: str | None = None  # what is said where the picture cannot be sent

    async def send(self, bot: Bot, asked: Asked, *, moved_to: int | None = None) -> Message:
        # without the photo's message if that was deleted meanwhile, or has another number now
        to = ReplyParameters(asked.message, allow_sending_without_reply=True)
        where: dict[str, Any] = {"reply_parameters": to, "message_thread_id": asked.thread}
        chat, text, markup = asked.chat, self.text, self.markup
        if moved_to is not None:
            chat, markup, where = moved_to, None, {}
        if self.picture is not None:
            try:
                return await bot.send_photo(
                    chat, self.picture, caption=text, has_spoiler=self.has_spoiler, **where
                )
            except ChatMigrated:
                raise
            except BadRequest as error:  # it is too long and narrow for a photo, say
                log.info("Telegram takes no such picture (%s)", type(error).__name__)
                text = self.alone or text
        return await bot.send_message(chat, text, reply_markup=markup, **where)


def _finish(
    db: sqlite3.Connection,
    work: Sequence[Record],
    outcomes: Sequence[Outcome],
    sent: Message | None,
) -> None:
    # an answer that says that it was sent need not say as what
    is_known = isinstance(sent, Message) and isinstance(sent.message_id, int)
    records.finish(db, [one.id for one in work], sent.message_id if sent and is_known else None)
    for one, outcome in zip(work, outcomes, strict=True):
        if outcome.inference is not None and one.asked.purpose is Purpose.WHAT:
            records.count(db, "photos", f"label:{outcome.name}")
