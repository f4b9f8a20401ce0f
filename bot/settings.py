"""How the bot is set up."""

from __future__ import annotations

from dataclasses import dataclass

from bot.secret import Secret


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where Telegram sends updates to, and where they are listened for behind a proxy."""

    url: str  # public, https
    listen: str
    port: int
    secret: Secret


@dataclass(frozen=True, slots=True)
class BotSettings:
    """How the bot is set up; the defaults are the command's."""

    api_url: str = "https://api.telegram.org"
    threshold: float | None = None  # can only raise those of the model's classes
    queue: int = 1000  # photos that may wait
    person_rate: int = 60  # photos of a person at once, and a minute after
    max_bytes: int = 20 * 2**20  # what the Bot API hands out
    asks_for_photos: bool = True
    allowed_users: frozenset[int] = frozenset()  # with the chats: none means everybody
    allowed_chats: frozenset[int] = frozenset()
    send_rate: int = 30  # messages a second; 0: no limit
    webhook: Webhook | None = None
    health_port: int | None = None
