"""How the bot holds when 50 people send it 10 photos each at once.

    python -m benchmarks.bot_load [--flood SECONDS]

Runs `catdog bot` with the model that comes with catdog against a Bot API server on loopback,
which works on the same processor: once with Telegram's limit of 30 messages a second, and once
without. Ends with 1 if an answer is missing or double, if 95 % of the answers have not come within
20 seconds (8 without the limit), if the bot takes more than 250 MB, or if its loop was held up for
more than 100 ms.

With --flood Telegram has the first chat wait for so long with a 429, and what is compared is how
soon all others are answered, with it and without. Ends with 1 if that takes a second longer.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmarks.measuring.memory import PeakMemory, tree_memory
from tests.bot.telegram_on_loopback import TOKEN, BotApi, Failure

PEOPLE = 50
PHOTOS = 10  # of each person
LONG_SIDE = 1280  # pixels, as Telegram makes photos
MOST_MEMORY = 250e6  # bytes
MOST_LAG = 0.1  # seconds
MOST_LATER = 1.0  # seconds, for all others, where one chat has to wait
ROUNDS = 3  # with and without


@dataclass(frozen=True)
class Load:
    """What came of a burst. Times are seconds from its start."""

    answered: int
    doubled: int
    out_of_order: int
    median: float
    p95: float
    last: float
    others: float  # until all but the first person were answered
    memory: float  # bytes: proportional set size where there is one, at most
    lag: float  # seconds that the loop was held up, at most
    idle: float  # bytes, before the burst


def draw_photos(number: int) -> list[bytes]:
    """Make JPEGs of the size that Telegram's photos have, and twice the weight."""
    photos = []
    for seed in range(number):
        random = np.random.default_rng(seed)
        coarse = random.integers(0, 255, (30, 40, 3), np.uint8)
        image = Image.fromarray(coarse).resize((LONG_SIDE, LONG_SIDE * 3 // 4))
        noisy = np.asarray(image).astype(int) + random.normal(0, 12, (*image.size[::-1], 1))
        stream = io.BytesIO()
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=87)
        photos.append(stream.getvalue())
    return photos


def run(
    send_rate: int,
    people: int = PEOPLE,
    photos: int = PHOTOS,
    pictures: Sequence[bytes] | None = None,
    *,
    flood: float = 0.0,
) -> Load:
    """Send a burst to a bot of its own, of other pictures than those drawn here, if given.

    `flood` is how many seconds Telegram has the first person's chat wait.
    """
    port = _free_port()
    command = [
        sys.executable, "-m", "catdog", "bot",
        "--send-rate", str(send_rate), "--health-port", str(port),
    ]  # fmt: skip
    return burst(
        lambda url: command,
        people,
        photos,
        pictures,
        lag=lambda: _metric(port, "catdog_bot_loop_lag_max_seconds"),
        flood=flood,
    )


def burst(
    command: Callable[[str], Sequence[str]],
    people: int,
    photos: int,
    pictures: Sequence[bytes] | None = None,
    *,
    lag: Callable[[], float] = lambda: 0.0,
    flood: float = 0.0,
) -> Load:
    """Start a bot, send it a burst, and end it.

    `command` is made for the root of a Bot API server, and `lag` asked when all is answered.
    """
    api = BotApi()
    if flood:
        wait = Failure(429, "Too Many Requests", {"retry_after": flood})
        wait.when = lambda fields: fields["chat_id"] == "1"
        api.fail("sendMessage", wait)
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            command(api.url),
            env={
                **os.environ,
                "CATDOG_BOT_TOKEN": TOKEN,
                "CATDOG_BOT_API_URL": api.url,
                "CATDOG_STATE_DIR": folder,
            },
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait_for_start(api, process)
            time.sleep(2)
            return _burst(api, process, people, photos, pictures or draw_photos(photos), lag)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
            api.close()


def _wait_for_start(api: BotApi, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120  # TensorFlow takes its time where others are at work
    while not api.called("getUpdates"):
        assert process.poll() is None, "the bot has ended"
        assert time.monotonic() < deadline, "the bot does not start"
        time.sleep(0.05)


def _burst(
    api: BotApi,
    process: subprocess.Popen[bytes],
    people: int,
    photos: int,
    pictures: Sequence[bytes],
    lag: Callable[[], float],
) -> Load:
    idle = tree_memory(process.pid)
    kept = itertools.cycle(
        [{"photo": [_sized(api.keep(content), len(content))]} for content in pictures]
    )
    sent: dict[int, list[int]] = {person: [] for person in range(1, people + 1)}
    begun = time.monotonic()
    with PeakMemory(process.pid) as peak:
        with api._changed:  # nothing is handed out before all is there: a burst
            for _ in range(photos):
                for person, numbers in sent.items():
                    numbers.append(api.send(next(kept), person=person))
        deadline = begun + 120
        while len(api.sent) < people * photos and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1)  # for what would come twice
    waits = sorted(at[0] - begun for at in api.answers.values())
    of_others = [at[0] - begun for number, at in api.answers.items() if number not in sent[1]]
    return Load(
        answered=len(waits),
        doubled=sum(len(at) - 1 for at in api.answers.values()),
        out_of_order=sum(_is_out_of_order(api, numbers) for numbers in sent.values()),
        median=statistics.median(waits),
        p95=waits[int(0.95 * len(waits))],
        last=waits[-1],
        others=max(of_others),
        memory=peak.bytes,
        lag=lag(),
        idle=idle,
    )


def _sized(file_id: str, size: int) -> dict[str, object]:
    sides = {"width": LONG_SIDE, "height": LONG_SIDE * 3 // 4}
    return {"file_id": file_id, "file_unique_id": file_id, "file_size": size, **sides}


def _is_out_of_order(api: BotApi, numbers: list[int]) -> bool:
    at = [api.answers[number][0] for number in numbers if number in api.answers]
    return at != sorted(at)


def _metric(port: int, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        found = re.search(rf"^{name} (\S+)$", response.read().decode(), re.MULTILINE)
    assert found is not None
    return float(found[1])


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def main(arguments: list[str] | None = None) -> int:
    """Measure, tell, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--flood", type=float, metavar="SECONDS", help="that one chat has to wait")
    given = parser.parse_args(arguments)
    short = _load() if given.flood is None else _flood(given.flood)
    if short:
        print("Falls short: " + ", ".join(short))
    return 1 if short else 0


def _flood(seconds: float) -> list[str]:
    """Compare how soon all others are answered, and say where that is too late."""
    short = []
    for send_rate in (30, 0):
        limit = _limit(send_rate)
        loads = [(run(send_rate), run(send_rate, flood=seconds)) for _ in range(ROUNDS)]
        without = statistics.median(alone.others for alone, _ in loads)
        flooded = statistics.median(late.others for _, late in loads)
        shown = ", ".join(f"{alone.others:.2f} and {late.others:.2f}" for alone, late in loads)
        print(
            f"{limit}: all others answered in {without:.2f} s, and in {flooded:.2f} s where one "
            f"chat has to wait for {seconds:g} s (at most {MOST_LATER:g} s later; {shown})"
        )
        if any(one.answered < PEOPLE * PHOTOS or one.doubled for pair in loads for one in pair):
            short.append(f"answers ({limit})")
        if flooded - without > MOST_LATER:
            short.append(f"others ({limit})")
    return short


def _limit(send_rate: int) -> str:
    return f"{send_rate} messages a second" if send_rate else "no limit on sending"


def _load() -> list[str]:
    """Measure how a burst is answered, and say where that falls short."""
    short = []
    for send_rate, most in ((30, 20.0), (0, 8.0)):
        load = run(send_rate)
        limit = _limit(send_rate)
        print(
            f"{limit}: {load.answered} of {PEOPLE * PHOTOS} answered, {load.doubled} twice, "
            f"{load.out_of_order} people out of order; median {load.median:.1f} s, p95 "
            f"{load.p95:.1f} s (at most {most:.0f}); memory {load.memory / 1e6:.0f} MB (at most "
            f"{MOST_MEMORY / 1e6:.0f}; idle {load.idle / 1e6:.0f}); loop held up at most "
            f"{load.lag * 1000:.0f} ms (at most {MOST_LAG * 1000:.0f})"
        )
        checks = {
            "answers": load.answered == PEOPLE * PHOTOS and not load.doubled,
            "order": not load.out_of_order,
            "p95": load.p95 <= most,
            "memory": load.memory <= MOST_MEMORY,
            "lag": load.lag <= MOST_LAG,
        }
        short += [f"{what} ({limit})" for what, holds in checks.items() if not holds]
    return short


if __name__ == "__main__":
    sys.exit(main())
