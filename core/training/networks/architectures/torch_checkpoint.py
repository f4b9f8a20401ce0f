"""Reads the tensors of a file that `torch.save` wrote before PyTorch 1.6, without PyTorch."""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Tensor = npt.NDArray[np.float32] | npt.NDArray[np.int64]

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_DTYPES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "LongStorage": np.dtype("<i8"),
}


class _View(NamedTuple):
    """A tensor that is still to be cut out of its storage; offset and strides in elements."""

    storage: tuple[Any, ...]  # ("storage", class, key, device, elements, None)
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_checkpoint(content: bytes) -> dict[str, Tensor]:
    """Read a `state_dict`: float32 and int64 tensors by name, in C order.

    Nothing in the file can run code: its pickles may name ordered dictionaries, tensors and their
    two kinds of storage, and nothing else. Raises ValueError for any other file.
    """
    file = io.BytesIO(content)
    try:
        if (_load(file), _load(file)) != (_MAGIC, _PROTOCOL):
            raise ValueError("it is no checkpoint of PyTorch's format before 1.6")
        if not _load(file)["little_endian"]:
            raise ValueError("it was written on a big-endian machine")
        views: dict[str, _View] = _load(file)
        dtypes = {view.storage[2]: _DTYPES[view.storage[1]] for view in views.values()}
        storages = {}
        for key in _load(file):  # each storage: its number of elements, then these
            (count,) = np.frombuffer(file.read(8), "<i8")
            raw = file.read(int(count) * dtypes[key].itemsize)
            storages[key] = np.frombuffer(raw, dtypes[key], count)
        return {name: _cut_out(view, storages[view.storage[2]]) for name, view in views.items()}
    except (pickle.UnpicklingError, KeyError, IndexError, TypeError, EOFError) as error:
        raise ValueError(f"it is no checkpoint of tensors ({error})") from error


def _cut_out(view: _View, storage: npt.NDArray[Any]) -> Tensor:
    """Copy a tensor out of its storage, where it need not be contiguous."""
    last = view.offset + sum(
        (size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True)
    )
    if view.offset < 0 or min(view.strides, default=0) < 0 or last >= len(storage):
        raise ValueError("a tensor reaches beyond its storage")
    strides = tuple(stride * storage.itemsize for stride in view.strides)
    tensor = np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, strides)
    return np.ascontiguousarray(tensor).reshape(view.shape)


def _load(file: io.BytesIO) -> Any:
    return _Unpickler(file).load()


class _Unpickler(pickle.Unpickler):
    """Builds ordered dictionaries and views of tensors alone."""

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return _view
            case "torch", "FloatStorage" | "LongStorage":
                return name
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        return pid


def _view(
    storage: tuple[Any, ...],
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    requires_grad: bool,
    hooks: object,
) -> _View:
    return _View(storage, offset, shape, strides)
