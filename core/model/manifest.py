"""manifest.json: everything about a model but its weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.errors import ModelRefused
from core.labels import PhotoClass, Role
from core.model.preprocessing import Preprocessing
from core.paths import display

MANIFEST = "manifest.json"
LITERT = "model.tflite"
KERAS = "model.keras"
MODEL_CARD = "MODEL_CARD.md"
FORMAT = 2


class Kind(StrEnum):
    """What a model is made of."""

    HEAD = "head"  # a head for a network that others use, too
    WHOLE = "whole"  # a network whose outputs are logits


@dataclass(frozen=True, slots=True)
class Outputs:
    """The names of the outputs of a whole network's LiteRT file."""

    logits: str  # shape (1, classes), or (1, 1) for two classes and one sigmoid
    activation: str | None  # shape (1, h, w, same): the class activation map; None: has none


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file of the model, as it was when the model was made."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What serving a model takes, and how it was made.

    `temperature` divides the logits before the softmax. The last tables are for people and for
    later training.
    """

    version: str
    created: str  # ISO 8601, UTC
    kind: Kind
    classes: tuple[PhotoClass, ...]
    temperature: float
    files: dict[str, FileRecord]
    data: dict[str, Any]  # fingerprint, counts, share held out
    recipe: dict[str, Any]  # every setting of the training run, its seed and its seconds
    metrics: dict[str, Any]  # by part: validation, and test where one was given
    versions: dict[str, str]  # of the packages that made it
    network: str | None = None  # of a head: SHA-256 of the network's LiteRT file
    preprocessing: Preprocessing | None = None  # of a whole network
    outputs: Outputs | None = None  # of a whole network

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(photo_class.label for photo_class in self.classes)

    @property
    def filed(self) -> tuple[PhotoClass, ...]:
        """The classes whose photos are filed."""
        return tuple(one for one in self.classes if one.role is Role.FILE)

    @property
    def with_folders(self) -> tuple[PhotoClass, ...]:
        """The classes with a folder: there is none for photos of more than one kind."""
        return tuple(one for one in self.classes if one.role is not Role.BOTH)

    @property
    def filing_thresholds(self) -> dict[str, float]:
        """The threshold of each class that is filed, by label."""
        return {one.label: one.threshold for one in self.filed}

    def class_of(self, label: str) -> PhotoClass:
        """Raises KeyError for a label that the model does not have."""
        for photo_class in self.classes:
            if photo_class.label == label:
                return photo_class
        raise KeyError(label)

    def write(self, folder: Path) -> None:
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Read a model folder's manifest.

    Raises ModelRefused if it is missing or malformed, and OldFormat if an older catdog wrote it.
    """
    path = folder / MANIFEST
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelRefused(
            f"There is no model in {display(folder)}: {MANIFEST} cannot be read "
            f"({error.strerror}). Name a folder that `catdog train` made."
        ) from error
    except ValueError as error:
        raise _malformed(path, error) from error
    found = raw.pop("format", None) if isinstance(raw, dict) else None
    if found != FORMAT:
        refused = OldFormat if isinstance(found, int) and found < FORMAT else ModelRefused
        raise refused(
            f"{display(path)} is not of format {FORMAT}, the one that this version of catdog "
            "reads. Train the model again, or install the catdog that made it."
        )
    try:
        how, outputs = raw.get("preprocessing"), raw.get("outputs")
        manifest = Manifest(
            **{
                **raw,
                "kind": Kind(raw["kind"]),
                "classes": tuple(
                    PhotoClass(**{**entry, "role": Role(entry["role"])}) for entry in raw["classes"]
                ),
                "preprocessing": None if how is None else Preprocessing(**how),
                "outputs": None if outputs is None else Outputs(**outputs),
                "files": {name: FileRecord(**entry) for name, entry in raw["files"].items()},
            }
        )
        _check(manifest)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _malformed(path, error) from error
    return manifest


class OldFormat(ModelRefused):
    """A model that an older version of catdog made."""


def old_class_folders(folder: Path) -> frozenset[str]:
    """Return the folders of the classes of a model that an older version of catdog made."""
    try:
        raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return frozenset(entry["folder"] for entry in raw["classes"] if _is_plain(entry["folder"]))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def _check(manifest: Manifest) -> None:
    """Raise ValueError for settings under which photos would be filed wrongly."""
    folders = [photo_class.folder for photo_class in manifest.classes]
    for names in (manifest.labels, folders):
        if len(names) < 2 or len(set(names)) != len(names):
            raise ValueError(f"classes must be two or more, each with a name of its own: {names}")
    for folder in folders:
        if not _is_plain(folder):
            raise ValueError(f"a class's folder must be a plain name. Received: {folder!r}")
    if not manifest.filed:
        raise ValueError(f"one class at least must be filed: {manifest.labels}")
    if not manifest.temperature > 0:
        raise ValueError(f"the temperature must be above 0. Received: {manifest.temperature}")
    for one in manifest.classes:
        if one.parent is not None and one.parent not in manifest.labels:
            raise ValueError(
                f"{one.label!r} is a kind of a class that is not there: {one.parent!r}"
            )
        if not 0 <= one.threshold <= 1:
            raise ValueError(f"a threshold must be 0 to 1. Received: {one.threshold}")
    if manifest.kind is Kind.HEAD and not isinstance(manifest.network, str):
        raise ValueError("a head must name its network")
    if manifest.kind is Kind.WHOLE and (manifest.preprocessing is None or manifest.outputs is None):
        raise ValueError("a whole network must say its preprocessing and its outputs")


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..") and "/" not in name and "\\" not in name


def read_checked(folder: Path, manifest: Manifest, name: str) -> bytes:
    """Read one of the model's files, refusing any other than the one the manifest names.

    Raises ModelRefused.
    """
    path = folder / name
    try:
        content = path.read_bytes()
        record = manifest.files[name]
    except (OSError, KeyError) as error:
        raise ModelRefused(
            f"The model {manifest.version} is incomplete: {display(path)} is missing. Install "
            "catdog again, or choose another model with --model."
        ) from error
    if hashlib.sha256(content).hexdigest() != record.sha256:
        raise ModelRefused(
            f"{display(path)} is not the file that its manifest names (SHA-256 differs): it was "
            "altered or copied in part. Install catdog again, or choose another model with "
            "--model."
        )
    return content


def record_file(path: Path) -> FileRecord:
    """Return a file's hash and size for the manifest."""
    content = path.read_bytes()
    return FileRecord(hashlib.sha256(content).hexdigest(), len(content))


def _malformed(path: Path, error: Exception) -> ModelRefused:
    return ModelRefused(
        f"{display(path)} is malformed ({type(error).__name__}: {error}). Install catdog again, "
        "or choose another model with --model."
    )
