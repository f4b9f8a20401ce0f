"""Keys, addresses and fingerprints of photos."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from core.archive.sources.source import digest_of, fingerprint, is_remote, of_file, written


@pytest.mark.parametrize(
    ("name", "remote"),
    [("s3://bucket/a", True), ("gs://b", True), ("/a/b", False), ("a://", True), ("C:/x", False)],
)
def test_addresses_are_told_from_paths(name: str, remote: bool) -> None:
    assert is_remote(name) is remote


def test_bytes_that_are_no_utf8_are_percent_encoded() -> None:
    assert written("/é/ü.jpg".encode()) == "/é/ü.jpg"
    assert written(b"/caf\xe9/\xff.jpg") == "/caf%E9/%FF.jpg"


def test_digests_survive_numpy_which_drops_zeros_at_the_end() -> None:
    keys = [b"%d" % number for number in range(1_000)]
    assert np.array([digest_of(key) for key in keys], "S16").tolist() == [
        digest_of(key) for key in keys
    ]


def test_a_fingerprint_changes_with_size_time_or_etag() -> None:
    same = fingerprint(None, 5, 7)
    assert (
        len({same, fingerprint(None, 5, 8), fingerprint(None, 6, 7), fingerprint("x", 5, 7)}) == 4
    )
    assert fingerprint("x", 5, 7) == fingerprint("x", 5, 8)  # a store's etag says it


def test_times_after_2262_fit_and_missing_files_have_no_size(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"x")
    os.utime(photo, (1e10, 1e10))
    late = of_file(photo)
    assert late.mtime_ns is not None
    assert late.mtime_ns <= 2**63 - 1
    assert of_file(tmp_path / "none.jpg").size is None
