"""Classifies tasks on a Ray cluster, and does again what is lost with its workers."""

from __future__ import annotations

import logging
import os
import pickle
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

from core.archive.archive_extra import load
from core.archive.archive_run import Answered, Mapper, Task
from core.archive.classify import INTERNAL_ERROR, Looking, classify, failed
from core.archive.on_ray.feed import Feeder, TaskKey, datasource, this_node
from core.archive.on_ray.shipped import Shipped
from core.archive.row import as_table, packed, unpacked
from core.archive.sources.source import written
from core.errors import CatdogError, UsageRefused
from core.runtime.quiet import quiet_native_stderr

log = logging.getLogger(__name__)

LOCAL = "local"
_LOCAL_STORE_BYTES = 300_000_000  # only rows and names of photos go through it
_CALLS_AT_ONCE = 2  # of an actor: one's photos are read while the other's are decoded
_TASKS_WAITING = 6  # for each actor, of those handed out
# without any answer, after which what was handed out counts as lost
_STALL_SECONDS = 180.0


class ClusterLost(CatdogError):
    """A cluster does not answer."""


class _Worker:
    """What runs in each process of the cluster: the model, loaded once."""

    def __init__(self, model: list[Any], threshold: float | None, *, embeddings: bool) -> None:
        shipped: Shipped = load("ray").get(model[0])  # of a list: else Ray fetches it, or does not
        self._looking = Looking(shipped.load(), threshold, embeddings, cores=1)

    def __call__(self, tasks: Any) -> Any:
        pa = load("pyarrow")
        (task,) = tasks["task"].to_pylist()
        return pa.table({"answer": pa.array([self.answer(task)], pa.binary())})

    def ready(self) -> bool:
        return True

    def answer(self, pickled: bytes) -> bytes:
        task: Task = pickle.loads(pickled)
        rows = as_table(classify(task.sources, self._looking), embeddings=self._looking.embeddings)
        return pickle.dumps(Answered(task.chunk, task.start, packed(rows)))


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """Join a cluster, or start one of this machine's cores alone for `local`.

    Raises ExtraMissing, UsageRefused, ClusterLost.
    """
    if address.startswith("ray://"):
        raise UsageRefused(
            "Ray's client addresses (ray://) are not supported. Run catdog on one of the cluster's "
            "machines, with --ray auto."
        )
    ray = load("ray", extra="ray")
    load("ray.data", extra="ray")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # of this process; nodes have their own
    own: dict[str, Any] = {"object_store_memory": _LOCAL_STORE_BYTES, "include_dashboard": False}
    try:
        with quiet_native_stderr():  # "Set ray log level"
            ray.init(address=address, **quiet, **(own if address == LOCAL else {}))
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ClusterLost(
            f"No Ray cluster answers at {address} ({error}). Start one with `ray start --head`, "
            "or say --ray local."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def map_on_ray(looking: Looking) -> Mapper:
    """Make a mapper that classifies on the cluster that was joined.

    What is lost with a worker is done again, photo by photo; photos that are lost once more are
    looked at alone in the end, and one that kills its worker even then is a row with an error.
    """
    model = [load("ray").put(Shipped.of(looking.classifier))]

    def answers(tasks: Iterator[Task]) -> Iterator[Answered]:
        suspects: list[Task] = []
        again: list[Task] = [*islice(tasks, 1)]
        while again:
            handed_out: dict[TaskKey, Task] = {}
            came = False
            errors: list[Exception] = []
            for answer in _answered(chain(again, tasks), looking, model, handed_out, errors):
                came = True
                yield answer
            if not came and len(handed_out) > 1:
                raise _lost(errors[-1] if errors else "it gave no answer")
            if handed_out:
                log.warning("%d tasks were lost with their workers: done again", len(handed_out))
            lost = list(handed_out.values())
            suspects += (task for task in lost if len(task.sources) == 1)
            again = [one for task in lost if len(task.sources) > 1 for one in _split(task)]
            again += islice(tasks, 1)  # there are more if Ray gave up, or listing took its time
        for task in suspects:
            yield Answered(task.chunk, task.start, _alone(task, looking, model))

    return answers


def _lost(why: object) -> ClusterLost:
    return ClusterLost(
        f"No worker of the Ray cluster answers ({why}). What was published stays: start again when "
        "it is well."
    )


def _alone(task: Task, looking: Looking, model: Any) -> Any:
    """Return the rows of photos that are looked at by a worker of their own, were it its end."""
    ray = load("ray")
    worker = (
        ray.remote(_Worker)
        .options(num_cpus=0, max_restarts=0)
        .remote(model, looking.threshold, embeddings=looking.embeddings)
    )
    try:
        ray.get(worker.ready.remote())
    except ray.exceptions.RayError as error:
        raise _lost(error) from error
    try:
        answer: Answered = pickle.loads(ray.get(worker.answer.remote(pickle.dumps(task))))
        return unpacked(answer.rows)
    except ray.exceptions.RayError as error:
        log.warning("%s is given up: %s", written(task.sources[0].key), error)
        rows = [failed(source, looking, INTERNAL_ERROR) for source in task.sources]
        return as_table(rows, embeddings=looking.embeddings)
    finally:
        ray.kill(worker)


def _split(task: Task) -> Iterator[Task]:
    for index, source in enumerate(task.sources):
        yield Task(task.chunk, task.start + index, (source,))


def _answered(
    tasks: Iterator[Task],
    looking: Looking,
    model: Any,
    handed_out: dict[TaskKey, Task],
    errors: list[Exception],
) -> Iterator[Answered]:
    """Have tasks answered; `handed_out` has those that were lost, `errors` why Ray gave up."""
    ray = load("ray")
    workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
    most = workers * _TASKS_WAITING
    feeder = Feeder(tasks, handed_out, most=most)
    load("ray.data").DataContext.get_current().max_errored_blocks = most // 2  # else none goes on
    try:
        for batch in _dataset(feeder.queue, looking, model, workers).iter_batches(
            batch_size=None, batch_format="pyarrow", prefetch_batches=0
        ):
            for content in batch["answer"].to_pylist():
                answer: Answered = pickle.loads(content)
                if handed_out.pop((answer.chunk, answer.start), None) is None:
                    continue  # done twice, for a node was taken for dead
                feeder.one_is_answered()
                yield Answered(answer.chunk, answer.start, unpacked(answer.rows))
    except (ray.exceptions.RayError, load("ray.data.exceptions").ExecutionTimeoutError) as error:
        errors.append(error)
    finally:
        feeder.stop()
    feeder.join()


def _dataset(queue: Any, looking: Looking, model: Any, workers: int) -> Any:
    """Build Ray Data's plan: one task that hands out what is fed, actors that classify it.

    The task takes no CPU, so that the actors may have all of them.
    """
    data = load("ray.data")
    context = data.DataContext.get_current()
    context.target_max_block_size = 1  # each row, a task or its answer, goes on at once
    context.enable_progress_bars = False
    context.execution_no_progress_timeout_s = _STALL_SECONDS  # also if nothing new is listed
    tasks = data.read_datasource(
        datasource(queue), override_num_blocks=1, num_cpus=0, label_selector=this_node()
    )
    with warnings.catch_warnings():  # how often tasks are tried has no name of its own yet
        warnings.simplefilter("ignore")
        return tasks.map_batches(
            _Worker,
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=1,
            fn_constructor_args=(model, looking.threshold),
            fn_constructor_kwargs={"embeddings": looking.embeddings},
            compute=data.ActorPoolStrategy(
                size=workers,
                max_tasks_in_flight_per_actor=2 * _CALLS_AT_ONCE,
                max_concurrent_calls_per_actor=_CALLS_AT_ONCE,
                enable_true_multi_threading=True,
            ),
            max_task_retries=0,
        )
