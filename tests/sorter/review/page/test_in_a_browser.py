"""The page in a real browser: keys end where they say, whatever happens meanwhile."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.store.database import Store
from core.store.feedback_table import recorded
from tests.browsing import PHONE, Browser
from tests.sorter.review.conftest import DEADLINE, Folder, Served

Photos = Callable[[int], list[Path]]
Tree = Callable[[Path], dict[str, bytes]]

pytestmark = pytest.mark.long

FOLDERS = {"c": "cats/", "d": "dogs/", "n": "", "b": "", "x": ""}


def until(page: Any, condition: str) -> None:
    """Wait for something in the page; its own policy keeps Playwright's waiting from evaluating."""
    end = time.monotonic() + DEADLINE
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        time.sleep(0.02)


def left_is(page: Any, count: int) -> None:
    until(page, f"document.getElementById('left').textContent.startsWith('{count} ')")


def shown_name(page: Any) -> str:
    return str(page.evaluate("document.getElementById('name').textContent"))


def all_sent(page: Any) -> None:
    until(page, "JSON.parse(localStorage.getItem('catdog-review-answers') ?? '[]').length === 0")


def settled(served: Served) -> None:
    """Wait until the server has done what it was sent."""
    served.state()


def test_500_photos_by_keyboard_each_end_where_their_key_said(
    folder: Folder, photos: Photos, tree: Tree, browser: Browser
) -> None:
    photos(500)
    before = tree(folder.path)
    served = folder.serve("--threshold", "1")
    served.read()
    random_keys = random.Random(7)
    pressed = {}
    with browser.visit(served.url) as visit:
        left_is(visit.page, 500)
        for left in range(500, 0, -1):
            left_is(visit.page, left)
            name, key = shown_name(visit.page), random_keys.choice("ccddnbx")
            assert name not in pressed
            pressed[name] = key
            visit.page.keyboard.press(key)
        left_is(visit.page, 0)
        all_sent(visit.page)
        assert visit.errors == []
        assert {one for one in visit.requests if not one.startswith(served.origin)} == set()
    expected = {FOLDERS[pressed[name]] + name: content for name, content in before.items()}
    assert tree(folder.path) == expected
    with browser.visit(served.url) as visit:  # the page was closed; undo reaches back all the same
        answered = sum(key != "x" for key in pressed.values())
        for undone in range(1, answered + 1):
            visit.page.keyboard.press("z")
            if undone % 20 == 0:
                left_is(visit.page, undone)
        left_is(visit.page, answered)
    assert tree(folder.path) == before


def test_a_server_killed_at_30_keys_loses_no_answer_and_doubles_none(
    folder: Folder, photos: Photos, tree: Tree, browser: Browser, store: Store
) -> None:
    photos(120)
    before = tree(folder.path)
    served = folder.serve("--threshold", "1")
    served.read()
    dice = random.Random(11)
    kills = set(dice.sample(range(1, 120), 30))
    pressed = {}
    with browser.visit(served.url) as visit:
        left_is(visit.page, 120)
        for number in range(120):
            name, key = shown_name(visit.page), dice.choice("cdn")
            pressed[name] = key
            visit.page.keyboard.press(key)
            if number in kills:
                time.sleep(dice.random() * 0.05)
                served.kill()
                served = folder.serve("--threshold", "1")
                served.read()
            left_is(visit.page, 119 - number)
        all_sent(visit.page)
    settled(served)
    expected = {FOLDERS[pressed[name]] + name: content for name, content in before.items()}
    assert tree(folder.path) == expected
    labels = {one.path.name: one.label for one in recorded(store) if one.path is not None}
    names = {"c": "cat", "d": "dog", "n": "other"}
    assert labels == {name: names[key] for name, key in pressed.items()}
    assert len(recorded(store)) == 120
    for _ in range(120):
        assert served.undo()["done"]
    assert tree(folder.path) == before


