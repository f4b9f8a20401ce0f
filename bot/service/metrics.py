"""What the bot counts, for whoever watches over it; nothing in it is about a person."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from bot.service.halts import Halts

_SILENCE_SECONDS = 120.0  # without an answer from Telegram, and the bot is not well
_ANSWER_SECONDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
_LAG_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)


class Metrics:
    """Counters in Prometheus's form, and whether all is well."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_contact = float("-inf")
        self._registry = to = CollectorRegistry()
        self.halts = Halts(clock=clock)
        ProcessCollector(registry=to)
        PlatformCollector(registry=to)
        self.updates = Counter("catdog_bot_updates", "Updates taken", registry=to)
        self._answers = Counter(
            "catdog_bot_answers", "Photos answered, by outcome", ["outcome"], registry=to
        )
        self._seconds = Histogram(
            "catdog_bot_answer_seconds",
            "From a photo's arrival here to its answer",
            buckets=_ANSWER_SECONDS,
            registry=to,
        )
        self.refused = Counter(
            "catdog_bot_refused", "Photos not taken, by reason", ["reason"], registry=to
        )
        self.feedback = Counter("catdog_bot_feedback", "Buttons pressed under answers", registry=to)
        self.bugs = Counter("catdog_bot_bugs", "Errors nobody expected", registry=to)
        self.restarts = Counter(
            "catdog_bot_restarts", "Tasks that ended and were started again", ["task"], registry=to
        )
        self.waiting = Gauge("catdog_bot_waiting", "Photos waiting", registry=to)
        self.lag = Histogram(
            "catdog_bot_loop_lag_seconds",
            "How long the event loop was held up, looked at 20 times a second",
            buckets=_LAG_SECONDS,
            registry=to,
        )
        self.worst_lag = Gauge(
            "catdog_bot_loop_lag_max_seconds",
            "Longest time the loop was held up since the start",
            registry=to,
        )
        contact = Gauge(
            "catdog_bot_telegram_contact_seconds",
            "Seconds since Telegram last answered",
            registry=to,
        )
        contact.set_function(lambda: self.silence)
        halted = Gauge("catdog_bot_halted_chats", "Chats that Telegram has wait", registry=to)
        halted.set_function(lambda: self.halts.chats)
        halt = Gauge(
            "catdog_bot_halt_seconds",
            "Seconds for which Telegram has a chat, a call or the whole bot wait",
            registry=to,
        )
        halt.set_function(lambda: self.halts.longest)

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
