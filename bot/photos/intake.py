"""Takes photos in: each person's share, a bounded queue, kept in the store before any work."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from telegram import Message

from bot.photos.answer import Answering
from bot.photos.incoming import Attachment, language_of, sender_of
from bot.photos.lanes import Lanes
from bot.photos.notices import Notices
from bot.photos.rates import Allowance
from bot.service.metrics import Metrics
from bot.store import records
from bot.store.records import Asked, Purpose, Record
from bot.store.thread import StoreThread
from bot.words.catalogue import words_for
from core.store import StoreUnusable

log = logging.getLogger(__name__)

_SETTLED = 1.0  # seconds without another photo, and an album is taken to be complete
_MAX_ALBUM = 10  # Telegram's
_ASKED = 300.0  # seconds that photos may come after the one of their album that asked


@dataclass(slots=True)
class _Taken:
    """A photo that was taken in, and its row, once that is on disk."""

    asked: Asked
    row: asyncio.Task[int | None]


@dataclass(slots=True)
class _Album:
    """The photos of an album as they come: each is a message of its own."""

    is_asked: bool = False
    unasked: list[tuple[Message, Attachment]] = field(default_factory=list)
    taken: list[_Taken] = field(default_factory=list)
    grew: asyncio.Event = field(default_factory=asyncio.Event)

    async def settle(self) -> None:
        """Wait until no more photos come."""
        while len(self.taken) + len(self.unasked) < _MAX_ALBUM:
            self.grew.clear()
            try:
                await asyncio.wait_for(self.grew.wait(), _SETTLED)
            except TimeoutError:
                return


class Intake:
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
        self._share = Allowance(person_rate, person_rate / 60)
        self._lanes = Lanes()
        self._albums: dict[tuple[int, str], _Album] = {}
        self._waiting = 0
        self._waiting_of: Counter[int] = Counter()  # of each person, in each chat
        self._group_queue = max(person_rate, queue // 10)
        self._asked_albums: dict[tuple[int, str], float] = {}

    async def take(
        self,
        message: Message,
        attachment: Attachment,
        *,
        photo: int | None = None,
        author: int | None = None,
        purpose: Purpose = Purpose.WHAT,
        is_asked: bool = True,
    ) -> None:
        """Take a photo in, or say why not.

        `photo` and `author` are the number of the photo's message and of who sent it, if `message`
        is a command that points at it.
        A photo of an album that the bot was not asked about (`is_asked`) is answered with the
        others if it is asked about one of them. When this returns, the photo will be answered,
        come what may.
        """
        # up to the first await nothing else runs: photos keep the order in which they came
        album = message.media_group_id
        if album is not None and photo is None and purpose is Purpose.WHAT:
            await self._take_in_album(message, attachment, album, is_asked)
            return
        if not is_asked:
            return
        taken = self._accept(message, attachment, purpose, photo=photo, author=author)
        if taken is None:
            self._refuse(message)
            return
        self._lanes.add(self._lane(taken.asked), lambda: self._work([taken]))
        await asyncio.wait([taken.row])

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
        self, message: Message, attachment: Attachment, name: str, is_asked: bool
    ) -> None:
        key = (message.chat.id, name)
        album = self._albums.get(key)
        if album is None:
            album = self._albums[key] = _Album()
            sender = (message.chat.id, sender_of(message))
            self._lanes.add(sender, lambda: self._work_on_album(key))
        # only one photo has the caption that asks, and the others may come much later
        self._asked_albums = {
            one: at for one, at in self._asked_albums.items() if time.monotonic() - at < _ASKED
        }
        album.is_asked |= is_asked or key in self._asked_albums
        if album.is_asked:
            self._asked_albums[key] = time.monotonic()
        album.unasked.append((message, attachment))
        album.grew.set()
        if not album.is_asked:
            return
        rows = []
        refused = None
        for other, image in album.unasked:
            taken = self._accept(other, image, Purpose.WHAT, album=name)
            if taken is None:
                refused = refused or other
            else:
                album.taken.append(taken)
                rows.append(taken.row)
        album.unasked.clear()
        if refused is not None:
            self._refuse(refused)
        if rows:
            await asyncio.wait(rows)

    async def _work_on_album(self, key: tuple[int, str]) -> None:
        album = self._albums[key]
        try:
            await album.settle()
        finally:
            del self._albums[key]
        if album.taken:
            await self._work(sorted(album.taken, key=lambda taken: taken.asked.message))

    def _accept(
        self,
        message: Message,
        attachment: Attachment,
        purpose: Purpose,
        *,
        photo: int | None = None,
        author: int | None = None,
        album: str | None = None,
    ) -> _Taken | None:
        """Begin to keep what was asked; None if it is too much."""
        chat, person = message.chat.id, sender_of(message)
        if self._is_full(chat) or self._waiting_of[person] >= self._person_rate:
            return None
        if not self._share.take(person):
            return None
        asked = Asked(
            at=time.time(),
            chat=chat,
            message=message.message_id if photo is None else photo,
            asked=message.message_id,
            thread=message.message_thread_id if message.is_topic_message else None,
            person=person,
            author=person if author is None else author,
            language=language_of(message),
            purpose=purpose,
            album=album,
            file_id=attachment.file_id,
            size=attachment.size,
        )
        self._count(asked, 1)
        row = asyncio.create_task(self._store.run(lambda db: records.accept(db, asked)))
        return _Taken(asked, row)

    def _refuse(self, message: Message) -> None:
        is_full = self._is_full(message.chat.id)
        self._metrics.refused.labels("full" if is_full else "person-rate").inc()
        words = words_for(language_of(message))
        text = words.busy if is_full else words.too_fast.format(limit=self._person_rate)
        self._notices.say_now_and_then(message, text)

    async def _work(self, taken: list[_Taken]) -> None:
        """Answer photos that were taken in, unless their messages had been before."""
        try:
            ids = [row for one in taken if (row := await one.row) is not None]
            found = await self._store.run(lambda db: records.find_all(db, ids))
            if found:
                await self._answering.answer(found)
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
