"""Requests to the Bot API, whose answers may be anything: each is checked here."""

from __future__ import annotations

import json
import math
from typing import Any

from telegram.error import NetworkError
from telegram.request import HTTPXRequest

_TOO_MANY = 429
_WAIT_SECONDS = 5  # where a server says to wait and not how long
_LONGEST_SECONDS = 7 * 86_400


class UnreadableAnswer(NetworkError):
    """What came is no answer of a Bot API server's: nobody knows whether the call was done."""


class CheckedRequest(HTTPXRequest):
    """The library's requests, which hand it nothing but what a Bot API server may answer.

    The library logs and quotes whatever it cannot read, messages of people's included, and fails
    with errors of Python's at what is JSON and yet no answer.
    """

    async def do_request(
        self, url: str, method: str, *arguments: Any, **options: Any
    ) -> tuple[int, bytes]:
        """Make a request, as the library's own. Raises UnreadableAnswer, too."""
        code, payload = await super().do_request(url, method, *arguments, **options)
        is_file = method == "GET"
        if is_file and 200 <= code < 300:
            return code, payload
        return _checked(code, payload, is_file=is_file)


def _checked(code: int, payload: bytes, *, is_file: bool) -> tuple[int, bytes]:
    """Return an answer as the library reads it. Raises UnreadableAnswer."""
    answer = _object(payload)
    is_refusal = answer.get("ok") is False
    if 200 <= code < 300:
        if not is_refusal:
            if "result" not in answer:
                raise UnreadableAnswer(f"the answer ({code}) holds no result")
            return code, payload
        stated = answer.get("error_code")
        if not isinstance(stated, int) or not 400 <= stated < 600:
            raise UnreadableAnswer("the answer says neither yes nor no")
        code = stated
    if not is_refusal and not is_file and code != _TOO_MANY:
        raise UnreadableAnswer(f"the answer ({code}) is none of a Bot API server's")
    return code, json.dumps(_refusal(code, answer)).encode()


def _object(payload: bytes) -> dict[str, Any]:
    """Read a JSON object; an empty one for anything else."""
    try:
        answer = json.loads(payload.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(code: int, answer: dict[str, Any]) -> dict[str, Any]:
    parameters = answer.get("parameters")
    known = parameters if isinstance(parameters, dict) else {}
    kept: dict[str, int] = {}
    if isinstance(known.get("migrate_to_chat_id"), int):
        kept["migrate_to_chat_id"] = known["migrate_to_chat_id"]
    if code == _TOO_MANY:
        kept["retry_after"] = _seconds(known.get("retry_after"))
    description = answer.get("description")
    return {
        "ok": False,
        "description": description if isinstance(description, str) else f"error {code}",
        "parameters": kept,
    }


def _seconds(stated: object) -> int:
    """Read how long to wait, which servers also say as text, as a fraction, or not at all."""
    try:
        return min(max(1, math.ceil(float(stated))), _LONGEST_SECONDS)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):  # infinity and no number, too
        return _WAIT_SECONDS
