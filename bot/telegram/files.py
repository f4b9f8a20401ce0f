"""Where a Bot API server says that a file lies: at an address of its own, or on this disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from telegram import Bot


class FileRefused(Exception):
    """The server names no place for a file."""


class ServesNoFiles(Exception):
    """The server names a place where nothing can be had."""

    REMEDY = (
        "With --local it names files on its own disk: run catdog where it can read them, or "
        "the server without --local. Else check CATDOG_BOT_API_URL, and whether what stands "
        "before the server passes /file/ on. `catdog doctor --bot` tries it."
    )


@dataclass(frozen=True, slots=True)
class FileAtTelegram:
    """Where a file lies, as the server says."""

    path: str
    size: int | None  # bytes, if it says so

    @property
    def is_local(self) -> bool:
        """Whether it lies on the server's disk; a relative path never means this one."""
        return self.path.startswith("/") or PureWindowsPath(self.path).is_absolute()


async def locate(bot: Bot, file_id: str) -> FileAtTelegram:
    """Return where a file lies. Raises FileRefused, and what a call to Telegram raises.

    The library's own way takes a relative path for one of the current folder, if that is there.
    """
    answer = await bot.do_api_request("getFile", {"file_id": file_id})
    path = answer.get("file_path") if isinstance(answer, dict) else None
    if not isinstance(path, str) or not path:
        raise FileRefused
    size = answer.get("file_size")
    is_size = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    return FileAtTelegram(path, size if is_size else None)


def read_local(path: str, max_bytes: int) -> bytes:
    """Read a file of a server that runs with --local, at most a byte more than `max_bytes`.

    Raises ServesNoFiles.
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(max_bytes + 1)
    except (OSError, ValueError):
        raise ServesNoFiles from None
