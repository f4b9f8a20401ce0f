"""The bot for as long as it runs: start, serve, and stop in good order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any
from urllib.parse import urlsplit

from telegram import Update
from telegram.error import BadRequest, InvalidToken, NetworkError, TelegramError

from bot.app import Bot
from bot.service.health import health_server, watch_loop
from bot.service.polling import Polling
from bot.service.secret import Secret
from bot.settings import Webhook
from core.errors import UsageRefused
from core.notify import ServiceManager

log = logging.getLogger(__name__)

_UPDATES = [Update.MESSAGE, Update.CALLBACK_QUERY]
_TRIES = 3  # at the first call again, before it is said that Telegram cannot be reached
_GRACE = 20.0  # seconds for what waits, once told to stop
_BEAT = 5.0  # seconds between signs of life
_CONFIRM = 5.0  # seconds to tell Telegram which updates were taken
_LOOKS_AN_HOUR = 60


async def run(bot: Bot, *, ready: Callable[[], None], stop: asyncio.Event | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C, or until `stop` is set, then answer what waits.

    A second signal ends it at once; what waits is then answered after a restart.
    Raises TelegramError if Telegram cannot be reached or refuses the token, and UsageRefused if a
    port is taken.
    """
    stop = stop or asyncio.Event()
    hurry = asyncio.Event()
    manager = ServiceManager.from_environment(os.environ)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(bot.close)
        stack.enter_context(_signals(stop, hurry))
        if bot.settings.health_port is not None:
            await stack.enter_async_context(health_server(bot.metrics, bot.settings.health_port))
        if not await _unless(stop, _reach(bot)):
            return
        stack.push_async_callback(bot.application.shutdown)
        stack.push_async_callback(_finish, bot, hurry)
        await bot.begin()
        await bot.application.start()
        await stack.enter_async_context(_updates(bot))
        manager.ready()
        ready()
        for work in (
            _beat(manager),
            _keep_house(bot),
            bot.set_menu(),
            bot.follow_model(),
            watch_loop(bot.metrics),
        ):
            stack.push_async_callback(_end, asyncio.create_task(work))
        await stop.wait()
        manager.stopping()


async def _reach(bot: Bot) -> None:
    """Make the first call to Telegram, which tells whether the token is good."""
    for left in range(_TRIES, -1, -1):
        try:
            await bot.application.initialize()
        except (NetworkError, InvalidToken) as error:  # a server that restarts says 404, too
            if left == 0 or (isinstance(error, InvalidToken) and left < _TRIES):
                raise
            await asyncio.sleep(1)
        else:
            return


@contextlib.asynccontextmanager
async def _updates(bot: Bot) -> AsyncIterator[None]:
    """Have updates come while the context lasts: they are asked for, or Telegram sends them."""
    application, webhook = bot.application, bot.settings.webhook
    if webhook is None:
        polling = Polling(application.bot, application.update_queue, _UPDATES, bot.metrics)
        task = asyncio.create_task(polling.run())
        try:
            yield
        finally:
            await _end(task)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(polling.confirm(), _CONFIRM)
        return
    assert application.updater is not None
    try:
        await application.updater.start_webhook(
            listen=webhook.listen,
            port=webhook.port,
            url_path=urlsplit(webhook.url).path.lstrip("/"),
            webhook_url=webhook.url,
            secret_token=webhook.secret.reveal(),
            bootstrap_retries=_TRIES,
            allowed_updates=_UPDATES,
        )
    except OSError as error:
        raise UsageRefused(
            f"Port {webhook.port} on {webhook.listen} cannot be listened on ({error.strerror}). "
            "Choose another with CATDOG_BOT_WEBHOOK_PORT."
        ) from None
    except BadRequest as error:
        raise UsageRefused(
            f"Telegram does not take the webhook ({error.message}). Check CATDOG_BOT_WEBHOOK_URL."
        ) from None
    try:
        yield
    finally:
        await application.updater.stop()


async def _finish(bot: Bot, hurry: asyncio.Event) -> None:
    """Answer what waits for a while, now that nothing more is taken in."""
    if bot.application.running:
        await bot.application.stop()  # the updates that came are handled: photos are queued
    if not await _unless(hurry, bot.finish(_GRACE)):
        await bot.finish(0)


async def _unless(event: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do something, unless or until an event is set; True if it was done."""
    doing, waiting = asyncio.create_task(work), asyncio.create_task(event.wait())
    await asyncio.wait([doing, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if doing.done():
        doing.result()
        return True
    await _end(doing)
    return False


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _beat(manager: ServiceManager) -> None:
    """Give signs of life for as long as the loop turns."""
    while True:
        manager.alive()
        await asyncio.sleep(_BEAT)


async def _keep_house(bot: Bot) -> None:
    """See whether Telegram is there, where it does not ask of itself, and forget what is old."""
    while True:
        try:
            await bot.forget_old()
        except Exception:
            log.exception("old answers could not be forgotten")
        for _ in range(_LOOKS_AN_HOUR):
            if bot.settings.webhook is not None:
                with contextlib.suppress(TelegramError):
                    await bot.application.bot.get_me()
            await asyncio.sleep(3600 / _LOOKS_AN_HOUR)


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
