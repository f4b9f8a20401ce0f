"""Makes the models of the tests, which are committed: so small that they can be, and real.

    python tests/models/make_tiny.py

`tiny` is a head on a network of three convolutions with random weights, in 8 bits like the one
that comes with catdog. `tiny_whole` is a network with its own classes, trained for a moment. Photos
of the tests are noise around a colour for each class, which so little can learn.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

MODELS = Path(__file__).resolve().parent
sys.path[:0] = [str(MODELS.parent.parent)]

import keras  # noqa: E402
from keras import layers  # noqa: E402

from core.model.manifest import read_manifest  # noqa: E402
from core.model.network import NETWORK_LITERT, LiteRt, Network, NetworkInfo  # noqa: E402
from core.model.preprocessing import Preprocessing  # noqa: E402
from core.training.data.dataset import load  # noqa: E402
from core.training.data.inputs import TrainContext  # noqa: E402
from core.training.data.labelled import scan  # noqa: E402
from core.training.data.train_options import TrainOptions  # noqa: E402
from core.training.head.fit_head import nothing_known  # noqa: E402
from core.training.head.model_folder import write_first_head  # noqa: E402
from core.training.head.replay import write_replay  # noqa: E402
from core.training.networks.export.eight_bits import to_8_bits  # noqa: E402
from core.training.networks.fitting.batches import whole_photos  # noqa: E402
from core.training.networks.train_network import train_network  # noqa: E402
from core.training.networks.transfer.make_network import head_classes  # noqa: E402
from core.training.networks.transfer.replay_photos import replay_set  # noqa: E402
from core.training.report.model_card import write_card  # noqa: E402
from tests.conftest import RecordingConsole, fill, tiny_recipe  # noqa: E402

SIZE, CHANNELS, PHOTOS = 32, 24, 150


def make_head(folder: Path) -> None:
    """Write a head and its network to a new folder."""
    keras.utils.set_random_seed(3)
    image = keras.Input((SIZE, SIZE, 3), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 128, offset=-127 / 128)(image)
    for width in (8, 16, CHANNELS):
        x = layers.Conv2D(width, 3, strides=2, padding="same")(x)
        x = layers.ReLU(6.0)(x)
    network = keras.Model(image, x)
    how = Preprocessing(SIZE, SIZE, shorter_side=28)
    (folder / "network").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as work:
        data = fill(Path(work) / "data", {"cats": PHOTOS, "dogs": PHOTOS, "other": PHOTOS})
        dataset = load(scan(data), how, work=Path(work))
        photos = whole_photos(dataset, dataset.training[:100], SIZE)
        content = to_8_bits(network, photos)
        (folder / "network" / NETWORK_LITERT).write_bytes(content)
        ((_, output),) = LiteRt(content, SIZE).outputs.items()
        scale, zero_point = output["quantization"]
        NetworkInfo(
            name="tiny",
            sha256=hashlib.sha256(content).hexdigest(),
            preprocessing=how,
            channels=CHANNELS,
            scale=float(scale),
            zero_point=int(zero_point),
            files={},
            training={},
        ).write(folder / "network")
        served = Network(folder / "network")
        replay = replay_set(dataset, served)
        del dataset
    write_replay(replay, served)
    classes = head_classes({"cats", "dogs", "other"})
    manifest = write_first_head(
        folder,
        replay,
        classes,
        nothing_known(CHANNELS, len(classes)),
        network=served.info.sha256,
        data={"fingerprint": "0" * 64, "files": 3 * PHOTOS, "skipped": 0, "training": {}},
    )
    manifest.recipe["seconds"] = 0.0
    manifest.write(folder)
    write_card(manifest, folder)


def make_whole(folder: Path) -> None:
    """Write a network with its own classes to a new folder.

    Its photos are so easy that calibration makes it certain of all; tests want doubts.
    """
    with tempfile.TemporaryDirectory() as work:
        data = fill(Path(work) / "data", {"cats": 70, "dogs": 70, "other": 70})
        models = Path(work) / "models"
        context = TrainContext(models, RecordingConsole())
        trained = train_network(TrainOptions(data), tiny_recipe(), context).folder
        manifest = read_manifest(trained)
        folder.mkdir()
        for name in ("MODEL_CARD.md", *manifest.files):
            shutil.copy(trained / name, folder)
    classes = tuple(one.with_threshold(0.6) for one in manifest.classes)
    replace(manifest, temperature=1.0, classes=classes).write(folder)


if __name__ == "__main__":
    for name, make in (("tiny", make_head), ("tiny_whole", make_whole)):
        shutil.rmtree(MODELS / name, ignore_errors=True)
        make(MODELS / name)
