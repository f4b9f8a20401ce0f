"""What could go wrong with the bot is reported, with what to do, and nothing is changed."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from catdog import main
from core.model.manifest import LITERT, read_manifest
from tests.bot.telegram_on_loopback import BotApi, Failure


def examine(bot_api: BotApi, token: str, **environment: str) -> Result:
    return CliRunner().invoke(
        main,
        ["doctor", "--bot", "--json"],
        env={"CATDOG_BOT_TOKEN": token, "CATDOG_BOT_API_URL": bot_api.url, **environment},
    )


def findings(result: Result) -> dict[str, tuple[str, str]]:
    lines = [json.loads(line) for line in result.output.splitlines()]
    return {line["check"]: (line["severity"], line["message"]) for line in lines}


def test_all_is_well(bot_api: BotApi, token: str) -> None:
    bot_api.reads_all_groups = True
    result = examine(bot_api, token)
    found = findings(result)
    assert result.exit_code == 0
    assert list(found) == ["token", "groups", "webhook", "clock", "files", "model", "state"]
    assert {severity for severity, _ in found.values()} == {"ok"}
    assert "@catdog_bot" in found["token"][1]
    assert {method for method, _ in bot_api.calls} <= {"getMe", "getWebhookInfo"}


def test_privacy_mode_is_a_warning(bot_api: BotApi, token: str) -> None:
    severity, message = findings(examine(bot_api, token))["groups"]
    assert severity == "warning"
    assert "/setprivacy" in message


def test_webhooks_are_compared(bot_api: BotApi, token: str) -> None:
    """One that polling will take away, another address, one that fails, and many that wait."""
    hook = "https://bot.example/hook"

    def webhook(**environment: str) -> tuple[str, str]:
        return findings(examine(bot_api, token, **environment))["webhook"]

    bot_api.webhook = {"url": hook}
    assert webhook()[0] == "warning"
    assert "takes it away" in webhook()[1]
    assert webhook(CATDOG_BOT_WEBHOOK_URL=hook)[0] == "ok"
    assert "another address" in webhook(CATDOG_BOT_WEBHOOK_URL="https://other.example")[1]
    failed: dict[str, Any] = {
        "last_error_date": int(time.time()) - 60,
        "last_error_message": "Bad certificate",
    }
    bot_api.webhook = {"url": hook, "info": failed}
    assert "Bad certificate" in webhook(CATDOG_BOT_WEBHOOK_URL=hook)[1]
    failed["last_error_date"] -= 86400
    assert webhook(CATDOG_BOT_WEBHOOK_URL=hook)[0] == "ok"
    bot_api.webhook = {"url": "", "pending": 1234}
    assert "1234 messages wait" in webhook()[1]


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
def test_a_clock_that_is_off_is_a_warning(bot_api: BotApi, token: str, ahead: float) -> None:
    bot_api.clock_ahead = ahead
    severity, message = findings(examine(bot_api, token))["clock"]
    assert severity == "warning"
    assert ("behind" if ahead > 0 else "ahead of") in message


def test_a_wrong_token_is_an_error_that_does_not_repeat_it(bot_api: BotApi) -> None:
    wrong = "999999:not-the-token-that-telegram-gave"
    result = examine(bot_api, wrong)
    assert result.exit_code == 1
    assert "does not accept" in findings(result)["token"][1]
    assert wrong not in result.output


def test_no_token_and_no_server_are_errors(bot_api: BotApi, token: str) -> None:
    result = examine(bot_api, "")
    assert result.exit_code == 1
    assert "@BotFather" in findings(result)["token"][1]
    result = examine(bot_api, token, CATDOG_BOT_API_URL=f"http://127.0.0.1:9/{token}")
    assert result.exit_code == 1
    assert "cannot be reached" in findings(result)["Telegram"][1]
    assert token not in result.output


def test_a_model_that_is_not_there_is_an_error(bot_api: BotApi, token: str, tmp_path: Path) -> None:
    result = examine(bot_api, token, CATDOG_MODEL=str(tmp_path / "none"))
    assert result.exit_code == 1
    assert findings(result)["model"][0] == "error"


def test_a_model_that_does_not_load_or_shows_no_heatmaps_is_reported(
    bot_api: BotApi, token: str, tiny_model: Path, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    manifest = read_manifest(model)
    assert manifest.outputs is not None
    assert findings(examine(bot_api, token, CATDOG_MODEL=str(model)))["model"] == (
        "ok", manifest.version,
    )  # fmt: skip
    replace(manifest, outputs=replace(manifest.outputs, activation=None)).write(model)
    severity, message = findings(examine(bot_api, token, CATDOG_MODEL=str(model)))["model"]
    assert severity == "ok"
    assert "no heat maps" in message
    (model / LITERT).write_bytes(b"cut")
    severity, message = findings(examine(bot_api, token, CATDOG_MODEL=str(model)))["model"]
    assert severity == "error"
    assert LITERT in message


def test_whether_files_can_be_fetched_is_tried_where_it_may_be(
    bot_api: BotApi, token: str, tmp_path: Path
) -> None:
    """A file goes to the owner and is taken away again; else it is said what to check."""
    severity, message = findings(examine(bot_api, token))["files"]
    assert severity == "ok"
    assert "not tried" in message
    assert "--local" in message
    assert findings(examine(bot_api, token, CATDOG_BOT_ALLOW_USER="5 6"))["files"][0] == "ok"
    assert [one["chat_id"] for one in bot_api.called("sendDocument")] == ["5"]
    assert [one["message_id"] for one in bot_api.called("deleteMessage")] == [
        str(bot_api.sent[0]["message_id"])
    ]
    bot_api.refused_downloads = [404] * 9
    severity, message = findings(examine(bot_api, token, CATDOG_BOT_ALLOW_USER="5"))["files"]
    assert severity == "error"
    assert "hands out no files" in message
    bot_api.refused_downloads = []
    path = str(tmp_path / "not-here")
    body = {"ok": True, "result": {"file_id": "f", "file_unique_id": "f", "file_path": path}}
    bot_api.fail("getFile", Failure(200, body=json.dumps(body).encode(), times=3))
    assert findings(examine(bot_api, token, CATDOG_BOT_ALLOW_USER="5"))["files"][0] == "error"
    bot_api.fail("sendDocument", Failure(403, "Forbidden: bot was blocked by the user"))
    severity, message = findings(examine(bot_api, token, CATDOG_BOT_ALLOW_USER="5"))["files"]
    assert severity == "warning"
    assert "Write to the bot once" in message
    assert len(bot_api.called("deleteMessage")) == 3


def test_settings_of_the_wrong_form_are_named(bot_api: BotApi, token: str) -> None:
    result = examine(bot_api, token, CATDOG_BOT_ALLOW_USER="1,2")
    assert result.exit_code == 2
    assert "CATDOG_BOT_ALLOW_USER takes numbers separated by spaces" in result.output
    result = examine(bot_api, token, CATDOG_BOT_API_URL=f"{bot_api.url}/bot")
    assert "without /bot" in result.output


def test_a_folder_and_the_bot_can_be_examined_together(
    bot_api: BotApi, token: str, tmp_path: Path
) -> None:
    environment = {"CATDOG_BOT_TOKEN": token, "CATDOG_BOT_API_URL": bot_api.url}
    result = CliRunner().invoke(main, ["doctor", str(tmp_path), "--bot"], env=environment)
    assert "ok       token: it is that of @catdog_bot" in result.output
    assert "ok       folder: " in result.output
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 2
    assert "--bot" in result.output
