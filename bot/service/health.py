"""Shows on loopback how the bot does: /health for a service manager, /metrics for Prometheus."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from bot.service.metrics import Metrics
from bot.service.retry_after import LONG_SECONDS
from core.errors import UsageRefused

_LOOPBACK = "127.0.0.1"
_EVERY_SECONDS = 0.05  # between measurements of the loop


@asynccontextmanager
async def health_server(metrics: Metrics, port: int) -> AsyncIterator[int]:
    """Listen while the context lasts; gives the port. Raises UsageRefused if it is taken."""
    parts = {"metrics": metrics}
    pages = [("/health", _Health, parts), ("/metrics", _Text, parts)]
    server = HTTPServer(Application(pages, log_function=lambda handler: None))
    try:
        sockets = bind_sockets(port, _LOOPBACK)
    except OSError as error:
        raise UsageRefused(
            f"Port {port} on {_LOOPBACK} cannot be listened on ({error.strerror}). Choose another "
            "with CATDOG_BOT_HEALTH_PORT."
        ) from None
    server.add_sockets(sockets)
    try:
        yield sockets[0].getsockname()[1]
    finally:
        server.stop()
        await server.close_all_connections()


async def watch_loop(metrics: Metrics) -> None:
    """Measure for ever how long the loop is held up."""
    loop = asyncio.get_running_loop()
    worst = 0.0
    while True:
        due = loop.time() + _EVERY_SECONDS
        await asyncio.sleep(_EVERY_SECONDS)
        late = max(0.0, loop.time() - due)
        metrics.lag.observe(late)
        if late > worst:
            worst = late
            metrics.worst_lag.set(worst)


class _Handler(RequestHandler):
    def initialize(self, metrics: Metrics) -> None:
        self.metrics = metrics

    def data_received(self, chunk: bytes) -> None:
        """Nothing is sent here."""


class _Health(_Handler):
    def get(self) -> None:
        waits = self.metrics.waits
        if not self.metrics.is_well:
            self.set_status(503)
            self.write({"status": "no contact with Telegram"})
        elif waits.longest > LONG_SECONDS:  # no ill of the bot's: a restart would not help
            whole = "the whole bot wait" if waits.of_all else "some wait"
            seconds = math.ceil(waits.longest)
            self.write({"status": f"ok; Telegram has {whole}", "halt_seconds": seconds})
        else:
            self.write({"status": "ok"})


class _Text(_Handler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.write(self.metrics.render())
