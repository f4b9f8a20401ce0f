"""Takes the updates that Telegram sends: each is in the store before it is acknowledged."""

from __future__ import annotations

import hmac
import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from bot.service.metrics import Metrics
from bot.settings import Webhook
from bot.telegram.updates import Updates
from core.errors import UsageRefused

log = logging.getLogger(__name__)

_HANDLED_SECONDS = 25.0  # Telegram sends again what is not acknowledged
_SECRET = "X-Telegram-Bot-Api-Secret-Token"


@asynccontextmanager
async def webhook_server(
    webhook: Webhook, updates: Updates, metrics: Metrics
) -> AsyncIterator[None]:
    """Listen while the context lasts. Raises UsageRefused if the port is taken.

    The library's own server acknowledges an update before anybody has handled it.
    """
    path = urlsplit(webhook.url).path.rstrip("/")
    parts = {"webhook": webhook, "updates": updates, "metrics": metrics}
    pages = [(rf"{re.escape(path)}/?", _Update, parts)]
    server = HTTPServer(Application(pages, log_function=lambda handler: None))
    try:
        sockets = bind_sockets(webhook.port, webhook.listen)
    except OSError as error:
        raise UsageRefused(
            f"Port {webhook.port} on {webhook.listen} cannot be listened on ({error.strerror}). "
            "Choose another with CATDOG_BOT_WEBHOOK_PORT."
        ) from None
    server.add_sockets(sockets)
    try:
        yield
    finally:
        server.stop()
        await updates.handled(
            within=_HANDLED_SECONDS
        )  # and acknowledged, as far as that is possible
        await server.close_all_connections()


class _Update(RequestHandler):
    def initialize(self, webhook: Webhook, updates: Updates, metrics: Metrics) -> None:
        self._webhook = webhook
        self._updates = updates
        self._metrics = metrics

    def data_received(self, chunk: bytes) -> None:
        """The body comes as a whole."""

    async def post(self) -> None:
        """Acknowledge an update that is handled.

        One that nobody can read is acknowledged, too: it would come again for ever.
        """
        shown = self.request.headers.get(_SECRET, "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, self._webhook.secret.reveal().encode()):
            self.set_status(403)
            return
        self._metrics.contact()
        task = self._updates.handle(_json(self.request.body))
        if task is not None and not await self._updates.handled([task], within=_HANDLED_SECONDS):
            log.error("an update takes too long to be handled; Telegram will send it again")
            self.set_status(503)


def _json(body: bytes) -> object:
    """Return what a body holds; None if it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
