"""The bot as a whole: Telegram on one side, the model on the other."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from telegram import Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    TypeHandler,
    filters,
)

from bot.answering.answer import Answering
from bot.answering.inference import InferencePool
from bot.answering.notices import Notices
from bot.answering.photo_queue import FRESH_SECONDS, PhotoQueue
from bot.answering.services import Services
from bot.background_tasks import BackgroundTasks
from bot.handlers.access import Admins, Gate
from bot.handlers.commands import Commands
from bot.handlers.donated_photos import DonatedPhotos
from bot.handlers.feedback import FeedbackButtons
from bot.handlers.messages import Messages
from bot.secret import Secret
from bot.service.metrics import Metrics
from bot.settings import BotSettings
from bot.store import records
from bot.store.chats import Chats
from bot.store.forgotten import Forgotten
from bot.store.thread import StoreThread
from bot.telegram.fetch import Fetcher
from bot.telegram.limiter import ChatRateLimiter
from bot.telegram.outage import Outage
from bot.telegram.request import CheckedRequest
from bot.telegram.updates import Updates
from core.model.classifier import Classifier

log = logging.getLogger(__name__)

_CONNECTIONS = 64
_CONNECT_SECONDS = 10.0
_SEND_SECONDS = 20.0  # after which nobody knows whether a message arrived
_POOL_SECONDS = 60.0
_DAY_SECONDS = 86_400.0

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
        """`serving` returns the model that serves now. Raises StoreUnusable."""
        self.settings = settings
        self.state_dir = state_dir
        self.metrics = metrics = Metrics()
        self.outage = Outage()
        limiter = ChatRateLimiter(settings.send_rate, metrics.waits, self.outage)
        self.application = _build(token, settings, limiter)
        self.updates = Updates(self.application, metrics)
        bot, store, background = self.application.bot, StoreThread(state_dir), BackgroundTasks()
        notices = Notices(bot, background)
        self.services = services = Services(
            settings=settings,
            metrics=metrics,
            bot=bot,
            store=store,
            pool=InferencePool(serving, settings.threshold),
            fetcher=Fetcher(bot, settings.max_bytes),
            background=background,
            notices=notices,
            chats=Chats(store, settings.allowed_chats, notices.announce),
            forgotten=Forgotten(),
        )
        self.photo_queue = PhotoQueue(services, Answering(services))
        self.donated = DonatedPhotos(services, state_dir)
        admins = Admins(bot)
        self.buttons = FeedbackButtons(services, admins, self.donated, limiter.turn_to_edit)
        commands = Commands(services, admins, self.photo_queue, self.donated)
        self._register(Gate(services), commands, Messages(services, self.photo_queue))

    def _register(self, gate: Gate, commands: Commands, messages: Messages) -> None:
        """Say which update is whose; edits and channels are nobody's."""
        application, new = self.application, filters.UpdateType.MESSAGE
        application.add_handler(TypeHandler(Update, self._count), group=-2)
        application.add_handler(TypeHandler(Update, gate.check), group=-1)
        for command in (
            commands.start, commands.help, commands.stats, commands.model, commands.privacy,
            commands.forget, commands.auto, messages.what, messages.why,
        ):  # fmt: skip
            application.add_handler(CommandHandler(command.__name__, command, filters=new))
        application.add_handler(CallbackQueryHandler(self.buttons.pressed))
        application.add_handler(MessageHandler(new & filters.StatusUpdate.MIGRATE, messages.moved))
        # what the commands' handlers did not take, in a group, may be another bot's
        others = ~filters.COMMAND | filters.ChatType.PRIVATE
        application.add_handler(
            MessageHandler(new & ~filters.StatusUpdate.ALL & others, messages.message)
        )
        application.add_error_handler(messages.error)

    async def begin(self) -> None:
        """Take up what an earlier run left: to be called before updates come."""
        await self.services.chats.load()
        await self.forget_old()
        since = time.time() - FRESH_SECONDS
        left = await self.services.store.run(records.unanswered, since=since)
        if left:
            log.info("photos from before the start are answered", extra={"photos": len(left)})
        self.photo_queue.resume(left)
        if self.settings.asks_for_photos:
            await self.donated.resume()

    async def check(self) -> None:
        """Raise StoreUnusable if the store cannot be read."""
        await self.services.store.run(lambda db: db.execute("SELECT 1").fetchone())

    async def forget_old(self) -> None:
        """Delete what is too old to be of use."""
        before = time.time() - records.KEPT_DAYS * _DAY_SECONDS
        await self.services.store.run(records.forget_old, before=before)

    async def finish(self, grace: float) -> None:
        """Answer what waits, for `grace` seconds at most: to be called when no updates come."""
        await self.photo_queue.stop(grace)
        await self.buttons.stop()
        await self.services.background.stop()

    async def close(self) -> None:
        self.services.pool.close()
        await self.services.store.close()

    async def _count(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        self.metrics.updates.inc()


def _build(token: Secret, settings: BotSettings, limiter: ChatRateLimiter) -> AnyApplication:
    # The library advises its own getUpdates, which parses a batch whole or not at all, and its own
    # getFile, which takes a relative path for one of the current folder.
    warnings.filterwarnings("ignore", message="Please use 'Bot.get(Updates|File)'")
    root = settings.api_url.rstrip("/")
    request = CheckedRequest(
        connection_pool_size=_CONNECTIONS,
        pool_timeout=_POOL_SECONDS,
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_SEND_SECONDS,
        write_timeout=_SEND_SECONDS,
    )
    application: AnyApplication = (
        Application.builder()
        .token(token.reveal())
        .base_url(f"{root}/bot")
        .base_file_url(f"{root}/file/bot")
        .request(request)
        .get_updates_request(CheckedRequest(connect_timeout=_CONNECT_SECONDS))
        .rate_limiter(limiter)
        .build()
    )
    return application
