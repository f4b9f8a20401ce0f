"""The server answers the page, from its own address and with its token, and nobody else."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from catdog import main
from tests.sorter.review.conftest import Folder

Photos = Callable[[int], list[Path]]


def test_without_the_token_there_is_nothing(folder: Folder, photos: Photos) -> None:
    photos(2)
    served = folder.serve("--threshold", "1")
    (id, _) = (one["id"] for one in served.read()["photos"])
    for path in ("/", "/?token=wrong", "/api/state?since=0", f"/photo/{id}/320"):
        assert served.get(path)[0] == 403
        name = served.cookie.partition("=")[0]
        assert served.get(path, Cookie=f"{name}=wrong")[0] == 403
    assert served.post("/api/undo", {}, Cookie="")[0] == 403
    status, page, headers = served.get(f"/?token={served.token}")
    assert status == 200
    assert served.token.encode() not in page
    assert "HttpOnly" in headers["Set-Cookie"]
    assert "SameSite=Strict" in headers["Set-Cookie"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1:1", ""])
def test_a_name_that_leads_here_is_refused(folder: Folder, host: str) -> None:
    """So that no page can have its own host's name lead to this machine (DNS rebinding)."""
    served = folder.serve()
    address, _, port = served.origin.removeprefix("http://").rpartition(":")
    with socket.create_connection((address, int(port))) as connection:
        asked = f"GET /api/state?since=0 HTTP/1.1\r\nHost: {host}\r\nCookie: {served.cookie}\r\n"
        connection.sendall(asked.encode() + b"Connection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split()[1] in (b"403", b"400")
    assert b'"photos"' not in answer


@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
def test_another_pages_post_changes_nothing(folder: Folder, photos: Photos, origin: str) -> None:
    (photo,) = photos(1)
    served = folder.serve("--threshold", "1")
    (shown,) = served.read()["photos"]
    decision = {"decisions": [{"request": "1", "id": shown["id"], "label": "cat"}]}
    assert served.post("/api/decide", decision, Origin=origin)[0] == 403
    assert served.post("/api/undo", {}, Origin=origin)[0] == 403
    form = {"Content-Type": "text/plain"}  # what a form of another page can send
    assert served.post("/api/decide", decision, **form)[0] == 415
    assert photo.is_file()


def test_it_listens_on_this_machine_alone(folder: Folder) -> None:
    served = folder.serve()
    listening = psutil.Process(served.process.pid).net_connections()
    assert {one.laddr.ip for one in listening if one.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_with_a_host_it_is_there_for_others_but_not_without_the_token(folder: Folder) -> None:
    served = folder.serve("--host", "0.0.0.0")
    port = served.origin.rpartition(":")[2]
    local = f"http://127.0.0.1:{port}"
    served.url = served.url.replace(served.origin, local)
    assert served.get("/")[0] == 403
    assert served.get(f"/?token={served.token}")[0] == 200


def test_a_hosts_name_is_no_address_to_listen_on(folder: Folder) -> None:
    result = CliRunner().invoke(main, ["review", str(folder.path), "--host", "example.org"])
    assert result.exit_code == 2
    assert "--host takes an address of this machine" in result.output


def test_the_address_stays_the_same_over_a_restart(folder: Folder) -> None:
    first = folder.serve()
    first.kill()
    assert folder.serve().url == first.url


def test_the_page_asks_no_other_host(folder: Folder) -> None:
    served = folder.serve()
    _, page, headers = served.get("/", Cookie=served.cookie)
    assert b"http://" not in page.replace(b"http://www.w3.org", b"")
    assert b"https://" not in page
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_a_label_that_the_model_has_not_is_refused(folder: Folder, photos: Photos) -> None:
    photos(1)
    served = folder.serve("--threshold", "1")
    (shown,) = served.read()["photos"]
    for decision in ({"request": "1", "id": shown["id"], "label": "horse"}, {"label": "cat"}, 7):
        assert served.post("/api/decide", {"decisions": [decision]})[0] == 400
    assert served.post("/api/decide", [1])[0] == 400


def test_a_photo_is_shown_without_what_its_camera_wrote(folder: Folder, photos: Photos) -> None:
    (photo,) = photos(1)
    served = folder.serve("--threshold", "1")
    (shown,) = served.read()["photos"]
    for kind in ("320", "1600", "4096", "heat"):
        status, jpeg, headers = served.get(f"/photo/{shown['id']}/{kind}", Cookie=served.cookie)
        assert status == 200
        assert jpeg.startswith(b"\xff\xd8")
        assert headers["Content-Type"] == "image/jpeg"
    for path in ("/photo/00/320", f"/photo/{shown['id']}/77", "/photo/..%2f/320"):
        assert served.get(path, Cookie=served.cookie)[0] == 404
    photo.write_bytes(b"no photo")
    assert served.get(f"/photo/{shown['id']}/320", Cookie=served.cookie)[0] == 200  # as it was


def test_it_speaks_the_persons_language(folder: Folder) -> None:
    served = folder.serve()
    for language, word in {"de-CH,de;q=0.9": "Durchsicht", "pt": "Review", "fr": "Revue"}.items():
        _, page, _ = served.get("/", Cookie=served.cookie, **{"Accept-Language": language})
        assert f"<h1>{word}</h1>" in page.decode()


def test_state_is_json_that_any_page_reads(folder: Folder, photos: Photos) -> None:
    photos(3)
    served = folder.serve("--threshold", "1")
    state = served.read()
    assert len(state["photos"]) == 3
    assert served.state(state["version"])["photos"] == []
    assert json.loads(json.dumps(state)) == state
