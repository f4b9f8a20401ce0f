"""The LiteRT model as it is served."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.batch import predict_photo, predict_photos
from core.errors import UnreadableImage
from core.model.classifier import Classifier
from core.model.preprocessing import preprocess
from core.model.probabilities import probabilities_from_logits
from tests.conftest import Draw


@pytest.fixture
def batch(classifier: Classifier, draw: Draw) -> np.ndarray:
    pictures = [draw(kind, seed) for seed in range(500, 510) for kind in ("cats", "dogs", "other")]
    return np.stack([preprocess(p, classifier.preprocessing) for p in pictures])


def test_it_has_learnt_and_its_probabilities_add_up(
    classifier: Classifier, batch: np.ndarray
) -> None:
    predictions = classifier.predict(batch)
    right = sum(
        p.label == label for p, label in zip(predictions, ["cat", "dog", "other"] * 10, strict=True)
    )
    assert right >= 27
    for prediction in predictions:
        assert sum(prediction.probabilities.values()) == pytest.approx(1)
        assert prediction.confidence == max(prediction.probabilities.values())
        assert prediction.model_version == classifier.manifest.version


def test_a_batch_gives_what_its_photos_give_one_by_one(
    classifier: Classifier, batch: np.ndarray
) -> None:
    together = classifier.logits(batch)
    alone = np.concatenate([classifier.logits(photo[None]) for photo in batch])
    assert (together == alone).all()
    assert classifier.predict(batch[:0]) == []


def test_many_threads_get_what_one_gets(classifier: Classifier, batch: np.ndarray) -> None:
    expected = classifier.logits(batch)
    with ThreadPoolExecutor(8) as pool:
        for logits in pool.map(lambda _: classifier.logits(batch), range(32)):
            assert (logits == expected).all()


def test_the_runtime_says_nothing_on_the_terminal(tiny_model: Path) -> None:
    """Not when it loads, nor at the first photo, nor when more threads ask at once."""
    program = """
import sys
from pathlib import Path
import numpy as np
from core.model.classifier import Classifier
classifier = Classifier(Path(sys.argv[1]))
photo = np.zeros((1, 32, 32, 3), np.uint8)
classifier.logits(photo)
network = classifier._model._file._idle.pop()  # as if it were busy
classifier.logits(photo)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tiny_model)],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stderr == b""


@pytest.mark.parametrize(
    "wrong", [np.zeros((1, 32, 32, 3), np.float32), np.zeros((32, 32, 3), np.uint8)]
)
def test_a_batch_of_another_kind_is_refused(classifier: Classifier, wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Received"):
        classifier.logits(wrong)


def test_photos_are_predicted_in_order_and_bad_ones_in_their_turn(
    classifier: Classifier, tmp_path: Path, draw: Draw
) -> None:
    paths = []
    for seed in range(30):
        path = tmp_path / f"{seed}.png"
        if seed == 13:
            path.write_bytes(b"")
        else:
            draw("dogs", 600 + seed).save(path)
        paths.append(path)
    found = list(predict_photos(classifier, paths))
    assert [path for path, _ in found] == paths
    unreadable = [path for path, outcome in found if isinstance(outcome, UnreadableImage)]
    assert unreadable == [paths[13]]
    assert found[0][1] == predict_photo(classifier, paths[0].read_bytes())


def test_softmax_of_scaled_logits() -> None:
    logits = np.log(np.array([[1.0, 1.0, 2.0]]))
    assert probabilities_from_logits(logits, 1.0) == pytest.approx(np.array([[0.25, 0.25, 0.5]]))
    colder = probabilities_from_logits(logits, 0.5)
    assert colder == pytest.approx(np.array([[1 / 6, 1 / 6, 4 / 6]]))
    assert np.isfinite(probabilities_from_logits(np.array([[1e4, -1e4]]), 0.1)).all()


def test_one_logit_is_the_sigmoid_of_the_second_class() -> None:
    probabilities = probabilities_from_logits(np.array([[2.0]]), 1.0)
    assert probabilities == pytest.approx(
        np.array([[1 - 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-2))]])
    )


def test_a_phone_photo_and_its_upright_copy_get_the_same_answer(
    classifier: Classifier, tmp_path: Path
) -> None:
    """Turning by EXIF happens before the network sees the photo."""
    half = np.zeros((64, 64, 3), dtype=np.uint8)
    half[:32] = (200, 60, 60)
    half[32:] = (60, 60, 200)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(half).save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(np.rot90(half, -1).copy()).save(tmp_path / "upright.png")
    turned, upright = (
        predict_photo(classifier, tmp_path / name) for name in ("turned.png", "upright.png")
    )
    assert turned == upright
