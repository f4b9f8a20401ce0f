"""The bot as a whole: Telegram on one side, the model on the other."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from telegram import Update
from telegram.ext import Application, ContextTypes, TypeHandler

from bot.answering.answer import Answering
from bot.answering.chats import Chats
from bot.answering.inference import InferencePool
from bot.answering.notices import Notices
from bot.answering.photo_queue import PhotoQueue
from bot.background_tasks import BackgroundTasks
from bot.handlers.access import Admins, Gate
from bot.handlers.commands import Commands
from bot.handlers.donated_photos import DonatedPhotos
from bot.handlers.feedback import FeedbackButtons
from bot.handlers.menu import set_menu
from bot.handlers.messages import Handlers
from bot.secret import Secret
from bot.service.metrics import Metrics
from bot.settings import BotSettings
from bot.store import records
from bot.store.forgotten import Forgotten
from bot.store.thread import StoreThread
from bot.telegram.fetch import Fetcher
from bot.telegram.limiter import ChatRateLimiter
from bot.telegram.outage import Outage
from bot.telegram.request import CheckedRequest
from bot.telegram.token_bucket import TokenBucket
from bot.telegram.updates import Updates
from core.model.classifier import Classifier

log = logging.getLogger(__name__)

_CONNECTIONS = 64
_SEND_TIMEOUT = 20.0  # seconds; after it nobody knows whether a message arrived
_CHAT_BURST, _CHAT_PER_SECOND = 20, 1.0  # answers in one private chat before Telegram minds
_FRESH = 20 * 3600.0  # seconds that a photo is answered after a restart
_DAY = 86_400.0

AnyApplication = Application[Any, Any, Any, Any, Any, Any]


class Bot:
    """The parts, put together."""

    def __init__(
        self,
        token: Secret,
        serving: Callable[[], Classifier],
        state_dir: Path,
        settings: BotSettings,
    ) -> None:
        """`serving` gives the model that serves now. Raises StoreUnusable."""
        self.settings = settings
        self.state_dir = state_dir
        self.metrics = Metrics()
        self.outage = Outage()
        limiter = ChatRateLimiter(settings.send_rate, self.metrics.halts, self.outage)
        self.application = _build(token, settings, limiter)
        self.updates = Updates(self.application, self.metrics)
        self._store = StoreThread(state_dir)
        self._pool = InferencePool(serving, settings.threshold)
        bot = self.application.bot
        fetcher = Fetcher(settings.max_bytes)
        pace = TokenBucket(_CHAT_BURST, _CHAT_PER_SECOND) if settings.send_rate else None
        self._background = BackgroundTasks()
        notices = Notices(bot, self._background)
        self._chats = Chats(self._store, settings.allowed_chats, notices.tell)
        answering = Answering(
            bot, self._store, self._pool, fetcher, self._chats, pace, self.metrics
        )
        self._photo_queue = PhotoQueue(
            self._store,
            answering,
            notices,
            self.metrics,
            queue=settings.queue,
            person_rate=settings.person_rate,
        )
        self._donated = DonatedPhotos(bot, self._store, fetcher, self._background, state_dir)
        admins, forgotten = Admins(bot), Forgotten()
        gate = Gate(settings, self._chats, notices)
        asks = settings.asks_for_photos
        self.application.add_handler(TypeHandler(Update, self._count), group=-2)
        self.application.add_handler(TypeHandler(Update, gate.check), group=-1)
        Commands(
            self._store, self._pool, self._chats, admins, notices, self._background,
            self._photo_queue, self._donated, forgotten, asks_for_photos=asks,
        ).register(self.application)  # fmt: skip
        self._buttons = FeedbackButtons(
            self._store, self._pool, self._donated, admins, forgotten, self.metrics,
            turn_to_edit=limiter.turn_to_edit, asks_for_photos=asks,
        )  # fmt: skip
        self._buttons.register(self.application)
        Handlers(
            self._photo_queue, notices, self._chats, self._store, self._pool, self.metrics
        ).register(self.application)

    async def begin(self) -> None:
        """Take up what an earlier run left: to be called before updates come."""
        await self._chats.load()
        await self.forget_old()
        since = time.time() - _FRESH
        left = await self._store.run(lambda db: records.unanswered(db, since=since))
        if left:
            log.info("photos from before the start are answered", extra={"photos": len(left)})
        self._photo_queue.resume(left)
        if self.settings.asks_for_photos:
            await self._donated.resume()

    async def check(self) -> None:
        """Look whether the store can be read. Raises StoreUnusable."""
        await self._store.run(lambda db: db.execute("SELECT 1").fetchone())

    async def follow_model(self) -> None:
        """Take another model as soon as one is promoted, for ever."""
        await self._pool.follow()

    async def set_menu(self) -> None:
        """Tell Telegram the commands."""
        await set_menu(self.application.bot, self._store)

    async def forget_old(self) -> None:
        """Take away what is too old to be of use."""
        before = time.time() - records.KEPT_DAYS * _DAY
        await self._store.run(lambda db: records.forget_old(db, before=before))

    async def finish(self, grace: float) -> None:
        """Answer what waits, for `grace` seconds at most: to be called when no updates come."""
        await self._photo_queue.stop(grace)
        await self._buttons.stop()
        await self._background.stop()

    async def close(self) -> None:
        """Close the store and end the threads."""
        self._pool.close()
        await self._store.close()

    async def _count(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        self.metrics.updates.inc()


def _build(token: Secret, settings: BotSettings, limiter: ChatRateLimiter) -> AnyApplication:
    # The library advises its own getUpdates, which parses a batch whole or not at all, and its own
    # getFile, which takes a relative path for one of the current folder.
    warnings.filterwarnings("ignore", message="Please use 'Bot.get(Updates|File)'")
    root = settings.api_url.rstrip("/")
    request = CheckedRequest(
        connection_pool_size=_CONNECTIONS,
        pool_timeout=60.0,
        connect_timeout=10.0,
        read_timeout=_SEND_TIMEOUT,
        write_timeout=_SEND_TIMEOUT,
    )
    application: AnyApplication = (
        Application.builder()
        .token(token.reveal())
        .base_url(f"{root}/bot")
        .base_file_url(f"{root}/file/bot")
        .request(request)
        .get_updates_request(CheckedRequest(connect_timeout=10.0))
        .rate_limiter(limiter)
        .build()
    )
    return application
