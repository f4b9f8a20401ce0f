"""What is new of a listing, told apart in little memory."""

from __future__ import annotations

import tracemalloc

from core.archive.known import Again, Chunk, Known, Tally, chunks
from core.archive.row import Row, as_table
from core.archive.sources.source import Source
from core.archive.table import Table


def _sources(first: int, end: int) -> list[Source]:
    return [Source(b"/photos/%08d.jpg" % number, "", 1, 1) for number in range(first, end)]


def _row(source: Source) -> Row:
    return Row(source.key.decode(), None, None, source.size, source.mtime_ns, 0.0, "v")


def _numbers(chunk: Chunk) -> list[bytes]:
    return [source.key[-12:-4] for source in chunk.sources]


def test_a_run_that_was_killed_makes_the_same_chunks_again(tmp_path: object) -> None:
    table = Table(str(tmp_path))
    empty = Known(table, Again())
    all_of_them = list(chunks(_sources(0, 95), empty, Tally(), most=10))
    assert [len(chunk.sources) for chunk in all_of_them] == [10] * 9 + [5]
    for place in (0, 3, 9):  # whatever a cluster happened to finish
        table.publish(as_table(map(_row, all_of_them[place].sources), embeddings=False))
    tally = Tally()
    rest = list(chunks(_sources(0, 95), Known(table, Again()), tally, most=10))
    assert [_numbers(one) for one in rest] == [
        _numbers(one) for place, one in enumerate(all_of_them) if place not in (0, 3, 9)
    ]
    assert (tally.to_do, tally.done_before) == (70, 25)


def test_a_part_is_done_again_as_soon_as_nothing_more_of_it_can_come(tmp_path: object) -> None:
    table = Table(str(tmp_path))
    for chunk in chunks(_sources(0, 30), Known(table, Again()), Tally(), most=10):
        table.publish(as_table(map(_row, chunk.sources), embeddings=False))
    changed = [Source(one.key, "", 2, 2) for one in _sources(0, 30)]
    listed = 0

    def listing() -> object:
        nonlocal listed
        for source in changed:
            listed += 1
            yield source

    found = list(chunks(listing(), Known(table, Again()), Tally(), most=10))  # type: ignore[arg-type]
    assert sorted(map(len, (chunk.sources for chunk in found))) == [10, 10, 10]
    assert {chunk.replaces for chunk in found} == set(table.parts())


def test_each_photo_listed_takes_little_memory(tmp_path: object) -> None:
    known = Known(Table(str(tmp_path)), Again())
    sources = (Source(b"/photos/%08d.jpg" % number, "", 1, 1) for number in range(60_000))
    tracemalloc.start()
    held = 0
    for _ in chunks(sources, known, Tally()):
        held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held / 60_000 < 64  # bytes: 16 of a digest, and a chunk of 5,000 in hand


def test_photos_named_twice_are_found_however_far_apart(tmp_path: object) -> None:
    known, tally = Known(Table(str(tmp_path)), Again()), Tally()
    listed = [*_sources(0, 5_000), *_sources(0, 7_000), *_sources(6_999, 7_000)]
    found = [key for chunk in chunks(listed, known, tally) for key in _numbers(chunk)]
    assert found == [b"%08d" % number for number in range(7_000)]
    assert tally.repeated == 5_001