def test_answers_wait_in_the_page_while_catdog_is_stopped(
    folder: Folder, photos: Photos, tree: Tree, browser: Browser
) -> None:
    photos(3)
    served = folder.serve("--threshold", "1")
    served.read()
    with browser.visit(served.url) as visit:
        left_is(visit.page, 3)
        served.kill()
        for left in (3, 2, 1):
            left_is(visit.page, left)
            visit.page.keyboard.press("c")
        until(visit.page, "!document.getElementById('offline').hidden")
        until(visit.page, "document.getElementById('offline').textContent.includes(': 3')")
        folder.serve("--threshold", "1")
        all_sent(visit.page)
        until(visit.page, "document.getElementById('offline').hidden")
    assert len(tree(folder.path / "cats")) == 3


def test_two_tabs_agree(folder: Folder, photos: Photos, tree: Tree, browser: Browser) -> None:
    photos(6)
    served = folder.serve("--threshold", "1")
    served.read()
    with browser.visit(served.url) as one, browser.visit(served.url) as two:
        left_is(one.page, 6)
        left_is(two.page, 6)
        assert shown_name(one.page) == shown_name(two.page)
        one.page.keyboard.press("c")  # the same photo in both, at once
        two.page.keyboard.press("c")
        left_is(one.page, 5)
        left_is(two.page, 5)
        one.page.keyboard.press("d")
        left_is(two.page, 4)
        two.page.keyboard.press("z")
        left_is(one.page, 5)
        all_sent(one.page)
        all_sent(two.page)
    assert len(tree(folder.path / "cats")) == 1
    assert not (folder.path / "dogs").exists() or tree(folder.path / "dogs") == {}


def test_a_running_watch_and_the_page_agree(
    folder: Folder, photos: Photos, tree: Tree, browser: Browser, tiny_model: Path
) -> None:
    """Photos that a watch is sure of leave under the page's eyes; none is there twice."""
    import subprocess
    import sys

    photos(30)
    before = sorted(tree(folder.path).values())
    served = folder.serve("--what", "all")
    served.read()
    command = [sys.executable, "-m", "catdog", "watch", str(folder.path), "--model"]
    with browser.visit(served.url) as visit:
        left_is(visit.page, 30)
        with subprocess.Popen([*command, str(tiny_model)], stdout=subprocess.DEVNULL) as watch:
            for _ in range(30):
                visit.page.keyboard.press("c")
                visit.page.wait_for_timeout(60)
            all_sent(visit.page)
            watch.terminate()
            watch.wait(DEADLINE)
    assert sorted(tree(folder.path).values()) == before


def test_what_changes_underneath_is_said(
    folder: Folder, photos: Photos, browser: Browser, draw: Callable[..., Any]
) -> None:
    paths = photos(2)
    served = folder.serve("--threshold", "1")
    served.read()
    with browser.visit(served.url) as visit:
        left_is(visit.page, 2)
        draw("cats", 200, (50, 50)).save(folder.path / shown_name(visit.page))
        visit.page.keyboard.press("c")
        until(visit.page, "document.getElementById('said').textContent.includes('changed')")
        left_is(visit.page, 1)
        (folder.path / shown_name(visit.page)).unlink()
        visit.page.keyboard.press("d")
        until(visit.page, "document.getElementById('said').textContent.includes('not there')")
        assert visit.errors == []
    assert sum(path.exists() for path in paths) == 1


def test_a_reload_at_any_moment_shows_what_is_true(
    folder: Folder, photos: Photos, tree: Tree, browser: Browser
) -> None:
    photos(12)
    served = folder.serve("--threshold", "1")
    served.read()
    with browser.visit(served.url) as visit:
        left_is(visit.page, 12)
        for left in range(12, 0, -1):
            left_is(visit.page, left)
            visit.page.keyboard.press("c")
            visit.page.reload()
        left_is(visit.page, 0)
    assert len(tree(folder.path / "cats")) == 12


