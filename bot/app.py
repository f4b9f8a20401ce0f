"""The bot as a whole: Telegram on one side, the model on the other."""

from __future__ import annotations

from typing import Any

from telegram.ext import AIORateLimiter, Application

from bot.handlers import Handlers
from bot.inference import InferencePool
from core.classifier import Classifier

_UPDATES_AT_ONCE = 8  # each holds a photo of up to 20 MB in memory


def build_application(
    token: str, classifier: Classifier, *, threshold: float, api_url: str
) -> Application[Any, Any, Any, Any, Any, Any]:
    """Put the bot together; `api_url` is the root of a Bot API server."""
    inference = InferencePool(classifier)

    async def close(application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        inference.close()

    root = api_url.rstrip("/")
    application = (
        Application.builder()
        .token(token)
        .base_url(f"{root}/bot")
        .base_file_url(f"{root}/file/bot")
        .rate_limiter(AIORateLimiter(max_retries=3))
        .concurrent_updates(_UPDATES_AT_ONCE)
        .post_shutdown(close)
        .build()
    )
    Handlers(classifier.manifest, inference, threshold).register(application)
    return application
