"""Accepts photos: each person's share, a bounded queue, kept in the store before any work."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial

from telegram import Message

from bot.answering.albums import Accepted, Album, Albums, Other
from bot.answering.answer import Answering
from bot.answering.incoming import NotAPhoto, Photo, language_of, sender_of
from bot.answering.keyed_queue import KeyedQueue
from bot.answering.services import Services
from bot.store import records
from bot.store.records import Purpose, Record
from bot.telegram.token_bucket import TokenBucket
from bot.words.catalogue import words_for
from core.store.database import StoreUnusable

log = logging.getLogger(__name__)

FRESH_SECONDS = 20 * 3600.0  # who sent a photo longer ago does not wait for its answer any more
_BACKLOG_SECONDS = 3600.0  # from which on a photo is dated by Telegram, which kept it that long


class PhotoQueue:
    """Accepts photos and hands them on, in order for each person in each chat."""

    def __init__(self, services: Services, answering: Answering) -> None:
        self._services = services
        self._answering = answering
        self._person_rate = rate = services.settings.person_rate
        self._share = TokenBucket(rate, rate / 60)
        self._queue = KeyedQueue()
        self._albums = Albums()
        self._waiting = 0
        self._waiting_of: Counter[int] = Counter()  # photos, by person and by chat
        self._most_of_group = max(rate, services.settings.queue // 10)

    async def take(
        self,
        message: Message,
        photo: Photo,
        *,
        purpose: Purpose = Purpose.WHAT,
        is_asked: bool = True,
    ) -> None:
        """Accept a photo that a message holds or points at, or say why not.

        A photo of an album that the bot was not asked about (`is_asked`) is answered with the
        others if it is asked about one of them. A photo that is accepted is in the store when this
        returns, and is answered even after a kill.
        """
        # up to the first await nothing else runs: photos keep the order in which they came
        if time.time() - message.date.timestamp() > FRESH_SECONDS:
            self._services.metrics.refused.labels("old").inc()
            return
        if message.media_group_id is not None:
            album = self._album_of(message, is_asked=is_asked)
            if purpose is Purpose.WHAT:
                album.unasked.append((message, photo))
                await self._grew(album, message)
                return
            position: int | None = album.position(message.message_id)
            is_asked = album.is_asked
        else:
            position = photo.position
        if not is_asked:
            return
        accepted = self._accept(message, photo, purpose, position)
        if accepted is None:
            self._refuse(message)
            return
        self._queue.add(_key(message), partial(self._work, [accepted]))
        await asyncio.wait([accepted.row])

    async def take_other(self, message: Message, what: NotAPhoto, *, is_asked: bool) -> None:
        """Take in what is no photo and part of an album."""
        album = self._album_of(message, is_asked=is_asked)
        album.others.append((message, what))
        await self._grew(album, message)

    def forget(self, person: int) -> None:
        """Drop what a person sent and nobody has asked about."""
        self._albums.forget(person)

    def resume(self, left: Sequence[Record]) -> None:
        """Go on with what a bot that was killed had accepted; albums together."""
        together: dict[tuple[int, str | int], list[Accepted]] = {}
        for record in left:
            row: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
            row.set_result(record.id)
            key = (record.chat, record.album or record.id)
            together.setdefault(key, []).append(Accepted(record, row))
            self._count(record, 1)
        for photos in together.values():
            first = photos[0].record
            self._queue.add((first.chat, first.person), partial(self._work, photos))

    async def stop(self, grace: float) -> None:
        """Answer what waits, for `grace` seconds at most; the rest is answered after a restart."""
        if not await self._queue.stop(grace):
            log.info("photos are left for the next start", extra={"photos": self._waiting})

    def _album_of(self, message: Message, *, is_asked: bool) -> Album:
        key = (message.chat.id, str(message.media_group_id))
        return self._albums.add(key, message.message_id, is_asked=is_asked)

    async def _grew(self, album: Album, message: Message) -> None:
        """Give an album its turn, and accept what came of it before it was asked about."""
        if not album.is_queued:
            album.is_queued = True
            self._queue.add(_key(message), partial(self._work_on_album, album))
        if not album.is_asked:
            return
        unasked, album.unasked = album.unasked, []
        refused, rows = None, []
        for one, photo in unasked:
            position = album.position(one.message_id)
            accepted = self._accept(one, photo, Purpose.WHAT, position)
            if accepted is None:
                refused = refused or one
            else:
                album.accepted.append(accepted)
                rows.append(accepted.row)
        if refused is not None:
            self._refuse(refused)
        if rows:
            await asyncio.wait(rows)

    async def _work_on_album(self, album: Album) -> None:
        try:
            await album.settle()
        finally:
            album.is_queued = False
        accepted, found = album.empty()
        others = [Other(album.position(message.message_id), what) for message, what in found]
        if accepted:
            album.has_notice |= bool(others)
            await self._number(album, accepted)
            await self._work(accepted, others)
        elif others and album.is_asked and not album.has_notice:
            album.has_notice = True
            first, what = found[0]
            sentence: str = getattr(words_for(language_of(first)), what)
            self._services.notices.say(first, sentence)

    async def _number(self, album: Album, accepted: Sequence[Accepted]) -> None:
        """Number the photos of an album as the person sees them, now that all have come."""
        with contextlib.suppress(StoreUnusable):
            positions = {
                row: position
                for one in accepted
                if (position := album.position(one.record.message)) != one.record.position
                and (row := await one.row) is not None
            }
            await self._services.store.run(records.set_positions, positions)

    def _accept(
        self, message: Message, photo: Photo, purpose: Purpose, position: int | None
    ) -> Accepted | None:
        """Begin to keep what was asked; None if it is too much."""
        person = sender_of(message)
        if self._is_full(message.chat.id) or self._waiting_of[person] >= self._person_rate:
            return None
        if not self._share.take(person):
            return None
        record = Record(
            at=_arrival(message),
            chat=message.chat.id,
            message=photo.message,
            asked=message.message_id,
            thread=message.message_thread_id if message.is_topic_message else None,
            person=person,
            author=photo.author,
            language=language_of(message),
            purpose=purpose,
            album=message.media_group_id if purpose is Purpose.WHAT else None,
            file_id=photo.file_id,
            size=photo.size,
            position=position,
            spoiler=photo.spoiler,
        )
        self._count(record, 1)
        return Accepted(record, self._services.store.run(records.accept, record))

    def _refuse(self, message: Message) -> None:
        is_full = self._is_full(message.chat.id)
        self._services.metrics.refused.labels("full" if is_full else "person-rate").inc()
        words = words_for(language_of(message))
        text = words.busy if is_full else words.too_fast.format(limit=self._person_rate)
        self._services.notices.say_now_and_then(message, text)

    async def _work(self, accepted: Sequence[Accepted], others: Sequence[Other] = ()) -> None:
        """Answer photos that were accepted, unless their messages had been before."""
        try:
            ids = [row for one in accepted if (row := await one.row) is not None]
            found = await self._services.store.run(records.find_all, ids)
            if found:
                await self._answering.answer(found, others)
        except Exception as error:
            if isinstance(error, StoreUnusable):
                log.error("a photo could not be answered: %s", error)
            else:
                log.error("a photo could not be answered", exc_info=error)
            self._services.metrics.bugs.inc()
            first = accepted[0].record
            await self._answering.say(first, words_for(first.language).trouble)
        finally:
            for one in accepted:
                self._count(one.record, -1)

    def _is_full(self, chat: int) -> bool:
        """Whether no more may wait: in all, or in a group, which is answered slowly."""
        in_group = self._waiting_of[chat] if chat < 0 else 0
        return self._waiting >= self._services.settings.queue or in_group >= self._most_of_group

    def _count(self, record: Record, photos: int) -> None:
        self._waiting += photos
        for key in {record.chat, record.person}:
            self._waiting_of[key] += photos
            if not self._waiting_of[key]:
                del self._waiting_of[key]
        self._services.metrics.waiting.set(self._waiting)


def _key(message: Message) -> tuple[int, int]:
    return message.chat.id, sender_of(message)


def _arrival(message: Message) -> float:
    """Return when a photo came, in seconds since 1970: here, unless Telegram kept it for long."""
    now, sent = time.time(), message.date.timestamp()
    return sent if now - sent > _BACKLOG_SECONDS else now
