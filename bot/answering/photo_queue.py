"""Takes photos in: each person's share, a bounded queue, kept in the store before any work."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Sequence

from telegram import Message

from bot.answering.albums import Album, Albums, Key, Other, Taken
from bot.answering.answer import Answering
from bot.answering.incoming import Attachment, NotAPhoto, Pointed, language_of, sender_of
from bot.answering.keyed_queue import KeyedQueue
from bot.answering.notices import Notices
from bot.service.metrics import Metrics
from bot.store import records
from bot.store.records import Asked, Purpose, Record
from bot.store.thread import StoreThread
from bot.telegram.token_bucket import TokenBucket
from bot.words.catalogue import words_for
from core.store.database import StoreUnusable

log = logging.getLogger(__name__)

_OLD = 20 * 3600.0  # seconds: who sent a photo longer ago does not wait for its answer any more
_BACKLOG = 3600.0  # seconds from which on a photo is dated by Telegram, which kept it that long


class PhotoQueue:
    """Takes photos in and hands them on, in order for each person."""

    def __init__(
        self,
        store: StoreThread,
        answering: Answering,
        notices: Notices,
        metrics: Metrics,
        *,
        queue: int,
        person_rate: int,
    ) -> None:
        """`queue` photos may wait in all; a person may send `person_rate` at once, and as many
        a minute after."""
        self._store = store
        self._answering = answering
        self._notices = notices
        self._metrics = metrics
        self._queue = queue
        self._person_rate = person_rate
        self._share = TokenBucket(person_rate, person_rate / 60)
        self._lanes = KeyedQueue()
        self._open: dict[Key, Album] = {}
        self._albums = Albums()
        self._waiting = 0
        self._waiting_of: Counter[int] = Counter()  # of each person, in each chat
        self._group_queue = max(person_rate, queue // 10)

    async def take(
        self,
        message: Message,
        attachment: Attachment,
        *,
        pointed: Pointed | None = None,
        purpose: Purpose = Purpose.WHAT,
        is_asked: bool = True,
    ) -> None:
        """Take a photo in, or say why not.

        `pointed` is the photo, if `message` is a command that points at it.
        A photo of an album that the bot was not asked about (`is_asked`) is answered with the
        others if it is asked about one of them. When this returns, the photo will be answered,
        come what may.
        """
        # up to the first await nothing else runs: photos keep the order in which they came
        if time.time() - message.date.timestamp() > _OLD:
            self._metrics.refused.labels("old").inc()
            return
        key = _album_of(message) if pointed is None else None
        if key is not None:
            is_asked = self._albums.came(key, message.message_id, is_asked=is_asked)
            if purpose is Purpose.WHAT:
                await self._take_in_album(message, attachment, key, is_asked)
                return
        if not is_asked:
            return
        taken = self._accept(message, attachment, purpose, pointed=pointed, album=key)
        if taken is None:
            self._refuse(message)
            return
        self._lanes.add(self._lane(taken.asked), lambda: self._work([taken]))
        await asyncio.wait([taken.row])

    async def take_other(self, message: Message, what: NotAPhoto, *, is_asked: bool) -> None:
        """Take in what is no photo and part of an album."""
        key = _album_of(message)
        assert key is not None
        is_asked = self._albums.came(key, message.message_id, is_asked=is_asked)
        album = self._album(key, message)
        album.is_asked |= is_asked
        album.others.append((message, what))
        album.grew.set()
        if is_asked:
            await self._ask(album, key)

    def forget(self, person: int) -> None:
        """Drop what a person sent and nobody has asked about."""
        for album in self._open.values():
            album.forget(person)

    def resume(self, left: Sequence[Record]) -> None:
        """Go on with what a bot that was killed had accepted; albums together."""
        albums: dict[tuple[int, str], list[Record]] = {}
        for record in left:
            if record.asked.album is not None:
                albums.setdefault((record.asked.chat, record.asked.album), []).append(record)
        for record in left:
            album = record.asked.album
            if album is None:
                self._add([record])
            elif together := albums.pop((record.asked.chat, album), None):
                self._add(together)

    async def stop(self, grace: float) -> None:
        """Answer what waits, for `grace` seconds at most; the rest is answered after a restart."""
        if not await self._lanes.stop(grace):
            log.info("photos are left for the next start", extra={"photos": self._waiting})

    async def _take_in_album(
        self, message: Message, attachment: Attachment, key: Key, is_asked: bool
    ) -> None:
        album = self._album(key, message)
        album.is_asked |= is_asked
        album.unasked.append((message, attachment))
        album.grew.set()
        if album.is_asked:
            await self._ask(album, key)

    def _album(self, key: Key, message: Message) -> Album:
        """Give an album that grows; a new one has its turn after what its sender sent before."""
        album = self._open.get(key)
        if album is None:
            album = self._open[key] = Album()
            sender = (message.chat.id, sender_of(message))
            self._lanes.add(sender, lambda: self._work_on_album(key))
        return album

    async def _ask(self, album: Album, key: Key) -> None:
        """Take in what came of an album before it was asked about."""
        rows: list[asyncio.Future[int | None]] = []
        refused = None
        for message, image in album.unasked:
            taken = self._accept(message, image, Purpose.WHAT, album=key)
            if taken is None:
                refused = refused or message
            else:
                album.taken.append(taken)
                rows.append(taken.row)
        album.unasked.clear()
        if refused is not None:
            self._refuse(refused)
        if rows:
            await asyncio.wait(rows)

    async def _work_on_album(self, key: Key) -> None:
        album = self._open[key]
        try:
            await album.settle()
        finally:
            del self._open[key]
        others = [
            Other(self._albums.position(key, message.message_id), what)
            for message, what in sorted(album.others, key=lambda one: one[0].message_id)
        ]
        if album.taken:
            taken = sorted(album.taken, key=lambda one: one.asked.message)
            await self._place(key, taken)
            if others:
                self._albums.first_notice(key)
            await self._work(taken, others)
        elif others and album.is_asked and self._albums.first_notice(key):
            first = album.others[0][0]
            sentence: str = getattr(words_for(language_of(first)), others[0].what)
            self._notices.say(first, sentence)

    async def _place(self, key: Key, taken: Sequence[Taken]) -> None:
        """Number the photos of an album as the person sees them, now that all have come."""
        positions = {}
        for one in taken:
            position = self._albums.position(key, one.asked.message)
            with contextlib.suppress(StoreUnusable):
                row = await one.row
                if row is not None and position != one.asked.position:
                    positions[row] = position
        if positions:
            with contextlib.suppress(StoreUnusable):
                await self._store.run(lambda db: records.place(db, positions))

    def _accept(
        self,
        message: Message,
        attachment: Attachment,
        purpose: Purpose,
        *,
        pointed: Pointed | None = None,
        album: Key | None = None,
    ) -> Taken | None:
        """Begin to keep what was asked; None if it is too much."""
        chat, person = message.chat.id, sender_of(message)
        if self._is_full(chat) or self._waiting_of[person] >= self._person_rate:
            return None
        if not self._share.take(person):
            return None
        number = message.message_id
        asked = Asked(
            at=_arrival(message),
            chat=chat,
            message=number if pointed is None else pointed.message,
            asked=number,
            thread=message.message_thread_id if message.is_topic_message else None,
            person=person,
            author=person if pointed is None else pointed.author,
            language=language_of(message),
            purpose=purpose,
            album=album[1] if album is not None and purpose is Purpose.WHAT else None,
            file_id=attachment.file_id,
            size=attachment.size,
            position=self._position(pointed, album, number),
            has_spoiler=attachment.has_spoiler,
        )
        self._count(asked, 1)
        return Taken(asked, self._store.submit(lambda db: records.accept(db, asked)))

    def _position(self, pointed: Pointed | None, album: Key | None, message: int) -> int | None:
        if pointed is not None:
            return pointed.position
        return None if album is None else self._albums.position(album, message)

    def _refuse(self, message: Message) -> None:
        is_full = self._is_full(message.chat.id)
        self._metrics.refused.labels("full" if is_full else "person-rate").inc()
        words = words_for(language_of(message))
        text = words.busy if is_full else words.too_fast.format(limit=self._person_rate)
        self._notices.say_now_and_then(message, text)

    async def _work(self, taken: Sequence[Taken], others: Sequence[Other] = ()) -> None:
        """Answer photos that were taken in, unless their messages had been before."""
        try:
            ids = [row for one in taken if (row := await one.row) is not None]
            found = await self._store.run(lambda db: records.find_all(db, ids))
            if found:
                await self._answering.answer(found, others)
        except Exception as error:
            await self._apologise(taken[0].asked, error)
        finally:
            for one in taken:
                self._count(one.asked, -1)

    def _add(self, together: list[Record]) -> None:
        async def work() -> None:
            try:
                await self._answering.answer(together)
            except Exception as error:
                await self._apologise(together[0].asked, error)
            finally:
                for one in together:
                    self._count(one.asked, -1)

        for one in together:
            self._count(one.asked, 1)
        self._lanes.add(self._lane(together[0].asked), work)

    async def _apologise(self, asked: Asked, error: Exception) -> None:
        if isinstance(error, StoreUnusable):
            log.error("a photo could not be answered: %s", error)
        else:
            log.error("a photo could not be answered", exc_info=error)
        self._metrics.bugs.inc()
        await self._answering.say(asked, words_for(asked.language).trouble)

    def _lane(self, asked: Asked) -> tuple[int, int]:
        return asked.chat, asked.person

    def _is_full(self, chat: int) -> bool:
        """Tell whether no more may wait: in all, or in a group, which Telegram lets be answered
        slowly."""
        in_group = self._waiting_of[chat] if chat < 0 else 0
        return self._waiting >= self._queue or in_group >= self._group_queue

    def _count(self, asked: Asked, photos: int) -> None:
        self._waiting += photos
        for key in {asked.chat, asked.person}:
            self._waiting_of[key] += photos
            if not self._waiting_of[key]:
                del self._waiting_of[key]
        self._metrics.waiting.set(self._waiting)


def _album_of(message: Message) -> Key | None:
    name = message.media_group_id
    return None if name is None else (message.chat.id, name)


def _arrival(message: Message) -> float:
    """Give when a photo came, in seconds since 1970: here, unless Telegram kept it for long."""
    now, sent = time.time(), message.date.timestamp()
    return sent if now - sent > _BACKLOG else now
