"""S3 by a real server on loopback: pages, throttling, keys that vanish, empty and large ones."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.archive.classify import Looking
from core.archive.sources.source_listing import Columns, Passed, list_sources
from core.archive.table import Table
from core.errors import UsageRefused
from tests.core.archive.s3_on_loopback import s3_server

_BUCKET = "photos"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("moto", reason="moto is not installed")
    for name, text in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, text)
    import fsspec

    with s3_server() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        store = fsspec.filesystem("s3", skip_instance_cache=False)
        store.clear_instance_cache()
        _client(proxy).create_bucket(Bucket=_BUCKET)
        yield proxy
        store.clear_instance_cache()


def _client(proxy: Any) -> Any:
    import boto3

    return boto3.client("s3", endpoint_url=f"http://127.0.0.1:{proxy.port}")


def _put(contents: dict[str, bytes]) -> None:
    """Put objects where the server, which runs in this process, has them."""
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends

    for key, content in contents.items():
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(_BUCKET, key, content)


@pytest.fixture
def contents(draw: Callable[..., Any]) -> dict[str, bytes]:
    made = {}
    for number in range(24):
        file = io.BytesIO()
        draw(("cats", "dogs")[number % 2], number).save(file, "JPEG")
        made[f"a/b/{number:03} ü+%.jpg"] = file.getvalue()
    return made


def test_a_bucket_gives_the_rows_that_its_files_would(
    s3: Any, contents: dict[str, bytes], over: Any, rows: Any, looking: Looking, tmp_path: Path
) -> None:
    _put({**contents, "a/b/notes.txt": b"x", "a/.hidden/c.jpg": b"x", "other/d.jpg": b"x"})
    folder = tmp_path / "files"
    folder.mkdir()
    for key, content in contents.items():
        (folder / key.rpartition("/")[2]).write_bytes(content)
    over([folder], tmp_path / "local", looking)
    outcome = over([f"s3://{_BUCKET}/a"], tmp_path / "remote", looking)
    assert outcome.done == 24
    remote, local = rows(tmp_path / "remote"), rows(tmp_path / "local")
    assert [row["path"] for row in remote] == [f"s3://{_BUCKET}/{key}" for key in contents]
    for name in ("label", "confidence", "probabilities", "width", "error", "size"):
        assert [row[name] for row in remote] == [row[name] for row in local]
    assert all(row["etag"] and row["mtime_ns"] is None for row in remote)
    assert s3.requests["GET"] == 24  # one a photo


def test_the_table_may_be_in_the_store_and_a_changed_key_is_done_again(
    s3: Any, contents: dict[str, bytes], over: Any, rows: Any, looking: Looking
) -> None:
    _put(contents)
    table = f"s3://{_BUCKET}/tables/first"
    source = f"s3://{_BUCKET}/a/"
    over([source], table, looking)
    before = rows(table)
    assert len(Table(table).parts()) == 3
    keys = list(contents)
    _put({keys[5]: contents[keys[6]]})  # another etag, were size and time the same
    outcome = over([source], table, looking)
    assert (outcome.done, outcome.tally.done_before) == (1, 23)
    after = rows(table)
    assert [row for row in after if row not in before] == [after[5]]
    assert after[5]["probabilities"] == after[6]["probabilities"]


@pytest.mark.long
def test_throttling_is_waited_out(
    s3: Any, contents: dict[str, bytes], over: Any, rows: Any, looking: Looking, tmp_path: Path
) -> None:
    _put(contents)
    s3.throttle_every = 3
    outcome = over([f"s3://{_BUCKET}/a"], tmp_path / "table", looking)
    assert (outcome.done, outcome.errors) == (24, {})
    assert s3.requests["throttled"] >= 10


def test_keys_that_vanish_and_empty_ones_are_rows_with_their_code(
    s3: Any, contents: dict[str, bytes], over: Any, rows: Any, looking: Looking, tmp_path: Path
) -> None:
    _put({**contents, "a/empty.jpg": b""})
    gone = list(contents)[3]
    s3.gone_after_listing = {f"/{_BUCKET}/{_quoted(gone)}"}
    outcome = over([f"s3://{_BUCKET}/a"], tmp_path / "table", looking)
    assert outcome.errors == {"vanished": 1, "empty": 1}
    errors = {row["path"]: row["error"] for row in rows(tmp_path / "table") if row["error"]}
    assert errors == {
        f"s3://{_BUCKET}/{gone}": "vanished",
        f"s3://{_BUCKET}/a/empty.jpg": "empty",
    }


def _quoted(key: str) -> str:
    from urllib.parse import quote

    return quote(key)


@pytest.mark.long
@pytest.mark.parametrize(("megabytes", "code"), [(300, "too-large"), (200, "not-an-image")])
def test_a_large_file_that_is_no_picture_is_not_downloaded(
    megabytes: int, code: str, s3: Any, over: Any, looking: Looking, tmp_path: Path
) -> None:
    key = "a/backup.jpg"
    _put({key: b"no picture " * (megabytes * 1_000_000 // 11)})
    outcome = over([f"s3://{_BUCKET}/a"], tmp_path / "table", looking)
    assert outcome.errors == {code: 1}
    assert s3.bytes_sent[f"/{_BUCKET}/{key}"] < 10_000


@pytest.mark.long
def test_twenty_thousand_keys_are_listed_by_pages(s3: Any) -> None:
    _put({f"many/{number % 7}/{number:05}.jpg": b"x" for number in range(20_000)})
    s3.throttle_every = 4
    listed = list(list_sources([f"s3://{_BUCKET}/many"], Columns(), Passed()))
    assert len({source.key for source in listed}) == len(listed) == 20_000
    assert s3.requests["listings"] == pytest.approx(20, abs=1)
    assert s3.requests["throttled"] >= 4


def test_patterns_lists_and_single_keys(
    s3: Any, contents: dict[str, bytes], tmp_path: Path
) -> None:
    _put(contents)
    first, second = (f"s3://{_BUCKET}/{key}" for key in list(contents)[:2])

    def listed(*names: str) -> list[tuple[str, bool]]:
        found = list_sources(names, Columns(), Passed())
        return [(source.address, source.etag is not None) for source in found]

    assert listed(first) == [(first, True)]
    assert len(listed(f"s3://{_BUCKET}/a/*/00*.jpg")) == 10
    names = tmp_path / "names.txt"
    names.write_text(f"{second}\n{first}\ns3://{_BUCKET}/none.jpg\n")
    assert listed(str(names)) == [
        (second, True),
        (first, True),
        (f"s3://{_BUCKET}/none.jpg", False),
    ]
    with pytest.raises(UsageRefused, match="There is nothing at"):
        listed(f"s3://{_BUCKET}/none")


def test_a_list_of_addresses_of_another_kind_of_store(
    photos: Callable[..., Path], over: Any, rows: Any, looking: Looking, tmp_path: Path
) -> None:
    folder = photos(5)
    handler = partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        base = f"http://127.0.0.1:{server.server_address[1]}"
        names = tmp_path / "names.txt"
        names.write_text("".join(f"{base}/{number:05}.jpg\n" for number in range(6)))
        outcome = over([names], tmp_path / "table", looking)
    finally:
        server.shutdown()
        server.server_close()
    found = rows(tmp_path / "table")
    assert [row["path"] for row in found] == [f"{base}/{number:05}.jpg" for number in range(6)]
    assert [row["error"] for row in found] == [None] * 5 + ["vanished"]
    assert outcome.errors == {"vanished": 1}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
