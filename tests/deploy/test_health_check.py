"""The image's health check, as it stands in the Dockerfile, run against a server on loopback."""

from __future__ import annotations

import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

DOCKERFILE = Path(__file__).resolve().parent.parent.parent / "Dockerfile"


@pytest.fixture
def health() -> Iterator[Callable[[int], int]]:
    """Serve /health with the status asked for; returns the port."""
    servers = []

    def serve(status: int) -> int:
        class Health(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == "/health" else 404)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Health)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_port

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def is_healthy(port: int | str | None) -> bool:
    """Run the check with a proxy in the way, as Docker's client may put it."""
    (check,) = re.findall(r"HEALTHCHECK .*\\\n +CMD (\[.*\])\n", DOCKERFILE.read_text("utf-8"))
    _, *arguments = json.loads(check)
    environment = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    if port is not None:
        environment["CATDOG_BOT_HEALTH_PORT"] = str(port)
    run = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    return run.returncode == 0


def test_it_says_what_the_bot_says(health: Callable[[int], int]) -> None:
    assert is_healthy(health(200))
    assert not is_healthy(health(503))
    assert not is_healthy(9)  # nobody is there


@pytest.mark.parametrize("port", [None, ""])
def test_it_is_well_where_there_is_no_port_to_ask(port: str | None) -> None:
    """`watch` has none."""
    assert is_healthy(port)
