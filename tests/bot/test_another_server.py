"""The bot against a Bot API server that was not made here: telegram-test-api, from npm."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.app import Bot
from bot.run import run
from bot.secret import Secret
from bot.settings import BotSettings
from core.model.classifier import Classifier
from tests.bot.telegram_on_loopback import DEADLINE, TOKEN

pytestmark = pytest.mark.long

_PACKAGE = "telegram-test-api@4.2.1"
_SERVER = """
// it leaves out of getMe what every answer of Telegram's holds
const me = require('telegram-test-api/lib/routes/bot/getMe');
const itself = {id: 666, is_bot: true, first_name: 'Test', username: 'TestNameBot'};
me.getMe = (app) => app.all('/bot:token/getMe', (_, res) => res.json({ok: true, result: itself}));
const TelegramServer = require('telegram-test-api');
const [port, token] = process.argv.slice(1);
const settings = {port: Number(port), host: '127.0.0.1'};
const server = new (TelegramServer.default || TelegramServer)(settings);
const show = (value) => console.log(JSON.stringify(value));
server.start().then(async () => {
  const client = server.getClient(token, {timeout: 60000});
  show('ready');
  await client.sendCommand(client.makeCommand('/start'));
  show((await client.getUpdates()).result);
  await client.sendMessage(client.makeMessage('hello'));
  show((await client.getUpdates()).result);
});
"""


@pytest.fixture
def node(tmp_path: Path) -> tuple[str, Path]:
    """Node, and a folder in which the server is installed."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("node and npm are not here")
    command = [
        npm,
        "install",
        "--prefix",
        str(tmp_path),
        "--ignore-scripts",
        "--no-audit",
        _PACKAGE,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    if done.returncode != 0:
        pytest.skip("npm does not get at telegram-test-api")
    return found, tmp_path


async def test_commands_and_words_are_answered(
    node: tuple[str, Path], classifier: Classifier, state: Path, free_port: int
) -> None:
    program, folder = node
    server = await asyncio.create_subprocess_exec(
        program, "-e", _SERVER, str(free_port), TOKEN,
        cwd=folder, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert server.stdout is not None

    async def said() -> Any:
        return json.loads(await asyncio.wait_for(server.stdout.readline(), DEADLINE))  # type: ignore[union-attr]

    stop = asyncio.Event()
    try:
        assert await said() == "ready"
        settings = BotSettings(api_url=f"http://127.0.0.1:{free_port}", threshold=0.6)
        bot = Bot(Secret(TOKEN), lambda: classifier, state, settings)
        running = asyncio.create_task(run(bot, ready=lambda: None, stop=stop))
        texts = [update["message"]["text"] for update in await said()]
        assert len(texts) == 1
        assert texts[0].startswith("Hello!")
        texts = [update["message"]["text"] for update in await said()]
        assert len(texts) == 1
        assert texts[0].startswith("Send me a photo")
        stop.set()
        await running
    finally:
        server.kill()
        await server.wait()
