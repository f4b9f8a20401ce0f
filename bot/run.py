"""The bot for as long as it runs: start, serve, and stop in good order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, TypeVar

from telegram import Update
from telegram.error import BadRequest, InvalidToken, NetworkError, TelegramError

from bot.app import Bot
from bot.handlers.menu import set_menu
from bot.service.health import health_server, watch_loop
from bot.service.instance import only_bot
from bot.service.supervision import Supervisor
from bot.settings import Webhook
from bot.telegram.polling import Polling
from bot.telegram.retry import retry
from bot.telegram.webhook import webhook_server
from core.errors import UsageRefused
from core.runtime.sd_notify import ServiceManager
from core.store.database import StoreUnusable

_UPDATES = [Update.MESSAGE, Update.CALLBACK_QUERY]
Made = TypeVar("Made")

# between tries of the first calls, before it is said that Telegram cannot be reached
_AWAY_SECONDS = (1.0, 1.0, 1.0)
_REFUSED_SECONDS = (1.0, 2.0, 4.0, 8.0)  # a server that restarts says 401 or 404, too
_GRACE_SECONDS = 20.0  # for what waits, once a stop is requested
_BEAT_SECONDS = 20.0  # between signs of life, where Telegram sends the messages
_CONTACT_SECONDS = 60.0  # between calls that show whether Telegram is there, then
_HANDLED_SECONDS = 45.0  # at most for updates that are being handled at the stop
_CONFIRM_SECONDS = 5.0  # to confirm to Telegram which updates were taken
_HOUR_SECONDS = 3600.0


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
        if not await _unless(stop, _patiently(bot.application.initialize)):
            return
        bot.metrics.contact()
        stack.push_async_callback(bot.application.shutdown)
        stack.push_async_callback(_finish, bot, hurry)
        await bot.begin()
        supervisor = Supervisor(bot.metrics)
        await stack.enter_async_context(_updates(bot, supervisor, manager))
        stack.push_async_callback(supervisor.stop)
        manager.ready()
        ready()
        supervisor.keep("housekeeping", lambda: _keep_house(bot))
        supervisor.keep("following the promoted model", bot.services.pool.follow)
        supervisor.keep("watching the loop", lambda: watch_loop(bot.metrics))
        bot.services.background.run("menu", lambda: set_menu(bot.services.bot, bot.services.store))
        await _unless(stop, supervisor.failure())
        manager.stopping()


async def _patiently(call: Callable[[], Awaitable[Made]]) -> Made:
    """Make one of the first calls, again for a while if it fails. Raises TelegramError."""
    try:
        return await retry(
            lambda: retry(call, _AWAY_SECONDS, _is_away),
            _REFUSED_SECONDS,
            lambda error: isinstance(error, InvalidToken),
        )
    except TelegramError:
        raise
    except Exception:
        raise NetworkError("an answer that cannot be read") from None


def _is_away(error: Exception) -> bool:
    """Whether Telegram is not there, or answers what the library cannot read."""
    if isinstance(error, TelegramError):
        return isinstance(error, NetworkError) and not isinstance(error, BadRequest)
    return True


@contextlib.asynccontextmanager
async def _updates(
    bot: Bot, supervisor: Supervisor, manager: ServiceManager
) -> AsyncIterator[None]:
    """Have updates come while the context lasts: they are asked for, or Telegram sends them."""
    webhook = bot.settings.webhook
    if webhook is not None:
        async with webhook_server(webhook, bot.updates, bot.metrics):
            await _set_webhook(bot, webhook)
            supervisor.keep("giving signs of life", lambda: _beat(bot, manager))
            supervisor.keep("keeping contact", lambda: _keep_contact(bot))
            yield
        return
    polling = Polling(
        bot.services.bot,
        bot.updates,
        bot.metrics,
        bot.outage,
        kinds=_UPDATES,
        alive=manager.alive,
    )
    supervisor.keep("asking for messages", polling.run)
    try:
        yield
    finally:
        await supervisor.stop()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(polling.confirm(), _CONFIRM_SECONDS)


async def _set_webhook(bot: Bot, webhook: Webhook) -> None:
    """Have updates sent to a webhook. Raises UsageRefused if Telegram does not take that."""
    secret = webhook.secret.reveal()
    try:
        await _patiently(
            lambda: bot.services.bot.set_webhook(
                webhook.url, allowed_updates=_UPDATES, secret_token=secret
            )
        )
    except BadRequest as error:
        raise UsageRefused(
            f"Telegram does not take the webhook ({error.message}). Check CATDOG_BOT_WEBHOOK_URL."
        ) from None


async def _finish(bot: Bot, hurry: asyncio.Event) -> None:
    """Answer what waits for a while, now that nothing more is taken in."""
    await bot.updates.handled(within=_HANDLED_SECONDS)  # photos are queued then
    if not await _unless(hurry, bot.finish(_GRACE_SECONDS)):
        await bot.finish(0)


async def _unless(event: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do something, unless or until an event is set; returns whether it was done."""
    doing, waiting = asyncio.create_task(work), asyncio.create_task(event.wait())
    await asyncio.wait([doing, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if doing.done():
        doing.result()
        return True
    doing.cancel()
    await asyncio.gather(doing, return_exceptions=True)
    return False


async def _beat(bot: Bot, manager: ServiceManager) -> None:
    """Give signs of life for as long as the store answers."""
    while True:
        with contextlib.suppress(StoreUnusable):  # it is said to whoever asks
            await bot.check()
        manager.alive()
        await asyncio.sleep(_BEAT_SECONDS)


async def _keep_contact(bot: Bot) -> None:
    """Note whether Telegram is there, which does not show where it sends the messages."""
    while True:
        with contextlib.suppress(TelegramError):
            await bot.services.bot.get_me()
            bot.metrics.contact()
        await asyncio.sleep(_CONTACT_SECONDS)


async def _keep_house(bot: Bot) -> None:
    while True:
        await asyncio.sleep(_HOUR_SECONDS)
        await bot.forget_old()


@contextlib.contextmanager
def _signals(stop: asyncio.Event, hurry: asyncio.Event) -> Iterator[None]:
    """Set `stop` at the first signal and `hurry` at the second."""
    loop = asyncio.get_running_loop()

    def request_stop() -> None:
        (hurry if stop.is_set() else stop).set()

    def on_signal(*_: object) -> None:  # the loops of some systems have no handlers for signals
        loop.call_soon_threadsafe(request_stop)

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
