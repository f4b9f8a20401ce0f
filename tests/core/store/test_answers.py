"""Answers are kept for files of any name and time, one for each."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.store.answers import Answer, answers_of, embeddings_of, keep_answers
from core.store.database import Store


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.jpg") if os.name == "posix" else "x.jpg"
    answer = Answer(
        path=tmp_path / "in" / name,
        size=2**40,
        mtime_ns=2**63 + 5,  # after the year 2262
        model_version="one",
        verdict="unsure",
        sha256="00",
        network_sha256="11",
        probabilities=np.array([0.25, 0.75], np.float32),
        embedding=np.array([-128, 0, 127], np.int8),
    )
    with closing(Store(tmp_path / "state")) as store:
        keep_answers(store, [answer, replace(answer, path=tmp_path / "elsewhere.jpg")])
        keep_answers(store, [replace(answer, verdict="filed")])  # a later answer
        (found,) = answers_of(store, [tmp_path / "unknown.jpg", answer.path]).values()
        embeddings = embeddings_of(store, [answer.path, tmp_path / "unknown.jpg"])
    assert found.probabilities is not None
    assert found.embedding is not None
    assert found.embedding.tolist() == [-128, 0, 127]
    assert found.probabilities.tolist() == [0.25, 0.75]
    assert (found.verdict, found.size, found.mtime_ns) == ("filed", 2**40, 2**63 + 5)
    assert embeddings[answer.path].tolist() == [-128, 0, 127]
    assert list(embeddings) == [answer.path]


def test_a_file_that_could_not_be_read_has_neither(tmp_path: Path) -> None:
    answer = Answer(tmp_path / "a.jpg", 1, 2, "one", "truncated", "00")
    with closing(Store(tmp_path / "state")) as store:
        keep_answers(store, [answer])
        assert answers_of(store, [answer.path]) == {answer.path: answer}
        assert embeddings_of(store, [answer.path]) == {}
