"""Reading PyTorch's old checkpoints without PyTorch."""

from __future__ import annotations

import io
import os
import pickle
import struct
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

from core.training.networks.architectures.torch_checkpoint import read_checkpoint

pytestmark = pytest.mark.keras

_MAGIC = 0x1950A86A20F9469CFC6C


class _Storage:
    """A storage as torch.save names it: by a persistent id."""

    def __init__(self, kind: str, key: str, count: int) -> None:
        self.pid = ("storage", _Global("torch", kind), key, "cpu", count, None)


class _Global:
    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class _Tensor:
    def __init__(self, storage: _Storage, offset: int, shape: Any, strides: Any) -> None:
        self.parts: tuple[Any, ...] = (storage, offset, shape, strides, False, OrderedDict())


_InPython: Any = pickle._Pickler


class _Pickler(_InPython):  # type: ignore[misc]  # this one can be made to name what is not there
    def persistent_id(self, item: Any) -> Any:
        return item.pid if isinstance(item, _Storage) else None

    def save(self, item: Any, save_persistent_id: bool = True) -> None:
        if isinstance(item, _Global):
            self.write(f"c{item.module}\n{item.name}\n".encode())
        elif isinstance(item, _Tensor):
            self.write(b"ctorch._utils\n_rebuild_tensor_v2\n")
            super().save(item.parts)
            self.write(b"R")
        else:
            super().save(item, save_persistent_id)


def _checkpoint(state: Any, storages: dict[str, np.ndarray]) -> bytes:
    """Write a file as torch.save did before 1.6."""
    file = io.BytesIO()
    pickle.dump(_MAGIC, file, protocol=2)
    pickle.dump(1001, file, protocol=2)
    pickle.dump({"little_endian": True}, file, protocol=2)
    _Pickler(file, protocol=2).dump(state)
    pickle.dump(list(storages), file, protocol=2)
    for values in storages.values():
        file.write(struct.pack("<q", len(values)) + values.tobytes())
    return file.getvalue()


def test_tensors_are_cut_out_by_their_strides() -> None:
    """A transposed view of its storage comes out as it was meant, and so does a scalar."""
    numbers = np.arange(6, dtype=np.float32)
    state = OrderedDict(
        plain=_Tensor(_Storage("FloatStorage", "1", 6), 0, (2, 3), (3, 1)),
        turned=_Tensor(_Storage("FloatStorage", "1", 6), 0, (3, 2), (1, 3)),
        later=_Tensor(_Storage("FloatStorage", "1", 6), 4, (2,), (1,)),
        count=_Tensor(_Storage("LongStorage", "2", 1), 0, (), ()),
    )
    found = read_checkpoint(_checkpoint(state, {"1": numbers, "2": np.array([7], dtype=np.int64)}))
    assert found["plain"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert found["turned"].flags.c_contiguous
    assert found["later"].tolist() == [4, 5]
    assert found["count"] == 7


class _Evil:
    def __reduce__(self) -> Any:
        return os.system, ("true",)


def test_nothing_in_a_file_runs() -> None:
    """Its pickles may name tensors and what holds them, and nothing else."""
    with pytest.raises(pickle.UnpicklingError, match="it names"):
        read_checkpoint(_checkpoint(OrderedDict(run=_Evil()), {}))
