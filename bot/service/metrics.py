"""What the bot counts, for whoever watches over it; nothing in it is about a person."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from bot.service.retry_after import RetryAfterWaits

_SILENCE_SECONDS = 120.0  # without an answer from Telegram, and the bot is not well
_ANSWER_SECONDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
_LAG_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)


class Metrics:
    """Counters in Prometheus's form, and whether all is well."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_contact = float("-inf")
        self._registry = registry = CollectorRegistry()
        self.waits = RetryAfterWaits(clock=clock)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        counter = partial(Counter, namespace="catdog_bot", registry=registry)
        gauge = partial(Gauge, namespace="catdog_bot", registry=registry)
        histogram = partial(Histogram, namespace="catdog_bot", registry=registry)
        self.updates = counter("updates", "Updates taken")
        self._answers = counter("answers", "Photos answered, by outcome", ["outcome"])
        self._seconds = histogram(
            "answer_seconds", "From a photo's arrival here to its answer", buckets=_ANSWER_SECONDS
        )
        self.refused = counter("refused", "Photos not taken, by reason", ["reason"])
        self.feedback = counter("feedback", "Buttons pressed under answers")
        self.bugs = counter("bugs", "Errors nobody expected")
        self.restarts = counter("restarts", "Tasks that ended and were started again", ["task"])
        self.waiting = gauge("waiting", "Photos waiting")
        self.lag = histogram(
            "loop_lag_seconds",
            "How long the event loop was held up, looked at 20 times a second",
            buckets=_LAG_SECONDS,
        )
        self.worst_lag = gauge(
            "loop_lag_max_seconds", "Longest time the loop was held up since the start"
        )
        contact = gauge("telegram_contact_seconds", "Seconds since Telegram last answered")
        contact.set_function(lambda: self.silence)
        halted = gauge("halted_chats", "Chats that Telegram has wait")
        halted.set_function(lambda: self.waits.chats)
        halt = gauge(
            "halt_seconds", "Seconds for which Telegram has a chat, a call or the whole bot wait"
        )
        halt.set_function(lambda: self.waits.longest)

    @property
    def silence(self) -> float:
        """Seconds since Telegram last answered; infinite before it ever did."""
        return self._clock() - self._last_contact

    @property
    def is_well(self) -> bool:
        return self.silence < _SILENCE_SECONDS

    def contact(self) -> None:
        """Note that Telegram answered."""
        self._last_contact = self._clock()

    def answered(self, outcome: str, seconds: float) -> None:
        """Count a photo that was answered."""
        self._answers.labels(outcome).inc()
        self._seconds.observe(seconds)

    def render(self) -> bytes:
        return generate_latest(self._registry)
