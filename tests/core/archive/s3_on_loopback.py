"""A real S3 server on loopback, and a proxy before it that throttles and counts."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
    b"<Message>Please reduce your request rate.</Message></Error>"
)
_HOP = {"connection", "transfer-encoding", "keep-alive"}


@dataclass
class Proxy:
    """What stands before the server."""

    port: int
    throttle_every: int = 0  # so many requests; 0: none
    gone_after_listing: set[str] = field(default_factory=set)  # keys
    requests: Counter[str] = field(default_factory=Counter)  # listings, gets, throttled
    bytes_sent: Counter[str] = field(default_factory=Counter)  # of GETs, by key
    own_port: int = 0
    _number: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.own_port}"

    def is_throttled(self) -> bool:
        with self._lock:
            self._number += 1
            return bool(self.throttle_every) and self._number % self.throttle_every == 0


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            is_listing = "list-type" in parse_qs(parts.query)
            if proxy.is_throttled():
                proxy.requests["throttled"] += 1
                self._answer(503, [("Content-Type", "application/xml")], _SLOW_DOWN)
                return
            kind = "listings" if is_listing else self.command
            proxy.requests[kind] += 1
            if parts.path in proxy.gone_after_listing and not is_listing:
                self._answer(404, [("Content-Type", "application/xml")], _NO_SUCH_KEY)
                return
            upstream = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
            headers = dict(self.headers.items())
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            upstream.close()
            if self.command == "GET":
                proxy.bytes_sent[parts.path] += len(content)
            kept = [pair for pair in answer.getheaders() if pair[0].lower() not in _HOP]
            self._answer(answer.status, kept, content)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815

        def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response_only(status)
            for name, text in headers:
                if name.lower() != "content-length" or self.command == "HEAD":
                    self.send_header(name, text)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


_NO_SUCH_KEY = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code>'
    b"<Message>The specified key does not exist.</Message></Error>"
)


@contextmanager
def s3_server() -> Iterator[Proxy]:
    """Run moto's server, and a proxy before it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        proxy = Proxy(server.get_host_and_port()[1])
        reset = http.client.HTTPConnection("127.0.0.1", proxy.port)
        reset.request("POST", "/moto-api/reset")  # what earlier tests put is in this process
        reset.getresponse().read()
        reset.close()
        front = ThreadingHTTPServer(("127.0.0.1", 0), _handler(proxy))
        proxy.own_port = front.server_address[1]
        threading.Thread(target=front.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            front.shutdown()
            front.server_close()
    finally:
        server.stop()
