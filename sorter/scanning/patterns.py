"""Patterns for files and folders, as a line of .gitignore is read, but in any case."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

from sorter.names import fold

_SET = re.compile(r"\[(?P<not>[!^]?)(?P<of>\]?(?:\[:\w+:\]|[^\]])*)\]", re.DOTALL)
_MEMBERS = re.compile(r"\[:\w+:\]|.", re.DOTALL)
_CLASSES = {  # in lower case, as all that is compared
    "[:digit:]": "0-9", "[:xdigit:]": "0-9a-f", "[:alpha:]": "a-z", "[:alnum:]": "a-z0-9",
    "[:lower:]": "a-z", "[:upper:]": "a-z", "[:space:]": r"\s", "[:punct:]": r"!-/:-@\[-`{-~",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Pattern:
    matches: re.Pattern[str]
    folders_only: bool
    by_path: bool  # it has a slash: it is for the path below the inbox, not for the name
    takes_back: bool  # it begins with !


def excludes(patterns: Iterable[str], path: PurePath, *, is_folder: bool) -> bool:
    """Return whether a path below the inbox is excluded, by itself or with a folder it lies in.

    Of several patterns that match the last decides, and one with `!` takes back; but nothing is
    taken back out of a folder that is excluded.
    """
    read = [_read(pattern) for pattern in patterns]
    parts = path.parts
    for depth in range(1, len(parts) + 1):
        one, of_folder = parts[:depth], is_folder or depth < len(parts)
        if _decides(read, one, is_folder=of_folder):
            return True
    return False


def includes(patterns: Iterable[str], path: PurePath) -> bool:
    """Return whether a photo below the inbox is asked for, by itself or with its folder.

    A name without a slash is the photo's own.
    """
    read = [_read(pattern) for pattern in patterns]
    if _decides(read, path.parts, is_folder=False):
        return True
    of_folders = [one for one in read if one.by_path or one.folders_only]
    return any(
        _decides(of_folders, path.parts[:depth], is_folder=True)
        for depth in range(1, len(path.parts))
    )


def _decides(patterns: list[_Pattern], parts: tuple[str, ...], *, is_folder: bool) -> bool:
    decided = False
    for one in patterns:
        if one.folders_only and not is_folder:
            continue
        against = "/".join(parts) if one.by_path else parts[-1]
        if one.matches.fullmatch(fold(against)):
            decided = not one.takes_back
    return decided


@lru_cache(maxsize=256)
def _read(pattern: str) -> _Pattern:
    takes_back = pattern.startswith("!")
    body = pattern[1:] if takes_back else pattern
    if body.startswith(("\\!", "\\#")):
        body = body[1:]
    folders_only = body.endswith("/")
    body = body.rstrip("/")
    by_path = "/" in body
    return _Pattern(
        re.compile(_expression(fold(body.lstrip("/"))), re.DOTALL),
        folders_only,
        by_path,
        takes_back,
    )


def _expression(pattern: str) -> str:
    """Write a pattern as a regular expression: `*` and `?` end at a slash, `**` does not."""
    out, at = "", 0
    while at < len(pattern):
        rest = pattern[at:]
        if rest.startswith("**/") and (at == 0 or pattern[at - 1] == "/"):
            out, at = out + "(?:.*/)?", at + 3
        elif rest == "**" and (at == 0 or pattern[at - 1] == "/"):
            out, at = out + ".+", at + 2
        elif rest[0] == "*":
            out, at = out + "[^/]*", at + 1
        elif rest[0] == "?":
            out, at = out + "[^/]", at + 1
        elif (found := _SET.match(rest)) is not None:
            out, at = out + _set(found), at + found.end()
        elif rest[0] == "\\" and len(rest) > 1:
            out, at = out + re.escape(rest[1]), at + 2
        else:
            out, at = out + re.escape(rest[0]), at + 1
    return out


def _set(found: re.Match[str]) -> str:
    """Write `[a-z]`, `[!a-z]` or `[[:digit:]]` as a regular expression; literally if it is none."""
    parts = _MEMBERS.findall(found["of"])
    members = "".join(
        _CLASSES.get(part, part if part == "-" else re.escape(part)) for part in parts
    )
    expression = f"(?!/)[{'^' if found['not'] else ''}{members}]"
    try:
        re.compile(expression)
    except re.error:  # a range that ends before it begins
        return re.escape(found[0])
    return expression
