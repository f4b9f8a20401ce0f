"""What the served model says of a photo, with all that leads to it outside the network."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.errors import ModelRefused
from core.images.decode import Opener
from core.model.classifier import Classifier
from core.model.head import Head, read_head
from core.model.heatmap import Map
from core.model.manifest import KERAS, Kind, Manifest, read_checked
from core.model.network import NETWORK_KERAS, Network, find_network, read_network_info
from core.model.preprocessing import Pixels, preprocess
from core.model.probabilities import probabilities_from_logits
from core.model.registry import network_folders
from core.model.verdict import Prediction, Verdict, judge
from core.paths import display
from core.training.data.learnt_photos import SEEN, read_seen

Floats = npt.NDArray[np.float32]

_SHOWN_SIDE = 720  # pixels of the photo's longer side


@dataclass(frozen=True, eq=False)
class Answer:
    """A photo and what is served of it."""

    classifier: Classifier
    image: Image.Image  # the photo as it was decoded for the network, upright
    shown: Image.Image  # larger, for people
    pixels: Pixels  # as the network sees it, (size, size, 3)
    logits: Floats  # shape (classes,), or (1,) for one sigmoid
    verdict: Verdict
    threshold: float | None  # a person's own
    heat: Map | None  # what spoke for the answer, where
    feature_map: Floats | None  # what the network hands to a head, (h, w, channels)
    head: Head | None

    @property
    def manifest(self) -> Manifest:
        return self.classifier.manifest

    @property
    def prediction(self) -> Prediction:
        return self.verdict.prediction

    @cached_property
    def likeliest(self) -> int:
        """The place of the answer among the classes."""
        return self.manifest.labels.index(self.prediction.label)

    @cached_property
    def class_logits(self) -> npt.NDArray[np.float64]:
        """A logit for each class: of one sigmoid, 0 and its own."""
        return as_classes(self.logits)

    def probabilities(self, logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Calibrate logits as served, shape `(n, classes)` or `(n, 1)`."""
        return probabilities_from_logits(logits, self.manifest.temperature)


def as_classes(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Give one sigmoid's logit a partner of 0, that of the first class."""
    row = np.asarray(logits, np.float64)
    return np.array([0.0, row[0]]) if len(row) == 1 else row


def ask(folder: Path, photo: Opener, *, threshold: float | None = None) -> Answer:
    """Ask the model of a folder what is in a photo.

    Raises ModelRefused, and what `photo` raises.
    """
    classifier = Classifier(folder)
    how = classifier.preprocessing
    image = photo(how.decoded_side)  # as `predict` has it, to the last pixel
    pixels = preprocess(image, how)
    logits = classifier.logits(pixels[np.newaxis])[0]
    prediction = classifier.prediction(logits)
    _, heat = classifier.explain(photo)
    feature_map, head = _head_of(folder, classifier.manifest, pixels)
    shown = photo(max(how.decoded_side, _SHOWN_SIDE)).copy()
    shown.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE), Image.Resampling.LANCZOS)
    return Answer(
        classifier=classifier,
        image=image,
        shown=shown,
        pixels=pixels,
        logits=logits,
        verdict=judge(prediction, classifier.manifest.classes, threshold),
        threshold=threshold,
        heat=heat,
        feature_map=feature_map,
        head=head,
    )


def _head_of(folder: Path, manifest: Manifest, pixels: Pixels) -> tuple[Floats | None, Head | None]:
    """Give the feature map and the head, of a model that has one."""
    if manifest.kind is not Kind.HEAD:
        return None, None
    assert manifest.network is not None
    network = Network(find_network(manifest.network, network_folders(folder, manifest.network)))
    head = read_head(folder, channels=network.info.channels, classes=len(manifest.classes))
    return network.features(network.feature_map(pixels)), head


def keras_file(answer: Answer) -> Path:
    """Find the Keras file of a model's network. Raises ModelRefused if it is missing or altered."""
    folder, manifest = answer.classifier.folder, answer.manifest
    if manifest.kind is Kind.WHOLE:
        read_checked(folder, manifest, KERAS)
        return folder / KERAS
    network = _network_folder(answer)
    path = network / NETWORK_KERAS
    named = read_network_info(network).files.get(NETWORK_KERAS)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelRefused(
            f"{display(path)} cannot be read ({error.strerror}). Only this file shows them; a "
            "network that was trained with catdog has it."
        ) from error
    if hashlib.sha256(content).hexdigest() != named:
        raise ModelRefused(
            f"{display(path)} is not the file that network.json names: it was altered or damaged. "
            "Install catdog again, or train again."
        )
    return path


def architecture(answer: Answer) -> str:
    """Name the architecture of a model's network."""
    if answer.manifest.kind is Kind.WHOLE:
        return str(answer.manifest.recipe.get("network", "of its own"))
    return read_network_info(_network_folder(answer)).name


def own_photos(answer: Answer) -> int:
    """Count the photos of a person's own that a model learnt from. Raises ModelRefused."""
    folder, manifest = answer.classifier.folder, answer.manifest
    if manifest.kind is Kind.WHOLE:
        return sum(manifest.data.get("training", {}).values())
    return len(read_seen(folder).hashes) if (folder / SEEN).exists() else 0


def _network_folder(answer: Answer) -> Path:
    folder, network = answer.classifier.folder, answer.manifest.network
    assert network is not None
    return find_network(network, network_folders(folder, network))
