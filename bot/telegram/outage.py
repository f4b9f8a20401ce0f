"""Telegram is away: a line when that begins, and a line when it ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

_QUIET_SECONDS = 60.0  # after the end of an outage
ASKING, SENDING, FETCHING = "asking for messages", "sending", "fetching files"


class Outage:
    """What does not get through to Telegram, whoever tries, logged as one thing.

    What fails soon after the end belongs to the same outage, and is logged only if it lasts.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failing: set[str] = set()
        self._is_logged = False
        self._quiet_until = float("-inf")
        self._not_known = 0

    def failed(self, way: str, reason: str, *, is_known: bool = True) -> None:
        """Note that a way to Telegram failed; only the first to do so is a line.

        `is_known` is whether it is certain that the call had no effect.
        """
        self._failing.add(way)
        self._not_known += not is_known
        if not self._is_logged and self._clock() >= self._quiet_until:
            self._is_logged = True
            log.warning("Telegram cannot be reached (%s: %s); trying again", way, reason)

    def worked(self, way: str) -> None:
        """Note that a way works; the line that all do comes with the last."""
        if way not in self._failing:
            return
        self._failing.discard(way)
        if way == ASKING:  # where Telegram hands out messages again, the others are no worse
            self._failing.clear()
        if self._failing or not self._is_logged:
            return
        self._is_logged = False
        self._quiet_until = self._clock() + _QUIET_SECONDS
        if self._not_known:
            log.warning(
                "Telegram is there again; calls of which it is not known whether they had their "
                "effect, and which are not made again: %d",
                self._not_known,
            )
            self._not_known = 0
        else:
            log.warning("Telegram is there again")
