"""A Bot API server on loopback, as much of Telegram's as the bot uses, and its bad days."""

from __future__ import annotations

import email.parser
import email.policy
import io
import itertools
import json
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

from PIL import Image

TOKEN = "123456:a-token-that-nobody-else-may-see"
BOT = {"id": 1, "is_bot": True, "first_name": "catdog", "username": "catdog_bot"}
GROUP = -77
DEADLINE = 180.0  # seconds; only a failing test waits that long


@dataclass
class Failure:
    """How a call goes wrong, so many times."""

    status: int
    description: str = "it went wrong"
    parameters: dict[str, Any] = field(default_factory=dict)
    times: int = 1
    when: Callable[[dict[str, Any]], bool] = lambda fields: True
    done: bool = False  # True: the call has its effect all the same, and the line is cut
    hold: float = 0.0  # seconds before it is cut
    body: bytes | None = None  # what is answered in the place of a refusal
    has_effect: bool = False  # the call has its effect, and is refused, or answered oddly


class BotApi:
    """What the server knows: updates to hand out, files, and what the bot called."""

    def __init__(self, *, port: int = 0) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.sent: list[dict[str, Any]] = []  # messages of the bot, with `text` or `caption`
        self.edits: list[dict[str, Any]] = []
        self.pictures: list[bytes] = []
        self.fetched: list[str] = []
        self.failures: dict[str, list[Failure]] = {}
        self.admins: set[tuple[int, int]] = set()
        self.reads_all_groups = False
        self.webhook: dict[str, Any] | None = None
        self.slow_downloads = 0.0  # seconds each
        self.held_downloads: threading.Event | None = None  # that those which begin now wait for
        self.waiting_downloads = 0  # so many have begun to
        self.cut_downloads = 0  # so many break off in the middle
        self.refused_downloads: list[int] = []  # with these statuses, one after another
        self.odd_downloads: list[bytes | None] = []  # what comes instead; None: the first half
        self.answer_after = 0.0  # seconds that sending takes
        self.clock_ahead = 0.0  # seconds
        self.arrivals: dict[int, float] = {}  # when each message was handed out
        self.answers: dict[int, list[float]] = {}  # when each message was replied to
        self._files: dict[str, bytes] = {}
        self._updates: list[dict[str, Any]] = []
        self._messages: dict[tuple[int, int], dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self._update_numbers = itertools.count(1)
        self._changed = threading.Condition()
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = _Server(("127.0.0.1", port), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # What people do

    def send(
        self,
        content: dict[str, Any],
        *,
        person: int = 77,
        chat: int | None = None,
        kind: str = "message",
        language: str | None = None,
        reply_to: int | None = None,
        redeliver: bool = False,
    ) -> int:
        """Queue an update with a message; gives the message's number."""
        with self._changed:
            number = next(self._numbers)
            message = self._message(number, content, person, chat, language)
            if reply_to is not None:
                message["reply_to_message"] = self._messages[message["chat"]["id"], reply_to]
            if kind == "edited_message":
                message["edit_date"] = message["date"]
            if kind == "channel_post":
                message["chat"] = {"id": -5, "type": "channel", "title": "Pets"}
                del message["from"]
            self._messages[message["chat"]["id"], number] = message
            self._queue({kind: message})
            if redeliver:
                self._queue({kind: message})
            return number

    def send_photo(self, picture: Image.Image, *, caption: str | None = None, **how: Any) -> int:
        """A person sends a photo."""
        return self.send({**self.photo(picture), **captioned(caption)}, **how)

    def send_album(
        self,
        pictures: Iterable[dict[str, Any] | Image.Image],
        *,
        caption: str | None = None,
        name: str = "album",
        pause: float = 0.0,
        **how: Any,
    ) -> list[int]:
        """A person sends several photos as one: each is a message, the first has the caption."""
        numbers = []
        for picture in pictures:
            content = self.photo(picture) if isinstance(picture, Image.Image) else picture
            content = {**content, "media_group_id": name, **captioned(caption)}
            caption = None
            numbers.append(self.send(content, **how))
            time.sleep(pause)
        return numbers

    def send_file(
        self,
        content: bytes,
        *,
        name: str,
        mime_type: str | None = None,
        size: int | None = None,
        **how: Any,
    ) -> int:
        """A person sends something as a file."""
        return self.send(self.document(content, name=name, mime_type=mime_type, size=size), **how)

    def send_text(self, text: str, **how: Any) -> int:
        """A person writes something, perhaps a command."""
        return self.send({"text": text, "entities": entities_of(text)}, **how)

    def press(
        self, message: int, says: str, *, person: int = 77, language: str | None = None
    ) -> str:
        """A person presses a button under a message of the bot's; gives the press's number."""
        with self._changed:
            number = str(next(self._numbers))
            held = next(m for (_, n), m in self._messages.items() if n == message)
            self._queue(
                {
                    "callback_query": {
                        "id": number,
                        "from": _person(person, language),
                        "message": held,
                        "chat_instance": "1",
                        "data": says,
                    }
                }
            )
            return number

    def photo(self, picture: Image.Image) -> dict[str, Any]:
        """Keep a photo in two sizes, as Telegram makes them."""
        sizes = []
        for side in (20, max(picture.size)):
            small = picture.copy()
            small.thumbnail((side, side))
            stream = io.BytesIO()
            small.save(stream, "JPEG")
            file_id = self.keep(stream.getvalue())
            sizes.append(
                {
                    "file_id": file_id,
                    "file_unique_id": file_id,
                    "width": small.width,
                    "height": small.height,
                    "file_size": len(stream.getvalue()),
                }
            )
        return {"photo": sizes}

    def document(
        self, content: bytes, *, name: str, mime_type: str | None = None, size: int | None = None
    ) -> dict[str, Any]:
        """Keep a file."""
        file_id = self.keep(content)
        document = {
            "file_id": file_id,
            "file_unique_id": file_id,
            "file_name": name,
            "file_size": len(content) if size is None else size,
        }
        if mime_type:
            document["mime_type"] = mime_type
        return {"document": document}

    def sticker(
        self, content: bytes, *, is_animated: bool = False, is_video: bool = False
    ) -> dict[str, Any]:
        """Keep a sticker."""
        file_id = self.keep(content)
        return {
            "sticker": {
                "file_id": file_id,
                "file_unique_id": file_id,
                "type": "regular",
                "width": 512,
                "height": 512,
                "is_animated": is_animated,
                "is_video": is_video,
                "file_size": len(content),
            }
        }

    @contextmanager
    def holding_downloads(self) -> Iterator[None]:
        """Have downloads that begin while the context lasts wait for its end."""
        held = self.held_downloads = threading.Event()
        try:
            yield
        finally:
            self.held_downloads = None
            held.set()

    def hold(self, held: threading.Event) -> None:
        with self._changed:
            self.waiting_downloads += 1
            self._changed.notify_all()
        held.wait(DEADLINE)

    def keep(self, content: bytes) -> str:
        file_id = f"file{len(self._files)}"
        self._files[file_id] = content
        return file_id

    def fail(self, method: str, failure: Failure) -> None:
        """Let calls of a method go wrong."""
        self.failures.setdefault(method, []).append(failure)

    # What tests ask

    def wait(self, condition: Callable[[], Any], what: str = "") -> Any:
        """Wait until something is so; gives what the condition gave."""
        with self._changed:
            assert self._changed.wait_for(condition, DEADLINE), (what, self.sent[-20:])
            return condition()

    def replies_to(self, number: int, *, at_least: int = 1) -> list[dict[str, Any]]:
        """Wait for the bot's replies to a message."""

        def found() -> list[dict[str, Any]] | None:
            replies = [message for message in self.sent if reply_of(message) == number]
            return replies if len(replies) >= at_least else None

        replies: list[dict[str, Any]] = self.wait(found, f"replies to {number}")
        return replies

    def text_for(self, number: int) -> str:
        """Wait for the bot's reply to a message; gives what it says."""
        reply = self.replies_to(number)[0]
        text: str = reply["text"] if "text" in reply else reply["caption"]
        return text

    def edit_of(self, message: int, *, at_least: int = 1) -> dict[str, Any]:
        """Wait for the bot to change a message; gives the last change."""

        def found() -> list[dict[str, Any]] | None:
            edits = [edit for edit in self.edits if int(edit["message_id"]) == message]
            return edits if len(edits) >= at_least else None

        last: dict[str, Any] = self.wait(found, f"edit of {message}")[-1]
        return last

    def answer_to_press(self, number: str) -> dict[str, Any]:
        """Wait for what is said to a press."""

        def found() -> dict[str, Any] | None:
            for method, fields in self.calls:
                if method == "answerCallbackQuery" and fields["callback_query_id"] == number:
                    return fields
            return None

        answer: dict[str, Any] = self.wait(found, f"answer to press {number}")
        return answer

    def called(self, method: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.calls if name == method]

    def all_handed_out(self) -> None:
        """Wait until the bot has confirmed all updates."""
        self.wait(lambda: not self._updates, "updates are left")

    # What the handler calls

    def updates_from(self, offset: int, timeout: float, limit: int) -> list[dict[str, Any]]:
        def waiting() -> list[dict[str, Any]]:
            return [update for update in self._updates if update["update_id"] >= offset]

        with self._changed:
            self._updates = waiting()  # what comes before the offset is confirmed
            self._changed.notify_all()
            self._changed.wait_for(lambda: bool(waiting()), min(timeout, 0.2))
            found = waiting()[:limit]
            for update in found:
                if message := update.get("message"):
                    self.arrivals.setdefault(message["message_id"], time.monotonic())
            return found

    def receive(self, fields: dict[str, Any], picture: bytes | None = None) -> dict[str, Any]:
        """Take a message of the bot's."""
        with self._changed:
            number = next(self._numbers)
            message: dict[str, Any] = {
                "message_id": number,
                "date": int(time.time()),
                "chat": _chat(int(fields["chat_id"])),
                "from": BOT,
            }
            for name in ("text", "caption"):
                if name in fields:
                    message[name] = fields[name]
            if picture is not None:
                self.pictures.append(picture)
                message["photo"] = []
            if "reply_markup" in fields:
                message["reply_markup"] = json.loads(fields["reply_markup"])
            self._messages[message["chat"]["id"], number] = message
            self.sent.append({**fields, "message_id": number})
            replied = reply_of(fields)
            if replied is not None:
                self.answers.setdefault(replied, []).append(time.monotonic())
            self._changed.notify_all()
            return message

    def edit(self, fields: dict[str, Any]) -> dict[str, Any] | None:
        with self._changed:
            message = self._messages.get((int(fields["chat_id"]), int(fields["message_id"])))
            if message is None:
                return None
            message["text"] = fields["text"]
            message["reply_markup"] = json.loads(fields.get("reply_markup", "{}"))
            self.edits.append(fields)
            self._changed.notify_all()
            return message

    def note(self, method: str, fields: dict[str, Any]) -> Failure | None:
        """Take a call down; gives how it is to go wrong, if it is."""
        with self._changed:
            self.calls.append((method, fields))
            self._changed.notify_all()
            for failure in self.failures.get(method, []):
                if failure.times > 0 and failure.when(fields):
                    failure.times -= 1
                    return failure
        return None

    def file(self, file_id: str) -> bytes | None:
        return self._files.get(file_id)

    def _queue(self, content: dict[str, Any]) -> None:
        update = {"update_id": next(self._update_numbers), **content}
        self._updates.append(update)
        if self.webhook is not None:
            self.post(update)
        self._changed.notify_all()

    def post(self, update: dict[str, Any], *, secret: str | None = None) -> int:
        """Send an update to the webhook; gives the status."""
        assert self.webhook is not None
        known = self.webhook.get("secret_token", "")
        request = urllib.request.Request(
            self.webhook["posts_to"],
            json.dumps(update).encode(),
            {
                "Content-Type": "application/json",
                "X-Telegram-Bot-Api-Secret-Token": known if secret is None else secret,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code

    def _message(
        self,
        number: int,
        content: dict[str, Any],
        person: int,
        chat: int | None,
        language: str | None,
    ) -> dict[str, Any]:
        return {
            "message_id": number,
            "date": int(time.time()),
            "chat": _chat(person if chat is None else chat),
            "from": _person(person, language),
            **content,
        }


def reply_of(message: dict[str, Any]) -> int | None:
    """Give the number of the message that one of the bot's replies to."""
    parameters = json.loads(message.get("reply_parameters", "{}"))
    number: int | None = parameters.get("message_id")
    return number


def buttons_of(message: dict[str, Any]) -> list[list[tuple[str, str]]]:
    """Give the buttons under a message of the bot's: their text, and what they say."""
    markup = json.loads(message.get("reply_markup", "{}"))
    return [
        [(button["text"], button["callback_data"]) for button in line]
        for line in markup.get("inline_keyboard", [])
    ]


def entities_of(text: str) -> list[dict[str, Any]]:
    """Find commands and mentions, as Telegram does."""
    found = []
    offset = 0
    for word in text.split(" "):
        kind = {"/": "bot_command", "@": "mention"}.get(word[:1])
        if kind:
            found.append({"type": kind, "offset": offset, "length": len(word)})
        offset += len(word) + 1
    return found


def captioned(caption: str | None) -> dict[str, Any]:
    """Give a message a caption."""
    if caption is None:
        return {}
    return {"caption": caption, "caption_entities": entities_of(caption)}


def _person(number: int, language: str | None) -> dict[str, Any]:
    person = {"id": number, "is_bot": False, "first_name": f"Ann{number}"}
    if language is not None:
        person["language_code"] = language
    return person


def _chat(number: int) -> dict[str, Any]:
    if number < 0:
        return {"id": number, "type": "supergroup", "title": "Pets of ours"}
    return {"id": number, "type": "private", "first_name": f"Ann{number}"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that a stopped bot left open."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    api: BotApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        fields, files = self._read()
        token, _, method = unquote(self.path).removeprefix("/bot").rpartition("/")
        if token != TOKEN:
            self._refuse(401, "Unauthorized")
            return
        failure = self.api.note(method, fields)
        if failure is not None and not failure.done:
            if failure.has_effect:
                self._result(method, fields, files)
            if failure.body is not None:
                self._write(failure.status, failure.body)
            else:
                self._refuse(failure.status, failure.description, failure.parameters)
            return
        result = self._result(method, fields, files)
        if failure is not None:
            time.sleep(failure.hold)
            self.close_connection = True
            return  # it was done, and nobody hears
        if isinstance(result, tuple):
            self._refuse(*result)
        else:
            self._answer(200, {"ok": True, "result": result})

    def _result(self, method: str, fields: dict[str, Any], files: dict[str, bytes]) -> Any:
        api = self.api
        match method:
            case "getMe":
                reads_all = api.reads_all_groups
                return {**BOT, "can_read_all_group_messages": reads_all, "can_join_groups": True}
            case "getUpdates":
                offset, limit = int(fields.get("offset", 0)), int(fields.get("limit", 100))
                return api.updates_from(offset, float(fields.get("timeout", 0)), limit)
            case "sendMessage" | "sendPhoto":
                time.sleep(api.answer_after)
                return api.receive(fields, next(iter(files.values()), None))
            case "sendDocument":
                content = next(iter(files.values()))
                document = api.document(content, name="sent")["document"]
                return {**api.receive(fields), "document": document}
            case "editMessageText":
                return api.edit(fields) or (400, "Bad Request: message to edit not found")
            case "getFile":
                return self._file(fields["file_id"])
            case "getChatMember":
                key = (int(fields["chat_id"]), int(fields["user_id"]))
                status = "administrator" if key in api.admins else "member"
                return _member(status, key[1])
            case "setWebhook":
                if fields.get("url"):
                    api.webhook = {**fields, "posts_to": fields["url"]}
            case "deleteWebhook":
                api.webhook = None
            case "getWebhookInfo":
                webhook = api.webhook or {}
                return {
                    "url": webhook.get("url", ""),
                    "has_custom_certificate": False,
                    "pending_update_count": webhook.get("pending", 0),
                    **webhook.get("info", {}),
                }
        return True

    def _file(self, file_id: str) -> Any:
        self.api.fetched.append(file_id)
        content = self.api.file(file_id)
        if content is None:
            return 400, "Bad Request: wrong file_id or the file is temporarily unavailable"
        return {
            "file_id": file_id,
            "file_unique_id": file_id,
            "file_path": f"p/{file_id}",
            "file_size": len(content),
        }

    def do_GET(self) -> None:
        content = self.api.file(self.path.rpartition("/")[2])
        assert unquote(self.path).startswith(f"/file/bot{TOKEN}/p/")
        assert content is not None
        if held := self.api.held_downloads:
            self.api.hold(held)
        time.sleep(self.api.slow_downloads)
        if self.api.refused_downloads:
            self._refuse(self.api.refused_downloads.pop(0), "Not Found")
            return
        if self.api.odd_downloads:
            odd = self.api.odd_downloads.pop(0)
            content = content[: len(content) // 2] if odd is None else odd
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.api.cut_downloads > 0:
            self.api.cut_downloads -= 1
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        self.wfile.write(content)

    def _read(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.headers.get("Content-Type", "")
        if not kind.startswith("multipart/"):
            return dict(parse_qsl(body.decode())), {}
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        parsed = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        fields: dict[str, Any] = {}
        files: dict[str, bytes] = {}
        for part in parsed.iter_parts():
            name = str(part.get_param("name", header="content-disposition"))
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            if part.get_filename() is None:
                fields[name] = content.decode()
            else:
                files[name] = content
        return fields, files

    def _refuse(
        self, status: int, description: str, parameters: dict[str, Any] | None = None
    ) -> None:
        value: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
        if parameters:
            value["parameters"] = parameters
        self._answer(status, value)

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        self._write(status, json.dumps(value).encode())

    def _write(self, status: int, content: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Date", formatdate(time.time() + self.api.clock_ahead, usegmt=True))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def _member(status: str, person: int) -> dict[str, Any]:
    member: dict[str, Any] = {"status": status, "user": _person(person, None)}
    if status == "administrator":
        rights = (
            "can_be_edited is_anonymous can_manage_chat can_delete_messages "
            "can_manage_video_chats can_restrict_members can_promote_members can_change_info "
            "can_invite_users can_post_stories can_edit_stories can_delete_stories"
        )
        member |= dict.fromkeys(rights.split(), False)
    return member
