"""The packages of the extra `train`, imported only by the commands that need them."""

from __future__ import annotations

import os
from importlib import import_module

from core.errors import ExtraMissing

_TRAIN_PACKAGES = {
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "scipy",
    "sklearn",
    "matplotlib",
    "jinja2",
    "imagehash",
}


def load_training_packages(command: str, module: str) -> None:
    """Import a module that needs the extra `train`. Raises ExtraMissing without it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read by TensorFlow as it is imported
    from core.quiet import quiet_native_stderr

    try:
        with quiet_native_stderr():
            import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _TRAIN_PACKAGES:
            raise
        raise ExtraMissing(
            f"catdog {command} needs packages that are not installed ({error.name}). Run in "
            "catdog's folder: pip install '.[train]'"
        ) from error
