"""The packages of the extras `train` and `keras`, imported only by the commands that need them."""

from __future__ import annotations

import logging
import os
from importlib import import_module

from core.errors import ExtraMissing, install_command

EXTRA_PACKAGES = {
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "scipy",
    "sklearn",
    "threadpoolctl",
    "matplotlib",
    "imagehash",
}


def load_training_packages(command: str, module: str, *, extra: str = "train") -> None:
    """Import a module that needs an extra. Raises ExtraMissing without it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read by TensorFlow as it is imported
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # advice for who wrote the program
    from core.runtime.quiet import quiet_native_stderr

    try:
        with quiet_native_stderr():
            import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA_PACKAGES:
            raise
        raise ExtraMissing(
            f"catdog {command} needs packages that are not installed ({error.name}). Run in "
            f"catdog's folder: {install_command(extra)}"
        ) from error
