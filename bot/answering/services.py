"""What photos are answered with, and messages handled."""

from __future__ import annotations

from dataclasses import dataclass

from telegram.ext import ExtBot

from bot.answering.inference import InferencePool
from bot.answering.notices import Notices
from bot.background_tasks import BackgroundTasks
from bot.service.metrics import Metrics
from bot.settings import BotSettings
from bot.store.chats import Chats
from bot.store.forgotten import Forgotten
from bot.store.thread import StoreThread
from bot.telegram.delivery import Delivery
from bot.telegram.fetch import Fetcher


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the bot that others work with."""

    settings: BotSettings
    metrics: Metrics
    bot: ExtBot[Delivery]
    store: StoreThread
    pool: InferencePool
    fetcher: Fetcher
    background: BackgroundTasks
    notices: Notices
    chats: Chats
    forgotten: Forgotten
