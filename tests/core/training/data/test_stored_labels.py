"""Labels that people gave are learnt from; what catdog guessed is not taken for a label."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from catdog import main
from core.labels import classes_from_folders
from core.model.preprocessing import Preprocessing
from core.store.database import Store
from core.store.feedback_table import Feedback, Source, record
from core.training.data.dataset import load
from core.training.data.labelled import scan
from core.training.data.stored_labels import guesses, with_feedback


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "own-state"


@pytest.fixture
def store(state: Path) -> Iterator[Store]:
    with closing(Store(state)) as opened:
        yield opened


@pytest.fixture
def data(tmp_path: Path, fill_folder: Callable[..., Path]) -> Path:
    return fill_folder(tmp_path / "data", {"cats": 30, "dogs": 30})


def say(store: Store, path: Path, label: str, person: str | None = None) -> None:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    record(store, Feedback(Source.BOT, sha256, label, path=path, person=person))


def test_photos_that_people_labelled_are_added_with_their_last_word(
    store: Store, data: Path, tmp_path: Path, draw: Callable[..., Any]
) -> None:
    photos = []
    for number in range(5):
        draw("cats", 900 + number).save(tmp_path / f"kept-{number}.jpg")
        photos.append(tmp_path / f"kept-{number}.jpg")
    say(store, photos[0], "dog", "a")
    say(store, photos[0], "cat", "a")  # changed their mind
    say(store, photos[1], "cat", "a")
    say(store, photos[1], "dog", "b")  # do not agree
    say(store, photos[2], "wolf", "a")
    say(store, photos[3], "cat", "a")
    photos[3].unlink()
    say(store, data / "cats" / "cats-000.jpg", "cat", "a")  # learnt from already
    found = with_feedback(scan(data), store)
    assert (found.added, found.missing) == (1, 1)
    assert found.labelled.photos[-1].path == photos[0]
    assert found.labelled.photos[-1].label == "cat"
    reasons = " ".join(fault.reason for fault in found.faults)
    assert "kept-1.jpg was called cat and dog: it is not used." in reasons
    assert "kept-2.jpg was called wolf, which is not learnt here." in reasons


def test_a_label_that_contradicts_the_folder_is_told_and_the_photo_not_used(
    store: Store, data: Path, tmp_path: Path
) -> None:
    say(store, data / "cats" / "cats-003.jpg", "dog")
    dataset = load(with_feedback(scan(data), store).labelled, Preprocessing(16, 18), work=tmp_path)
    assert len(dataset.faults) == 2
    assert "cats-003.jpg" in dataset.faults[0].reason
    used = [*dataset.training, *dataset.validation]
    assert data / "cats" / "cats-003.jpg" not in {dataset.photos[row].path for row in used}


def test_what_catdog_filed_is_a_guess_until_somebody_corrects_it(
    state: Path, data: Path, tmp_path: Path, tiny_model: Path, draw: Callable[..., Any]
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for number in range(6):
        draw("cats", 900 + number).save(inbox / f"new-{number}.jpg")
    before = scan(data).photos
    arguments = ["--state-dir", str(state), "sort", str(inbox), "--into", str(data)]
    sort = [*arguments, "--model", str(tiny_model), "--threshold", "0.5"]
    assert CliRunner().invoke(main, sort).exit_code == 0
    new = sorted((data / "cats").glob("new-*.jpg"))
    assert len(new) == 6
    new[0].rename(data / "dogs" / new[0].name)  # by hand: a label
    new[1].write_bytes((data / "cats" / "cats-001.jpg").read_bytes() + b"another photo")
    listed = CliRunner().invoke(main, ["--state-dir", str(state), "feedback", "list"])
    assert "sorter: dog; catdog said cat" in listed.stdout, "at once, not after the next sort"
    assert str(data / "dogs" / new[0].name) in listed.stdout
    with closing(Store(state)) as store:
        labelled = scan(data)
        found = guesses(labelled, store)
        assert found == set(new[2:])
        assert len(labelled.photos) - len(found) == len(before) + 2
        dataset = load(labelled, Preprocessing(16, 18), work=tmp_path, never_held_out=found)
    held_out = {dataset.photos[row].path for row in dataset.validation}
    assert held_out
    assert not held_out & found


@pytest.mark.long
def test_train_says_what_it_leaves_out_and_what_it_adds(
    store: Store, state: Path, data: Path, tmp_path: Path, console: Any, tiny_recipe: Any,
    tiny_model: Path, draw: Callable[..., Any],
) -> None:  # fmt: skip
    from core.training.data.inputs import TrainContext
    from core.training.data.train_options import TrainOptions
    from core.training.networks.recipe import MILD, Stage
    from core.training.networks.train_network import train_network

    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for number in range(4):
        draw("cats", 900 + number).save(inbox / f"new-{number}.jpg")
    sort = ["--state-dir", str(state), "sort", str(inbox), "--into", str(data)]
    CliRunner().invoke(main, [*sort, "--model", str(tiny_model), "--threshold", "0.5"])
    draw("dogs", 950).save(tmp_path / "rex.jpg")
    say(store, tmp_path / "rex.jpg", "dog")
    recipe = tiny_recipe(stages=(Stage(32, 1, MILD),))
    for trust, files in ((False, 61), (True, 65)):
        options = TrainOptions(data, with_feedback=True, trust_filed=trust)
        trained = train_network(
            options, recipe, TrainContext(tmp_path / f"m{trust}", console, store)
        )
        assert trained.manifest.data["files"] == files
    lines = "\n".join(console.lines)
    assert "4 photos that catdog filed are left out" in lines
    assert "4 photos that catdog filed are learnt from, and not held out." in lines
    assert "1 photos that people labelled are learnt from besides; 0 are not found" in lines


def test_labels_of_classes_that_the_model_has_are_learnt_without_folders_for_them(
    store: Store, data: Path, tmp_path: Path, draw: Callable[..., Any]
) -> None:
    for number, label in enumerate(("other", "wolf")):
        photo = tmp_path / f"{label}.jpg"
        draw("other", 950 + number).save(photo)
        say(store, photo, label)
    known = classes_from_folders(["cats", "dogs", "other", "both"])
    found = with_feedback(scan(data), store, known)
    assert found.labelled.labels == {"cat", "dog", "other"}
    assert found.added == 1
    (fault,) = found.faults
    assert "wolf" in fault.reason


def test_what_people_labelled_is_enough_to_train_a_head(
    state: Path, tmp_path: Path, draw: Callable[..., Any], head_models_dir: Path
) -> None:
    """Without DATA, and of classes that the model that serves has."""
    with closing(Store(state)) as store:
        for number in range(30):
            kind, label = (("cats", "cat"), ("dogs", "dog"), ("other", "other"))[number % 3]
            photo = tmp_path / f"{number}.png"
            draw(kind, 700 + number).save(photo)
            say(store, photo, label)
    command = ["--state-dir", str(state), "--models-dir", str(head_models_dir), "train"]
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 2
    assert "--with-feedback" in refused.output
    result = CliRunner().invoke(main, [*command, "--with-feedback"])
    assert result.exit_code == 0, result.output
    assert "30 photos of 3 classes in what people labelled" in result.output


def test_without_any_label_there_is_nothing_to_learn_from(
    state: Path, head_models_dir: Path
) -> None:
    command = ["--state-dir", str(state), "--models-dir", str(head_models_dir), "train"]
    result = CliRunner().invoke(main, [*command, "--with-feedback"])
    assert result.exit_code == 2
    assert "no photos to learn from" in result.output
