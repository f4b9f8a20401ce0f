"""What a head begins with: the model before, the network that both share, the replay set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.model.head import Head, read_head
from core.model.manifest import Kind, Manifest, read_manifest
from core.model.network import Network, find_network
from core.model.registry import DEFAULT_MODEL, find_model, network_folders
from core.training.data.learnt_photos import Seen, read_seen
from core.training.head.replay import Replay, read_replay


@dataclass(frozen=True, slots=True)
class Base:
    """A model with a head, and what that is made for."""

    folder: Path
    manifest: Manifest
    network: Network
    head: Head
    seen: Seen
    replay: Replay


def read_base(models_dir: Path) -> Base:
    """Read the model that serves, or what comes with catdog where that has no head.

    Raises ModelRefused.
    """
    folder = find_model(models_dir)
    if read_manifest(folder).kind is not Kind.HEAD:
        folder = DEFAULT_MODEL
    manifest = read_manifest(folder)
    assert manifest.network is not None
    network = Network(find_network(manifest.network, network_folders(folder, manifest.network)))
    channels = network.info.channels
    head = read_head(folder, channels=channels, classes=len(manifest.classes))
    return Base(folder, manifest, network, head, read_seen(folder), read_replay(network))
