"""What the tests of reviews share: drawn photos, and a server in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

DEADLINE = 90.0  # seconds; only a failing test waits that long


@dataclass
class Served:
    """A `catdog review` that runs."""

    process: subprocess.Popen[str]
    url: str  # with the token

    @property
    def origin(self) -> str:
        return self.url.partition("/?")[0]

    @property
    def token(self) -> str:
        return self.url.partition("token=")[2]

    @property
    def cookie(self) -> str:
        return f"catdog_review_{self.origin.rpartition(':')[2]}={self.token}"

    def get(self, path: str, **headers: str) -> tuple[int, bytes, Message]:
        return self.ask(urllib.request.Request(self.origin + path, headers=headers))

    def post(self, path: str, body: object, **headers: str) -> tuple[int, bytes, Message]:
        given = {
            "Cookie": self.cookie,
            "Origin": self.origin,
            "Content-Type": "application/json",
            **headers,
        }
        data = json.dumps(body).encode()
        return self.ask(urllib.request.Request(self.origin + path, data=data, headers=given))

    @staticmethod
    def ask(request: urllib.request.Request) -> tuple[int, bytes, Message]:
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as response:
                return response.status, response.read(), response.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers

    def state(self, since: int = 0) -> dict[str, Any]:
        status, body, _ = self.get(f"/api/state?since={since}", Cookie=self.cookie)
        assert status == 200, body
        state: dict[str, Any] = json.loads(body)
        return state

    def read(self) -> dict[str, Any]:
        """Return the state once the whole folder was read."""
        end = time.monotonic() + DEADLINE
        while not (state := self.state())["progress"]["done"]:
            assert time.monotonic() < end, state["progress"]
            time.sleep(0.05)
        return state

    def decide(self, id: str, label: str, request: str | None = None) -> dict[str, Any]:
        decision = {"request": request or os.urandom(8).hex(), "id": id, "label": label}
        status, body, _ = self.post("/api/decide", {"decisions": [decision]})
        assert status == 200, body
        (reply,) = json.loads(body)["replies"]
        return dict(reply)

    def undo(self) -> dict[str, Any]:
        status, body, _ = self.post("/api/undo", {})
        assert status == 200, body
        (reply,) = json.loads(body)["replies"]
        return dict(reply)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(DEADLINE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(DEADLINE)


@dataclass
class Folder:
    """A folder to review; whatever starts here is stopped when the test ends."""

    path: Path
    models: Path
    running: list[Served] = field(default_factory=list)

    def serve(self, *options: str) -> Served:
        command = [sys.executable, "-m", "catdog", "--models-dir", str(self.models), "review"]
        command += [str(self.path), "--no-browser", *options]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Review at "):
                served = Served(process, line.split()[2])
                self.running.append(served)
                return served
        raise AssertionError("".join(lines))


@pytest.fixture
def folder(tmp_path: Path, head_models_dir: Path) -> Iterator[Folder]:
    """An empty folder, and a model that is sure of nothing if asked with --threshold 1."""
    (tmp_path / "photos").mkdir()
    folder = Folder(tmp_path / "photos", head_models_dir)
    yield folder
    for one in folder.running:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def photos(folder: Folder, draw: Callable[..., Any]) -> Callable[[int], list[Path]]:
    """Draw so many photos into the folder, cats and dogs in turn, all different."""

    def photos(count: int) -> list[Path]:
        paths = [folder.path / f"{number:03}.png" for number in range(count)]
        for number, path in enumerate(paths):
            draw("dogs" if number % 2 else "cats", number, (32, 24)).save(path)
        return paths

    return photos
