"""Reads the tensors of a file that `torch.save` wrote before PyTorch 1.6, without PyTorch."""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Tensor = npt.NDArray[np.float32] | npt.NDArray[np.int64]

_DTYPES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "LongStorage": np.dtype("<i8"),
}


class _View(NamedTuple):
    """The arguments of torch's `_rebuild_tensor_v2`; offset and strides are in elements."""

    storage: tuple[Any, ...]  # ("storage", class, key, device, elements, None)
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    requires_grad: bool
    hooks: object


def read_checkpoint(content: bytes) -> dict[str, Tensor]:
    """Read a `state_dict`, in a file that is known: float32 and int64 tensors by name, in C order.

    Its pickles may name ordered dictionaries, tensors and their two kinds of storage, and nothing
    else. Raises UnpicklingError for any other.
    """
    file = io.BytesIO(content)
    for _ in range(3):  # a magic number, the protocol, the sizes of types
        _Unpickler(file).load()
    views: dict[str, _View] = _Unpickler(file).load()
    dtypes = {view.storage[2]: _DTYPES[view.storage[1]] for view in views.values()}
    storages = {}
    for key in _Unpickler(file).load():  # each storage: its number of elements, then these
        (count,) = np.frombuffer(file.read(8), "<i8")
        storages[key] = np.frombuffer(file.read(int(count) * dtypes[key].itemsize), dtypes[key])
    return {name: _cut_out(view, storages[view.storage[2]]) for name, view in views.items()}


def _cut_out(view: _View, storage: npt.NDArray[Any]) -> Tensor:
    """Copy a tensor out of its storage, where it need not be contiguous."""
    strides = tuple(stride * storage.itemsize for stride in view.strides)
    tensor = np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, strides)
    return np.ascontiguousarray(tensor).reshape(view.shape)


class _Unpickler(pickle.Unpickler):
    """Builds ordered dictionaries and views of tensors alone."""

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return _View
            case "torch", "FloatStorage" | "LongStorage":
                return name
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        return pid
