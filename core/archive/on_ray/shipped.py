"""A model on its way to other machines: none of them can have another than the driver's."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from core.errors import ModelRefused
from core.model.classifier import Classifier
from core.model.head import HEAD
from core.model.manifest import LITERT, MANIFEST
from core.model.network import NETWORK, NETWORK_LITERT, find_network
from core.model.registry import OWN_NETWORK, network_folders


@dataclass(frozen=True, slots=True)
class Shipped:
    """A model's files as the driver has them."""

    files: dict[str, bytes]
    sha256: str

    @classmethod
    def of(cls, classifier: Classifier) -> Shipped:
        """Read the files that serving needs. Raises ModelRefused."""
        folder, manifest = classifier.folder, classifier.manifest
        files = {MANIFEST: (folder / MANIFEST).read_bytes()}
        for name in (LITERT, HEAD):
            if name in manifest.files:
                files[name] = (folder / name).read_bytes()
        if manifest.network is not None:
            network = find_network(manifest.network, network_folders(folder, manifest.network))
            for name in (NETWORK, NETWORK_LITERT):
                files[f"{OWN_NETWORK}/{name}"] = (network / name).read_bytes()
        return cls(files, _sha256(files))

    def load(self) -> Classifier:
        """Load the model. Raises ModelRefused if anything in it changed on its way."""
        if _sha256(self.files) != self.sha256:
            raise ModelRefused("The model that came over the network is not the driver's.")
        with tempfile.TemporaryDirectory(prefix="catdog-model-") as unpacked:
            for name, content in self.files.items():
                path = Path(unpacked) / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            return Classifier(Path(unpacked))  # all of it is in memory then


def _sha256(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
