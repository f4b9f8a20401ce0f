"""The page's server: it answers the page, and nobody without the token."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import tornado.web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from core.errors import UnreadableImage
from core.pages.templates import render
from sorter.review.page.access import Access
from sorter.review.page.view import page_values, photo_view, state_view
from sorter.review.page.words import language_for
from sorter.review.photos import State
from sorter.review.pictures import HEAT, SIDES
from sorter.review.reviewer import Reply, Reviewer
from sorter.review.session import Review

Result = TypeVar("Result")

_POLL_SECONDS = 20.0  # that a page waits for news in one request
_MOST_BODY = 1_000_000  # bytes
_PICTURES = {str(side): side for side in SIDES} | {HEAT: HEAT}
_PACKAGE = "sorter.review.page"
_TEMPLATE, _SCRIPT = "review.html.j2", "review.js"


class _Handler(tornado.web.RequestHandler):
    """Answers the page and nobody else."""

    def initialize(self, review: Review, access: Access) -> None:
        self.review = review
        self.access = access

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")

    def prepare(self) -> None:
        host = self.request.headers.get("Host", "")
        if not self.access.is_own_host(host):
            raise tornado.web.HTTPError(403, reason="Another host's name")
        given = self.get_cookie(self.access.cookie) or ""
        if not self.access.is_token(given) and not self._has_token_in_address():
            raise tornado.web.HTTPError(403, reason="Open the address that catdog printed")
        if self.request.method == "POST":
            origin = self.request.headers.get("Origin", "")
            if not self.access.is_own_origin(origin, host):
                raise tornado.web.HTTPError(403, reason="Another page's request")
            if self.request.headers.get("Content-Type", "") != "application/json":
                raise tornado.web.HTTPError(415)

    def check_xsrf_cookie(self) -> None:
        """Do nothing: the Origin is checked, and the cookie is of this site alone."""

    def write_error(self, status_code: int, **_: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}: {self._reason}.\n")

    def _has_token_in_address(self) -> bool:
        return self.request.path == "/" and self.access.is_token(
            self.get_query_argument("token", "")
        )

    @property
    def language(self) -> str:
        return language_for(self.request.headers.get("Accept-Language", ""))

    def asked(self) -> dict[str, Any]:
        """Return the request's JSON object. Raises HTTPError."""
        try:
            body = json.loads(self.request.body or b"{}")
        except ValueError as error:
            raise tornado.web.HTTPError(400) from error
        if not isinstance(body, dict):
            raise tornado.web.HTTPError(400)
        return body

    async def off_loop(self, function: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(None, function)

    def reply(self, replies: list[Reply]) -> None:
        manifest = self.review.classifier.manifest
        self.finish(
            {
                "replies": [
                    {
                        "done": one.is_done,
                        "reason": one.reason,
                        "photo": one.photo and photo_view(one.photo, manifest, self.language),
                    }
                    for one in replies
                ]
            }
        )


class _Page(_Handler):
    def get(self) -> None:
        self.set_cookie(
            self.access.cookie, self.access.token, httponly=True, samesite="Strict", path="/"
        )
        self.finish(
            render(
                _PACKAGE,
                _TEMPLATE,
                scripts=[_SCRIPT],
                same_origin=True,
                **page_values(self.review, self.language),
            )
        )


class _State(_Handler):
    async def get(self) -> None:
        """Return what changed since a version, at once or when something does."""
        since = int(self.get_query_argument("since", "0"))
        if self.get_query_argument("wait", ""):
            await self.off_loop(lambda: self.review.photos.wait(since, _POLL_SECONDS))
        view = await self.off_loop(lambda: state_view(self.review, since, self.language))
        self.finish(view)


class _Decide(_Handler):
    async def post(self) -> None:
        """Give photos labels, in their order."""
        labels = {one.label for one in self.review.classifier.manifest.classes}
        wanted = self.asked().get("decisions", [])
        if not all(
            isinstance(one, dict) and one.get("label") in labels and one.get("request")
            for one in wanted
        ):
            raise tornado.web.HTTPError(400)
        replies = []
        for one in wanted:  # a page that was open before may be quicker than the folder is read
            await self.off_loop(partial(self.review.photos.wait_for, str(one.get("id", ""))))
            replies.append(await self._write(self._decision(one)))
        self.reply(replies)

    def _decision(self, one: dict[str, str]) -> Callable[[Reviewer], Reply]:
        request, id, label = (str(one.get(name, "")) for name in ("request", "id", "label"))
        return lambda reviewer: reviewer.decide(request, id, label)

    async def _write(self, action: Callable[[Reviewer], Reply]) -> Reply:
        return await self.off_loop(lambda: self.review.write(action))


class _Leave(_Decide):
    async def post(self) -> None:
        """Pass a photo over, or show it again."""
        asked = self.asked()
        id = str(asked.get("id", ""))
        if asked.get("again"):
            self.reply([await self._write(lambda reviewer: reviewer.show_again(id))])
        else:
            self.reply([await self._write(lambda reviewer: reviewer.leave(id))])


class _Undo(_Decide):
    async def post(self) -> None:
        self.reply([await self._write(lambda reviewer: reviewer.undo())])


class _Learn(_Handler):
    def post(self) -> None:
        self.review.learn()
        self.finish({})


class _Picture(_Handler):
    async def get(self, id: str, kind: str) -> None:
        if kind not in _PICTURES:
            raise tornado.web.HTTPError(404)
        try:
            jpeg = await self._jpeg(id, _PICTURES[kind])
        except UnreadableImage:
            await self.off_loop(lambda: self.review.write(lambda reviewer: None))
            try:
                jpeg = await self._jpeg(id, _PICTURES[kind])  # it may have been moved just then
            except UnreadableImage as error:
                raise tornado.web.HTTPError(404) from error
        self.set_header("Content-Type", "image/jpeg")
        self.set_header("Cache-Control", "private, max-age=3600")
        self.finish(jpeg)

    async def _jpeg(self, id: str, kind: int | str) -> bytes:
        """Return a picture of a photo where it stands now. Raises UnreadableImage and HTTPError."""
        photo = self.review.photos.get(id)
        if photo is None:
            raise tornado.web.HTTPError(404)
        path = photo.path
        if photo.state is State.MOVED and photo.stands_at is not None:
            path = photo.stands_at
        made = self.review.pictures.picture(path, photo.mtime_ns, kind)
        return await asyncio.wrap_future(made)


class Server:
    """Serves a review until it is stopped."""

    def __init__(self, review: Review, access: Access) -> None:
        """Listen. Raises OSError if the port is taken."""
        self._sockets = bind_sockets(access.port, access.host)
        self.access = Access(access.host, self._sockets[0].getsockname()[1], access.token)
        handed = {"review": review, "access": self.access}
        self._application = tornado.web.Application(
            [
                (r"/", _Page, handed),
                (r"/api/state", _State, handed),
                (r"/api/decide", _Decide, handed),
                (r"/api/leave", _Leave, handed),
                (r"/api/undo", _Undo, handed),
                (r"/api/learn", _Learn, handed),
                (r"/photo/([0-9a-f]+)/([0-9a-z]+)", _Picture, handed),
            ],
            log_function=lambda handler: None,  # addresses hold the token
            compress_response=True,
        )

    async def serve(self, stopped: asyncio.Event) -> None:
        server = HTTPServer(self._application, max_body_size=_MOST_BODY)
        server.add_sockets(self._sockets)  # to the loop that runs now
        await stopped.wait()
        server.stop()
        await server.close_all_connections()
