"""The bot against a Bot API server on loopback."""

from __future__ import annotations

import asyncio
import io
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.app import Bot
from bot.run import run
from bot.secret import Secret
from bot.settings import BotSettings
from core.labels import PhotoClass, classes_from_folders
from core.model.classifier import Classifier
from core.model.manifest import read_manifest
from tests.bot.telegram_on_loopback import TOKEN, BotApi

Running = Callable[..., AbstractAsyncContextManager[Bot]]


@pytest.fixture
def bot_api() -> Iterator[BotApi]:
    api = BotApi()
    yield api
    api.close()


@pytest.fixture
def token() -> str:
    return TOKEN


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def running(bot_api: BotApi, classifier: Classifier, state: Path) -> Running:
    """The bot as it runs, in the test's loop: `async with running() as bot`."""

    @asynccontextmanager
    async def context(
        model: Classifier = classifier,
        serving: Callable[[], Classifier] | None = None,
        **settings: Any,
    ) -> AsyncIterator[Bot]:
        chosen = BotSettings(**{"api_url": bot_api.url, "threshold": 0.6, **settings})
        bot = Bot(Secret(TOKEN), serving or (lambda: model), state, chosen)
        ready, stop = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(run(bot, ready=ready.set, stop=stop))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            waiting.cancel()
            task.result()
        try:
            yield bot
        finally:
            stop.set()
            await task

    return context


@pytest.fixture
def with_classes(tiny_model: Path, tmp_path: Path) -> Callable[[Sequence[PhotoClass]], Classifier]:
    """Have the tiny model's outputs stand for other classes, or with other thresholds."""

    def make(classes: Sequence[PhotoClass]) -> Classifier:
        folder = Path(shutil.copytree(tiny_model, tmp_path / "with-classes"))
        replace(read_manifest(folder), classes=tuple(classes)).write(folder)
        return Classifier(folder)

    return make


@pytest.fixture
def knows_both(with_classes: Callable[[Sequence[PhotoClass]], Classifier]) -> Classifier:
    """A model that takes what is green for a photo of both."""
    classes = classes_from_folders(["cats", "dogs", "both"])
    return with_classes([one.with_threshold(0.6) for one in classes])


@pytest.fixture
def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@pytest.fixture
def encode() -> Callable[..., bytes]:
    def to_bytes(picture: Image.Image, format: str, **options: Any) -> bytes:
        stream = io.BytesIO()
        picture.save(stream, format, **options)
        return stream.getvalue()

    return to_bytes
