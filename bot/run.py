"""The bot for as long as it runs: start, serve, and stop in good order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from telegram import Update
from telegram.error import Conflict, NetworkError, TelegramError

from bot.app import Bot
from bot.service.health import health_server, watch_loop
from bot.service.secret import Secret
from bot.settings import Webhook
from core.notify import ServiceManager

log = logging.getLogger(__name__)

_UPDATES = [Update.MESSAGE, Update.CALLBACK_QUERY]
_POLL = 10  # seconds that Telegram may hold a request for updates
_RETRIES = 3  # of the first call, before it is said that Telegram cannot be reached
_GRACE = 20.0  # seconds for what waits, once told to stop
_BEAT = 5.0  # seconds between looks at how it goes
_ASK = 60.0  # seconds of silence after which Telegram is asked whether it is there
_HOUR = 3600.0


async def run(bot: Bot, *, ready: Callable[[], None], stop: asyncio.Event | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C, or until `stop` is set, then answer what waits.

    A second signal ends it at once; what waits is then answered after a restart.
    Raises TelegramError if Telegram cannot be reached or refuses the token.
    """
    stop = stop or asyncio.Event()
    hurry = asyncio.Event()
    manager = ServiceManager.from_environment(os.environ)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(bot.close)
        stack.enter_context(_signals(stop, hurry))
        if bot.settings.health_port is not None:
            await stack.enter_async_context(health_server(bot.metrics, bot.settings.health_port))
        await _reach(bot)
        stack.push_async_callback(bot.application.shutdown)
        await bot.begin()
        await bot.application.start()
        await _listen(bot)
        manager.ready()
        ready()
        tasks = [asyncio.create_task(work) for work in (_keep_house(bot, manager), bot.set_menu())]
        tasks.append(asyncio.create_task(watch_loop(bot.metrics)))
        try:
            await stop.wait()
        finally:
            manager.stopping()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await _finish(bot, hurry)


async def _reach(bot: Bot) -> None:
    """Make the first call to Telegram, which tells whether the token is good."""
    for left in range(_RETRIES, -1, -1):
        try:
            await bot.application.initialize()
        except TelegramError as error:
            if left == 0 or not isinstance(error, NetworkError):
                raise
            await asyncio.sleep(1)
        else:
            return


async def _listen(bot: Bot) -> None:
    """Have updates come: they are asked for, or Telegram sends them."""
    updater = bot.application.updater
    assert updater is not None
    webhook = bot.settings.webhook
    if webhook is None:
        await updater.start_polling(
            poll_interval=0,
            timeout=_POLL,
            bootstrap_retries=_RETRIES,
            allowed_updates=_UPDATES,
            error_callback=_Outages(),
        )
        return
    await updater.start_webhook(
        listen=webhook.listen,
        port=webhook.port,
        url_path=urlsplit(webhook.url).path.lstrip("/"),
        webhook_url=webhook.url,
        secret_token=webhook.secret.reveal(),
        bootstrap_retries=_RETRIES,
        allowed_updates=_UPDATES,
    )


async def _finish(bot: Bot, hurry: asyncio.Event) -> None:
    """Take no more in, and answer what waits for a while."""
    application = bot.application
    assert application.updater is not None
    await application.updater.stop()
    await application.stop()  # the updates that came are handled: photos are queued
    answering = asyncio.create_task(bot.finish(_GRACE))
    hurrying = asyncio.create_task(hurry.wait())
    await asyncio.wait([answering, hurrying], return_when=asyncio.FIRST_COMPLETED)
    if not answering.done():
        await bot.finish(0)
    await answering
    hurrying.cancel()


async def _keep_house(bot: Bot, manager: ServiceManager) -> None:
    """Tell the service manager how it goes, and forget what is old."""
    loop = asyncio.get_running_loop()
    next_hour = loop.time() + _HOUR
    while True:
        manager.alive()
        if bot.metrics.silence > _ASK:
            with contextlib.suppress(TelegramError):
                await bot.application.bot.get_me()
        if loop.time() >= next_hour:
            next_hour += _HOUR
            try:
                await bot.forget_old()
            except Exception:
                log.exception("old answers could not be forgotten")
        await asyncio.sleep(_BEAT)


class _Outages:
    """Logs a line when updates fail to come, and not each time that they do."""

    def __init__(self) -> None:
        self._last: type[TelegramError] | None = None

    def __call__(self, error: TelegramError) -> None:
        kind = type(error)
        level = logging.DEBUG if kind is self._last else logging.WARNING
        self._last = kind
        if isinstance(error, Conflict):
            log.log(
                level,
                "another program asks Telegram for this bot's messages, or a webhook is set: stop "
                "the other one (the token serves one bot at a time)",
            )
        else:
            log.log(level, "Telegram cannot be reached (%s); trying again", kind.__name__)


@contextlib.contextmanager
def _signals(stop: asyncio.Event, hurry: asyncio.Event) -> Iterator[None]:
    """Set `stop` at the first signal and `hurry` at the second."""
    loop = asyncio.get_running_loop()

    def wish() -> None:
        (hurry if stop.is_set() else stop).set()

    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":  # its loop has no handlers for signals
        before = {
            number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(wish))
            for number in numbers
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return
    for number in numbers:
        loop.add_signal_handler(number, wish)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def webhook_from(url: str, listen: str, port: int, secret: Secret | None) -> Webhook:
    """Set a webhook up; without a secret one is made up for this run."""
    return Webhook(url, listen, port, secret or Secret(secrets.token_urlsafe(32)))