def test_hostile_names_and_photos_that_cannot_be_shown(
    folder: Folder, photos: Photos, tree: Tree, browser: Browser
) -> None:
    (photo,) = photos(1)
    for name in (b"<script>document.title='x'<!--.png", b"a\nb.png", b"\xff.png", b"'\"&amp;.png"):
        shutil.copy(photo, folder.path / os.fsdecode(name))
    photo.unlink()
    served = folder.serve("--threshold", "1")
    served.read()
    with browser.visit(served.url) as visit:
        left_is(visit.page, 4)
        for left in (4, 3, 2, 1):
            left_is(visit.page, left)
            if left == 2:  # what was decoded before is no photo any more
                visit.page.route("**/photo/*/1600*", lambda route: route.abort())
            visit.page.keyboard.press("d")
        left_is(visit.page, 0)
        all_sent(visit.page)
        assert visit.page.title().startswith("0 left")
    assert len(tree(folder.path / "dogs")) == 4


def test_the_grid_files_a_page_with_what_was_changed(
    folder: Folder, photos: Photos, tree: Tree, browser: Browser
) -> None:
    photos(8)
    served = folder.serve("--threshold", "1")
    guesses = {one["name"]: one["guess"] for one in served.read()["photos"]}
    with browser.visit(served.url) as visit:
        left_is(visit.page, 8)
        visit.page.keyboard.press("g")
        cells = visit.page.query_selector_all("#grid .show")
        assert len(cells) == 8
        wrong = cells[0].get_attribute("aria-label").split(":")[0].removeprefix("Photo ")
        cells[0].click()
        visit.page.keyboard.press("n")
        visit.page.keyboard.press("Enter")
        left_is(visit.page, 0)
        all_sent(visit.page)
    labels = {"cat": "cats/", "dog": "dogs/"}
    expected = {
        ("" if name == wrong else labels.get(guess, "")) + name for name, guess in guesses.items()
    }
    assert set(tree(folder.path)) == expected


@pytest.mark.parametrize("width", [1280, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_use_it(
    folder: Folder, photos: Photos, browser: Browser, width: int, dark: bool
) -> None:
    photos(5)
    served = folder.serve("--threshold", "1")
    served.read()
    with browser.visit(served.url, width=width, dark=dark) as visit:
        left_is(visit.page, 5)
        assert visit.serious() == []
        assert visit.overflow <= 0
        visit.page.click("#answers button[data-label=cat]")  # touch and mouse do it, too
        left_is(visit.page, 4)
        visit.page.click("#undo")
        left_is(visit.page, 5)
        visit.page.click("#heat")
        until(visit.page, "document.getElementById('photo').src.includes('/heat')")
        visit.page.click("#view-grid")
        assert visit.serious() == []
        assert visit.overflow <= 0
        visit.page.click("#open-help")
        assert visit.serious() == []
        assert visit.errors == []


def test_answers_are_learnt_from_and_what_is_left_is_sorted_again(
    folder: Folder, photos: Photos, tree: Tree, browser: Browser
) -> None:
    """The loop: answer, learn, and fewer are left than before."""
    pytest.importorskip("sklearn")
    photos(60)
    served = folder.serve("--threshold", "0.9")
    waiting = served.read()["photos"]
    assert len(waiting) >= 20
    for one in waiting[:-10]:
        label = "dog" if int(one["name"][:3]) % 2 else "cat"
        assert served.decide(one["id"], label)["done"]
    with browser.visit(served.url) as visit:
        until(visit.page, "!document.getElementById('summary').hidden")
        visit.page.click("#learn")
        until(visit.page, "document.getElementById('learning-words').textContent.length > 12")
        assert "cannot" not in visit.page.inner_text("#learning-words")
    learning = served.state()["learning"]
    assert learning["exit_code"] == 0, learning["lines"]
    assert learning["after"] <= learning["before"]


def test_the_store_is_whole_after_all(folder: Folder, photos: Photos, browser: Browser) -> None:
    photos(2)
    served = folder.serve("--threshold", "1")
    served.read()
    with browser.visit(served.url) as visit:
        left_is(visit.page, 2)
        visit.page.keyboard.press("c")
        left_is(visit.page, 1)
        all_sent(visit.page)
    served.stop()
    with closing(Store(Path(os.environ["CATDOG_STATE_DIR"]))) as store, store.reading() as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert db.execute("SELECT count(*) FROM runs WHERE ended IS NULL").fetchone()[0] == 0
