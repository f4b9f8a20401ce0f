"""Tasks on their way from the driver into Ray Data, no more of them than are answered."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Iterator
from typing import Any

from core.archive.archive_extra import load
from core.archive.archive_run import Task

TaskKey = tuple[int, int]  # a chunk, and the place of the task's first photo in it


def key_of(task: Task) -> TaskKey:
    return task.chunk, task.start


def this_node() -> dict[str, str]:
    """Select the node that this process runs on, whose death is the run's own."""
    node: str = load("ray").get_runtime_context().get_node_id()
    return {"ray.io/node-id": node}


class _Queue:
    """Tasks on their way from the driver into Ray Data; an actor on the driver's node."""

    def __init__(self) -> None:
        self._tasks: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def put(self, task: bytes | None) -> None:
        await self._tasks.put(task)

    async def take(self) -> bytes | None:
        """Return the next task, None for ever after the last."""
        task = await self._tasks.get()
        if task is None:
            await self._tasks.put(None)
        return task


class Feeder:
    """A thread that hands out tasks as fast as they are answered."""

    def __init__(
        self, tasks: Iterator[Task], handed_out: dict[TaskKey, Task], *, most: int
    ) -> None:
        """`handed_out` has each task before it goes; `most` are not answered at once."""
        ray = load("ray")
        self.queue = ray.remote(_Queue).options(num_cpus=0, label_selector=this_node()).remote()
        self._error: Exception | None = None
        self._free = threading.Semaphore(most)
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._feed, args=(tasks, handed_out), daemon=True, name="feeder"
        )
        self._thread.start()

    def one_is_answered(self) -> None:
        self._free.release()

    def stop(self) -> None:
        """Hand out no more."""
        self._is_stopped.set()
        self._free.release()
        load("ray").kill(self.queue)

    def join(self) -> None:
        """Wait until the tasks can be taken up where this stopped; raise what the listing did."""
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _feed(self, tasks: Iterator[Task], handed_out: dict[TaskKey, Task]) -> None:
        try:
            for task in tasks:
                handed_out[key_of(task)] = task
                self._free.acquire()
                if self._is_stopped.is_set() or not self._put(pickle.dumps(task)):
                    return
        except Exception as error:  # of the listing
            self._error = error
        self._put(None)

    def _put(self, task: bytes | None) -> bool:
        ray = load("ray")
        try:
            ray.get(self.queue.put.remote(task))
        except ray.exceptions.RayError:  # it was stopped, or the cluster is gone
            return False
        return True


def datasource(queue: Any) -> Any:
    """Make what Ray Data reads tasks from: one stream of a queue's."""
    source: Any = load("ray.data.datasource")
    metadata = load("ray.data.block").BlockMetadata(
        num_rows=None, size_bytes=None, input_files=None, exec_stats=None
    )

    def read() -> Iterator[Any]:
        pa, ray = load("pyarrow"), load("ray")
        while (task := ray.get(queue.take.remote())) is not None:
            yield pa.table({"task": pa.array([task], pa.binary())})

    tasks = {
        "estimate_inmemory_data_size": lambda self: None,
        "get_read_tasks": lambda self, *_, **__: [source.ReadTask(read, metadata)],
    }
    return type("Tasks", (source.Datasource,), tasks)()
