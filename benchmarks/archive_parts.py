"""What parts of an archive's run take: bytes that come late, and on paper a large cluster."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measuring.figures import Figure, in_turns, milliseconds, ratios
from benchmarks.measuring.setting import Setting
from core.archive.archive_run import Answered, Mapper, Task, archive, map_here
from core.archive.classify import Looking
from core.archive.known import Again
from core.archive.row import Row, as_table
from core.archive.sources.source_listing import Columns, Passed, list_sources
from core.archive.table import Table

ROW = 17
ROUNDS = 3
_LATENCY = 0.08  # seconds that S3 takes to the first byte
_PAGE_SECONDS, _PAGE_KEYS = 0.1, 1_000  # a page of S3's listing
_PAPER_PHOTOS, _PAPER_NODES, _PAPER_CORES = 10_000_000, 100, 8


@dataclass(slots=True)
class Clock:
    """Is called as a run goes on, and keeps when the first and the last photos were done."""

    told_at: list[tuple[float, int]] = field(default_factory=list)

    def on_progress(self, done: int, errors: int, to_do: int, *, is_all: bool) -> None:
        self.told_at.append((time.perf_counter(), done))

    @property
    def a_photo(self) -> float:
        """Seconds, from when a fifth of the photos was done: a cluster's start is no work."""
        end, last = self.told_at[-1]
        begin, first = next(one for one in self.told_at if one[1] >= last / 5)
        return (end - begin) / (last - first)


def run_over(sources: Iterable[object], table: Path, mapper: Mapper) -> float:
    """Write a new table, and return the seconds a photo took."""
    clock = Clock()
    listed = list_sources(map(str, sources), Columns(), Passed())
    shutil.rmtree(table, ignore_errors=True)
    with Table(str(table)).locked(table.parent):
        outcome = archive(listed, Table(str(table)), mapper, clock, again=Again())
    assert not outcome.errors, outcome.errors
    return clock.a_photo


def latency_hidden(setting: Setting, looking: Looking) -> list[Figure]:
    """Compare photos that come 80 ms late over HTTP with the same on disk."""
    folder, table = setting.work / "camera", setting.work / "table"
    port = _slow_server(folder)
    names = setting.work / "names.txt"
    addresses = [f"http://127.0.0.1:{port}/{photo.name}" for photo in sorted(folder.iterdir())]
    names.write_text("\n".join(addresses), encoding="utf-8")
    taken = in_turns(
        {
            "disk": lambda: run_over([folder], table, map_here(looking)),
            "late": lambda: run_over([names], table, map_here(looking)),
        },
        ROUNDS,
    )
    return [
        Figure(
            ROW,
            f"archive: photos a second that come {_LATENCY * 1e3:.0f} ms late, of those on disk",
            ratios(taken["disk"], taken["late"]),
            "times",
            note=f"{milliseconds(taken['late'])} a photo; the server takes of the same cores",
        )
    ]


def _slow_server(folder: Path) -> int:
    """Serve a folder's files on loopback, each as late as S3 would."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:  # the client has gone
                return
            method, target = head.split(b" ")[:2]
            content = (folder / target.decode().strip("/")).read_bytes()
            await asyncio.sleep(_LATENCY)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content))
            writer.write(b"" if method == b"HEAD" else content)
            await writer.drain()

    async def serve(started: threading.Event, ports: list[int]) -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=2**16)
        ports.append(server.sockets[0].getsockname()[1])
        started.set()
        await server.serve_forever()

    started, ports = threading.Event(), list[int]()
    threading.Thread(target=lambda: asyncio.run(serve(started, ports)), daemon=True).start()
    started.wait()
    return ports[0]


def on_paper(setting: Setting, looking: Looking, number: int) -> list[Figure]:
    """Compute what 10 million photos take on 100 nodes from what each part takes here."""
    folder = setting.work / "camera"
    photos = len(list(folder.iterdir()))
    begin = time.process_time()
    run_over([folder], setting.work / "table", map_here(Looking(looking.classifier, cores=1)))
    one_core = (time.process_time() - begin) / photos
    names = setting.work / "many.txt"
    photo = next(folder.iterdir())
    names.write_text("".join(f"{photo}?{one}\n" for one in range(number)), encoding="utf-8")

    def answered_at_once(tasks: Iterator[Task]) -> Iterator[Answered]:
        for task in tasks:
            rows = (
                Row(
                    one.address,
                    None,
                    None,
                    1,
                    1,
                    0.0,
                    "m",
                    "filed",
                    "cat",
                    1.0,
                    {"cat": 1.0, "dog": 0.0},
                )
                for one in task.sources
            )
            yield Answered(task.chunk, task.start, as_table(rows, embeddings=False))

    begin = time.process_time()
    run_over([names], setting.work / "paper", answered_at_once)
    driver = (time.process_time() - begin) / number
    parts = {
        "decoding and network": one_core / (_PAPER_NODES * _PAPER_CORES),
        "listing": _PAGE_SECONDS / _PAGE_KEYS,
        "driver": driver,
    }
    slowest = max(parts, key=lambda name: parts[name])
    beside = max(driver, parts["listing"])
    words = ", ".join(f"{name} {seconds * 1e6:.0f} us" for name, seconds in parts.items())
    return [
        Figure(
            ROW,
            f"archive, on paper: 10 million photos on {_PAPER_NODES} nodes of {_PAPER_CORES} cores",
            (_PAPER_PHOTOS * parts[slowest] / 60,),
            "minutes",
            note=f"a photo takes {words}",
        ),
        Figure(
            ROW,
            "archive, on paper: cores from which on more do not help",
            (one_core / beside,),
            "cores",
            note="there the driver lists and publishes as fast as they classify",
        ),
    ]
