"""A Bot API server on loopback, as much of Telegram's as the bot uses."""

from __future__ import annotations

import io
import itertools
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from PIL import Image

TOKEN = "123456:a-token-that-nobody-else-may-see"
DEADLINE = 60.0  # seconds; only a failing test waits that long


class BotApi:
    """What the server knows: updates to hand out, files, and the messages the bot sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.fetched: list[str] = []
        self.fail_downloads = False
        self._files: dict[str, bytes] = {}
        self._updates: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def send_photo(self, picture: Image.Image, *, kind: str = "message") -> int:
        """A person sends a photo, in two sizes as Telegram makes them."""
        sizes = []
        for side in (20, max(picture.size)):
            small = picture.copy()
            small.thumbnail((side, side))
            stream = io.BytesIO()
            small.save(stream, "JPEG")
            file_id = self._keep(stream.getvalue())
            sizes.append(
                {
                    "file_id": file_id,
                    "file_unique_id": file_id,
                    "width": small.width,
                    "height": small.height,
                    "file_size": len(stream.getvalue()),
                }
            )
        return self.send({"photo": sizes}, kind=kind)

    def send_file(
        self, content: bytes, *, name: str, mime_type: str | None = None, size: int | None = None
    ) -> int:
        """A person sends something as a file."""
        file_id = self._keep(content)
        document = {
            "file_id": file_id,
            "file_unique_id": file_id,
            "file_name": name,
            "file_size": len(content) if size is None else size,
        }
        if mime_type:
            document["mime_type"] = mime_type
        return self.send({"document": document})

    def send(self, content: dict[str, Any], *, kind: str = "message") -> int:
        """Queue an update; gives the message's number."""
        with self._changed:
            number = next(self._numbers)
            message = {
                "message_id": number,
                "date": int(time.time()),
                "chat": {"id": 77, "type": "private", "first_name": "Ann"},
                "from": {"id": 77, "is_bot": False, "first_name": "Ann"},
                **content,
            }
            if kind == "edited_message":
                message["edit_date"] = message["date"]
            if kind == "channel_post":
                message["chat"] = {"id": -5, "type": "channel", "title": "Pets"}
                del message["from"]
            self._updates.append({"update_id": number, kind: message})
            self._changed.notify_all()
            return number

    def replies_to(self, number: int, *, at_least: int = 1) -> list[str]:
        """Wait for the bot's replies to a message."""

        def texts() -> list[str]:
            return [m["text"] for m in self.sent if _reply_of(m) == number]

        with self._changed:
            assert self._changed.wait_for(lambda: len(texts()) >= at_least, DEADLINE), self.sent
            return texts()

    # What the handler calls

    def updates_from(self, offset: int, timeout: float) -> list[dict[str, Any]]:
        def waiting() -> list[dict[str, Any]]:
            return [update for update in self._updates if update["update_id"] >= offset]

        with self._changed:
            self._changed.wait_for(lambda: bool(waiting()), min(timeout, 1.0))
            return waiting()

    def receive(self, message: dict[str, Any]) -> dict[str, Any]:
        with self._changed:
            self.sent.append(message)
            self._changed.notify_all()
            return {
                "message_id": 10_000 + len(self.sent),
                "date": int(time.time()),
                "chat": {"id": int(message["chat_id"]), "type": "private"},
                "text": message["text"],
            }

    def file(self, file_id: str) -> bytes | None:
        return self._files.get(file_id)

    def _keep(self, content: bytes) -> str:
        file_id = f"file{len(self._files)}"
        self._files[file_id] = content
        return file_id


def _reply_of(message: dict[str, Any]) -> int | None:
    parameters = json.loads(message.get("reply_parameters", "{}"))
    return parameters.get("message_id")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that a stopped bot left open."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    api: BotApi
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        fields = dict(parse_qsl(body))
        token, _, method = unquote(self.path).removeprefix("/bot").rpartition("/")
        if token != TOKEN:
            self._answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
            return
        result: Any = True
        if method == "getMe":
            result = {"id": 1, "is_bot": True, "first_name": "catdog", "username": "catdog_bot"}
        elif method == "getUpdates":
            result = self.api.updates_from(
                int(fields.get("offset", 0)), float(fields.get("timeout", 0))
            )
        elif method == "sendMessage":
            result = self.api.receive(fields)
        elif method == "getFile":
            file_id = fields["file_id"]
            self.api.fetched.append(file_id)
            if self.api.fail_downloads:
                self._answer(
                    400,
                    {"ok": False, "error_code": 400, "description": "Bad Request: file is gone"},
                )
                return
            result = {"file_id": file_id, "file_unique_id": file_id, "file_path": f"p/{file_id}"}
        self._answer(200, {"ok": True, "result": result})

    def do_GET(self) -> None:
        content = self.api.file(self.path.rpartition("/")[2])
        assert unquote(self.path).startswith(f"/file/bot{TOKEN}/p/")
        assert content is not None
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def bot_api() -> Iterator[BotApi]:
    api = BotApi()
    yield api
    api.close()


@pytest.fixture
def token() -> str:
    return TOKEN


@pytest.fixture
def encode() -> Callable[..., bytes]:
    def to_bytes(picture: Image.Image, format: str) -> bytes:
        stream = io.BytesIO()
        picture.save(stream, format)
        return stream.getvalue()

    return to_bytes
