"""The health page shows whether Telegram answers, and the loop's delays are measured."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
import urllib.error
import urllib.request

import pytest

from bot.service.health import health_server, watch_loop
from bot.service.metrics import Metrics
from core.errors import UsageRefused


def get(port: int, page: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{page}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


async def test_health_is_good_as_long_as_telegram_answers() -> None:
    now = 1000.0
    metrics = Metrics(clock=lambda: now)
    async with health_server(metrics, 0) as port:
        assert (await asyncio.to_thread(get, port, "/health"))[0] == 503
        metrics.contact()
        assert await asyncio.to_thread(get, port, "/health") == (200, '{"status": "ok"}')
        now += 121
        status, text = await asyncio.to_thread(get, port, "/health")
        assert status == 503
        assert "no contact with Telegram" in text
        assert (await asyncio.to_thread(get, port, "/"))[0] == 404
        _, metrics_text = await asyncio.to_thread(get, port, "/metrics")
    assert "catdog_bot_telegram_contact_seconds 121.0" in metrics_text


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is there on Linux only")
async def test_only_loopback_is_listened_on() -> None:
    """Whoever listens everywhere leaves the port to nobody."""
    async with health_server(Metrics(), 0) as port:
        with socket.socket() as other:
            other.bind(("127.0.0.2", port))


async def test_a_port_that_is_taken_is_reported() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageRefused, match="CATDOG_BOT_HEALTH_PORT"):
            async with health_server(Metrics(), port):
                pass


async def test_a_loop_that_is_held_up_is_noticed() -> None:
    metrics = Metrics()
    watching = asyncio.create_task(watch_loop(metrics))
    await asyncio.sleep(0.1)
    time.sleep(0.3)
    await asyncio.sleep(0.1)
    watching.cancel()
    worst = metrics.worst_lag._value.get()
    assert worst >= 0.2
