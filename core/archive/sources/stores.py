"""Photos in a store such as S3, listed page by page."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Protocol

from core.archive.archive_extra import file_system
from core.archive.sources.source import Source
from core.errors import CatdogError, UsageRefused
from core.images.listing import is_image_name
from core.images.other_stores import is_other_store

_NANOSECONDS = 1_000_000_000


class _Passed(Protocol):
    not_photos: int


class StoreFailed(CatdogError):
    """A store cannot be listed."""


def files_of_store(address: str, passed: _Passed, *, only_one: bool = False) -> Iterator[Source]:
    """Return the photos below an address, those that a pattern finds, or the one that it names.

    Raises UsageRefused if nothing is there, StoreFailed if the store does not answer.
    """
    fs, path = file_system(address)
    found = False
    try:
        for info in _found(fs, path, only_one=only_one):
            if info["type"] == "directory" or info["name"].endswith("/"):
                continue
            found = True
            name = str(info["name"])
            if name == path or _is_photo(name, path):
                yield of_info(fs.unstrip_protocol(name), info)
            else:
                passed.not_photos += 1
    except FileNotFoundError:
        pass
    except CatdogError:
        raise
    except Exception as error:  # each store's client raises what it likes
        raise StoreFailed(
            f"{address} cannot be listed ({error}). Check the address, your credentials and the "
            "network, then start again: what is in the table stays."
        ) from error
    if not found:
        raise UsageRefused(f"There is nothing at {address}. Check the address.")


def of_info(address: str, info: dict[str, Any]) -> Source:
    """Return a file of a store as a source, with its etag, or its time where there is none."""
    etag = info.get("ETag") or info.get("etag")
    when = info.get("mtime") or info.get("LastModified") or info.get("updated")
    nanoseconds = None
    if isinstance(when, datetime):
        nanoseconds = round(when.timestamp() * _NANOSECONDS)
    elif isinstance(when, int | float):
        nanoseconds = round(when * _NANOSECONDS)
    return Source(
        address.encode("utf-8", "surrogateescape"),
        address,
        info.get("size"),
        None if etag else nanoseconds,
        str(etag).strip('"') if etag else None,
    )


def _is_photo(name: str, below: str) -> bool:
    *folders, last = name.removeprefix(below).split("/")
    if last.startswith(".") or not is_image_name(last):
        return False
    return not any(part.startswith(".") or is_other_store(part) for part in folders)


def _found(fs: Any, path: str, *, only_one: bool) -> Iterable[dict[str, Any]]:
    if only_one:
        return [fs.info(path)]
    if glob.has_magic(path):
        return [info for _, info in sorted(fs.glob(path, detail=True).items())]
    if "s3" in fs.protocol:
        return _s3_pages(fs, path)
    return _folders(fs, path)


def _s3_pages(fs: Any, path: str) -> Iterator[dict[str, Any]]:
    """List a bucket or what is below a prefix, in pages of 1,000 keys; no more is in memory."""
    bucket, _, prefix = path.partition("/")
    if prefix and not prefix.endswith("/"):
        try:
            info = fs.info(path)
        except FileNotFoundError:
            return
        if info["type"] == "file":
            yield info
            return
        prefix += "/"
    more: dict[str, str] = {}
    while True:
        page = fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, **more)
        for one in page.get("Contents", ()):
            yield {
                "name": f"{bucket}/{one['Key']}",
                "size": one["Size"],
                "type": "file",
                "ETag": one["ETag"],
            }
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}


def _folders(fs: Any, path: str) -> Iterator[dict[str, Any]]:
    """List folder by folder, in the order of names."""
    waiting = [path]
    while waiting:
        entries = sorted(fs.ls(waiting.pop(), detail=True), key=lambda info: str(info["name"]))
        yield from (info for info in entries if info["type"] != "directory")
        folders = [info["name"] for info in entries if info["type"] == "directory"]
        waiting.extend(reversed(folders))
