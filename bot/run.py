"""The bot for as long as it runs: start, serve, and stop in good order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, TypeVar

from telegram import Update
from telegram.error import BadRequest, InvalidToken, NetworkError, TelegramError

from bot.app import Bot
from bot.secret import Secret
from bot.service.health import health_server, watch_loop
from bot.service.instance import only_bot
from bot.service.supervision import Supervisor
from bot.settings import Webhook
from bot.telegram.polling import Polling
from bot.telegram.webhook import webhook_server
from core.errors import UsageRefused
from core.runtime.sd_notify import ServiceManager
from core.store.database import StoreUnusable

log = logging.getLogger(__name__)

_UPDATES = [Update.MESSAGE, Update.CALLBACK_QUERY]
Made = TypeVar("Made")

# seconds between tries of the first calls, before it is said that Telegram cannot be reached
_TRIES = (1.0, 1.0, 1.0)
_REFUSED = (1.0, 2.0, 4.0, 8.0)  # or refuses the token: a server that restarts says 401 or 404, too
_GRACE = 20.0  # seconds for what waits, once told to stop
_BEAT = 20.0  # seconds between signs of life, where Telegram sends the messages
_AT_STOP = 45.0  # seconds at most for updates that are being handled
_CONFIRM = 5.0  # seconds to tell Telegram which updates were taken
_LOOKS_AN_HOUR = 60


async def run(bot: Bot, *, ready: Callable[[], None], stop: asyncio.Event | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C, or until `stop` is set, then answer what waits.

    A second signal ends it at once; what waits is then answered after a restart.
    Raises TelegramError if Telegram cannot be reached or refuses the token, UsageRefused if a
    port is taken, AnotherBot if one is at work with the state folder, and KeepsEnding if a part of
    the bot does.
    """
    stop = stop or asyncio.Event()
    hurry = asyncio.Event()
    manager = ServiceManager.from_environment(os.environ)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(bot.close)
        stack.enter_context(only_bot(bot.state_dir))
        stack.enter_context(_signals(stop, hurry))
        if bot.settings.health_port is not None:
            await stack.enter_async_context(health_server(bot.metrics, bot.settings.health_port))
        if not await _unless(stop, _reach(bot)):
            return
        stack.push_async_callback(bot.application.shutdown)
        stack.push_async_callback(_finish, bot, hurry)
        await bot.begin()
        supervisor = Supervisor(bot.metrics)
        await stack.enter_async_context(_updates(bot, supervisor, manager))
        stack.push_async_callback(supervisor.stop)
        manager.ready()
        ready()
        supervisor.keep("housekeeping", lambda: _keep_house(bot))
        supervisor.keep("looking for another model", bot.follow_model)
        supervisor.keep("watching the loop", lambda: watch_loop(bot.metrics))
        supervisor.once("setting the menu", bot.set_menu)
        await _unless(stop, supervisor.failure())
        manager.stopping()


async def _reach(bot: Bot) -> None:
    """Make the first call to Telegram, which tells whether the token is good."""
    await _patiently(bot.application.initialize)
    bot.metrics.contact()


async def _patiently(call: Callable[[], Awaitable[Made]]) -> Made:
    """Make one of the first calls, again for a while if it fails. Raises TelegramError."""
    waits, refusals = iter(_TRIES), iter(_REFUSED)
    while True:
        try:
            return await call()
        except BadRequest:
            raise
        except (NetworkError, InvalidToken) as error:
            wait = next(refusals if isinstance(error, InvalidToken) else waits, None)
            if wait is None:
                raise
        except TelegramError:
            raise
        except Exception as error:  # an answer that the library cannot read
            log.warning("Telegram's answer could not be read (%s)", type(error).__name__)
            wait = next(waits, None)
            if wait is None:
                raise NetworkError("an answer that cannot be read") from None
        await asyncio.sleep(wait)


@contextlib.asynccontextmanager
async def _updates(
    bot: Bot, supervisor: Supervisor, manager: ServiceManager
) -> AsyncIterator[None]:
    """Have updates come while the context lasts: they are asked for, or Telegram sends them."""
    webhook = bot.settings.webhook
    if webhook is None:
        polling = Polling(
            bot.application.bot, bot.updates, _UPDATES, bot.metrics, bot.outage,
            alive=manager.alive,
        )  # fmt: skip
        supervisor.keep("asking for messages", polling.run)
        try:
            yield
        finally:
            await supervisor.stop()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(polling.confirm(), _CONFIRM)
        return
    async with webhook_server(webhook, bot.updates, bot.metrics):
        await _tell_telegram(bot, webhook)
        supervisor.keep("giving signs of life", lambda: _beat(bot, manager))
        yield


async def _tell_telegram(bot: Bot, webhook: Webhook) -> None:
    """Say where updates are to be sent. Raises UsageRefused if Telegram does not take that."""
    try:
        await _patiently(
            lambda: bot.application.bot.set_webhook(
                webhook.url,
                allowed_updates=_UPDATES,
                secret_token=webhook.secret.reveal(),
            )
        )
    except BadRequest as error:
        raise UsageRefused(
            f"Telegram does not take the webhook ({error.message}). Check CATDOG_BOT_WEBHOOK_URL."
        ) from None


async def _finish(bot: Bot, hurry: asyncio.Event) -> None:
    """Answer what waits for a while, now that nothing more is taken in."""
    await bot.updates.handled(within=_AT_STOP)  # photos are queued then
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


async def _beat(bot: Bot, manager: ServiceManager) -> None:
    """Give signs of life for as long as the store answers."""
    while True:
        with contextlib.suppress(StoreUnusable):  # people are told of that
            await bot.check()
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
                    bot.metrics.contact()
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
