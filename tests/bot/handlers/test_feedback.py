"""The buttons: what is pressed is kept, shown, and taken back; consent is asked for once."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.store import records
from core.model.classifier import Classifier
from core.store.database import Store
from core.store.feedback_table import Feedback, recorded
from tests.bot.telegram_on_loopback import GROUP, BotApi, Failure, buttons_of

Draw = Callable[..., Any]


async def answered(bot_api: BotApi, number: int) -> dict[str, Any]:
    replies: list[dict[str, Any]] = await asyncio.to_thread(bot_api.replies_to, number)
    return replies[0]


async def edited(bot_api: BotApi, answer: dict[str, Any], at_least: int = 1) -> dict[str, Any]:
    edit: dict[str, Any] = await asyncio.to_thread(
        bot_api.edit_of, answer["message_id"], at_least=at_least
    )
    return edit


async def pressed(bot_api: BotApi, answer: dict[str, Any], says: str, **how: Any) -> str:
    """Press a button; gives what is said to it."""
    number = bot_api.press(answer["message_id"], says, **how)
    said = await asyncio.to_thread(bot_api.answer_to_press, number)
    text: str = said["text"]
    return text


def kept(state: Path) -> list[Feedback]:
    store = Store(state)
    try:
        return recorded(store)
    finally:
        store.close()


def says(answer: dict[str, Any]) -> list[str]:
    return [text for line in buttons_of(answer) for _, text in line]


async def test_the_first_press_is_kept_and_asks_once_what_may_be(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    """The answer alone is kept meanwhile, under a name that is not the person's number."""
    picture = draw("cats", 1)
    async with running():
        answer = await answered(bot_api, bot_api.send_photo(picture, person=4242))
        assert (
            await pressed(bot_api, answer, says(answer)[1], person=4242) == "Noted: dog. Thank you!"
        )
        (first,) = kept(state)  # on disk when the button said so
        edit = await edited(bot_api, answer)
        assert edit["text"].startswith(f"{answer['text']} ✎ you say: dog\n\nThank you! May I keep")
        assert [text for line in buttons_of(edit) for text, _ in line] == [
            "Only the answer",
            "The photo too",
        ]
        answer_text = await pressed(bot_api, answer, says(edit)[0], person=4242)
        assert answer_text == "Of a photo that you judge I now keep: only the answer."
        edit = await edited(bot_api, answer, 2)
        assert edit["text"] == f"{answer['text']} ✎ you say: dog"
        assert [text for line in buttons_of(edit) for text, _ in line] == [
            "🐱 Cat",
            "✓ 🐶 Dog",
            "Neither",
        ]
        second = await answered(bot_api, bot_api.send_photo(draw("dogs", 2), person=4242))
        await pressed(bot_api, second, says(second)[1], person=4242)
        edit = await edited(bot_api, second)
        assert edit["text"] == f"{second['text']} ✎ you say: dog"  # and no question
    content = bot_api._files[bot_api.fetched[0]]
    assert first.sha256 == hashlib.sha256(content).hexdigest()
    assert (first.label, first.predicted, first.consent, first.path) == (
        "dog",
        "cat",
        "answer",
        None,
    )
    assert first.confidence is not None
    assert first.model_version
    assert first.person is not None
    assert "4242" not in first.person
    assert [one.label for one in kept(state)] == ["dog", "dog"]
    assert not (state / "photos").exists()


async def test_who_changes_their_mind_replaces_what_they_said(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    async with running():
        answer = await answered(bot_api, bot_api.send_photo(draw("cats", 1)))
        for says_it in says(answer):
            await pressed(bot_api, answer, says_it)
        edit = await edited(bot_api, answer, 3)
    assert "you say: neither" in edit["text"]
    assert [one.label for one in kept(state)] == ["other"]


async def test_who_says_that_a_photo_shows_both_is_heard(
    bot_api: BotApi, running: Any, draw: Draw, state: Path, knows_both: Classifier
) -> None:
    async with running(knows_both, asks_for_photos=False):
        answer = await answered(bot_api, bot_api.send_photo(draw("cats", 1)))
        assert says(answer)[2].endswith(":both")
        assert await pressed(bot_api, answer, says(answer)[2]) == "Noted: both. Thank you!"
        edit = await edited(bot_api, answer)
        assert edit["text"] == f"{answer['text']} ✎ you say: both"
        assert "✓ Both" in [text for line in buttons_of(edit) for text, _ in line]
        green = await answered(bot_api, bot_api.send_photo(draw("other", 1)))
        await pressed(bot_api, green, says(green)[2])
    assert [(one.label, one.predicted) for one in kept(state)] == [
        ("both", "cat"),
        ("both", "both"),
    ]


async def test_both_cannot_be_said_to_a_model_that_does_not_know_it(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    async with running():
        answer = await answered(bot_api, bot_api.send_photo(draw("cats", 1)))
        assert not any(one.endswith(":both") for one in says(answer))
        forged = says(answer)[0].replace(":cat", ":both")
        assert "too long ago" in await pressed(bot_api, answer, forged)
    assert kept(state) == []


async def test_a_photo_is_kept_for_training_only_with_consent(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    """Its bytes, named after their hash; the next one without another question."""
    async with running() as bot:
        answer = await answered(bot_api, bot_api.send_photo(draw("cats", 1)))
        await pressed(bot_api, answer, says(answer)[0])
        assert not (state / "photos").exists()
        edit = await edited(bot_api, answer)
        await pressed(bot_api, answer, says(edit)[1])
        second = await answered(bot_api, bot_api.send_photo(draw("dogs", 2)))
        await pressed(bot_api, second, says(second)[0])
        while len(list((state / "photos").glob("*/*.jpg"))) < 2 or bot.services.background._tasks:
            await asyncio.sleep(0.01)
    both = kept(state)
    assert [(one.label, one.consent) for one in both] == [("cat", "photo"), ("cat", "photo")]
    for one in both:
        assert one.path is not None
        assert hashlib.sha256(one.path.read_bytes()).hexdigest() == one.sha256


async def test_keeping_a_photo_is_taken_up_after_a_restart(
    bot_api: BotApi, running: Any, draw: Draw, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            "bot.handlers.donated_photos.DonatedPhotos.keep", lambda self, record: None
        )  # killed before it
        async with running():
            answer = await answered(bot_api, bot_api.send_photo(draw("cats", 1)))
            await pressed(bot_api, answer, says(answer)[0])
            edit = await edited(bot_api, answer)
            await pressed(bot_api, answer, says(edit)[1])
    assert kept(state)[0].path is None
    async with running() as bot:
        while bot.services.background._tasks:
            await asyncio.sleep(0.01)
    path = kept(state)[0].path
    assert path is not None
    assert path.exists()


async def test_with_photos_off_nothing_is_asked_and_none_is_kept(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    """Not even of a person who had allowed it before."""
    async with running(asks_for_photos=False):
        answer = await answered(bot_api, bot_api.send_photo(draw("cats", 1)))
        await pressed(bot_api, answer, says(answer)[0])
        edit = await edited(bot_api, answer)
        assert edit["text"] == f"{answer['text']} ✎ you say: cat"
        forged = f"c:{says(answer)[0].split(':')[1]}:photo"
        await pressed(bot_api, answer, forged)
        Store(state)._connection.execute("UPDATE bot_people SET consent = 'photo'")
        second = await answered(bot_api, bot_api.send_photo(draw("dogs", 2)))
        await pressed(bot_api, second, says(second)[1])
        await edited(bot_api, second)
        privacy = bot_api.send_text("/privacy")
        assert "I keep no photos" in (await answered(bot_api, privacy))["text"]
    assert {one.consent for one in kept(state)} == {"answer"}
    assert not (state / "photos").exists()


async def test_an_albums_photos_are_judged_one_by_one(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    async with running(asks_for_photos=False):
        numbers = bot_api.send_album([draw("cats", 1), draw("dogs", 1), draw("other", 1)])
        answer = await answered(bot_api, numbers[0])
        await pressed(bot_api, answer, says(answer)[4])  # the second: dog
        await pressed(bot_api, answer, says(answer)[6])  # the third: cat
        edit = await edited(bot_api, answer, 2)
    lines = edit["text"].split("\n")
    assert "✎" not in lines[0]
    assert lines[1].endswith("✎ you say: dog")
    assert lines[2] == "3. I see neither a cat nor a dog here ✎ you say: cat"
    marked = [text for line in buttons_of(edit) for text, _ in line if text.startswith("✓")]
    assert marked == ["✓ 2 🐶 Dog", "✓ 3 🐱 Cat"]
    assert [(one.label, one.predicted) for one in kept(state)] == [("dog", "dog"), ("cat", "other")]


async def test_only_who_asked_or_an_admin_may_press(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    """An admin is not asked for consent to another's photo."""
    bot_api.admins.add((GROUP, 9))
    async with running():
        photo = bot_api.send_photo(draw("cats", 1), caption="/what", chat=GROUP, person=5)
        answer = await answered(bot_api, photo)
        said = await pressed(bot_api, answer, says(answer)[1], person=6)
        assert said.startswith("Only the person who sent the photo")
        assert kept(state) == []
        await pressed(bot_api, answer, says(answer)[1], person=9)
        edit = await edited(bot_api, answer)
        assert edit["text"] == f"{answer['text']} ✎ you say: dog"
        own = await pressed(bot_api, answer, says(answer)[0], person=5)
        assert own.startswith("Noted")
        edit = await edited(bot_api, answer, 2)
        stolen = await pressed(bot_api, answer, says(edit)[1], person=9)  # another's consent
        assert stolen.startswith("Only the person who sent the photo")
    assert [(one.label, one.consent) for one in kept(state)] == [("cat", "answer")]


@pytest.mark.parametrize("forged", ["", "l", "l:1", "l:1:horse", "x:1:cat", "l:99:cat", "l:1e3:cat",
                                    f"l:{'9' * 40}:cat", "c:1:everything"])  # fmt: skip
async def test_forged_presses_change_nothing(
    bot_api: BotApi, running: Any, draw: Draw, state: Path, forged: str
) -> None:
    async with running():
        answer = await answered(bot_api, bot_api.send_photo(draw("cats", 1)))
        number = bot_api.press(answer["message_id"], forged)
        said = await asyncio.to_thread(bot_api.answer_to_press, number)
    assert said["show_alert"] == "true"
    assert kept(state) == []


async def test_a_press_in_another_chat_than_the_answers_is_refused(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    async with running():
        mine = await answered(bot_api, bot_api.send_photo(draw("cats", 1), person=5))
        await answered(bot_api, bot_api.send_photo(draw("cats", 2), person=6))
        said = await pressed(bot_api, mine, "l:2:dog", person=5)
        assert said.startswith("Only the person who sent the photo")
    assert kept(state) == []


async def test_a_press_that_is_too_old_to_be_answered_is_kept_all_the_same(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    old = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    bot_api.fail("answerCallbackQuery", Failure(400, old))
    bot_api.fail("editMessageText", Failure(400, "Bad Request: message is not modified"))
    async with running():
        answer = await answered(bot_api, bot_api.send_photo(draw("cats", 1)))
        bot_api.press(answer["message_id"], says(answer)[0])
        await asyncio.to_thread(bot_api.wait, lambda: bot_api.called("editMessageText"))
        last = await answered(bot_api, bot_api.send_photo(draw("dogs", 2)))
    assert last["text"].startswith("🐶")
    assert [one.label for one in kept(state)] == ["cat"]


async def test_a_press_under_a_forgotten_answer_says_so(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    """Answers are forgotten after a week."""
    async with running() as bot:
        answer = await answered(bot_api, bot_api.send_photo(draw("cats", 1)))
        while not await bot.services.store.run(_is_done):
            await asyncio.sleep(0.01)
    connection = sqlite3.connect(state / "catdog.sqlite3")
    connection.execute("UPDATE bot_photos SET at = at - 8 * 86400")
    connection.commit()
    connection.close()
    async with running():
        said = await pressed(bot_api, answer, says(answer)[0])
    assert said.startswith("That was too long ago")


async def test_forget_takes_away_all_that_is_kept_of_a_person(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    """And nothing of anybody else, not even a photo that both gave."""
    shared = draw("cats", 1)
    async with running() as bot:
        for person, picture in ((5, shared), (6, shared), (5, draw("dogs", 2))):
            answer = await answered(bot_api, bot_api.send_photo(picture, person=person))
            await pressed(bot_api, answer, says(answer)[0], person=person)
            edit = await edited(bot_api, answer)
            if "May I keep" in edit["text"]:
                await pressed(bot_api, answer, says(edit)[1], person=person)
        while len(list((state / "photos").glob("*/*.jpg"))) < 2 or bot.services.background._tasks:
            await asyncio.sleep(0.01)
        forgotten = bot_api.send_text("/forget", person=5)
        assert "forgotten all" in (await answered(bot_api, forgotten))["text"]
        again = bot_api.send_text("/forget", person=5)
        assert "had nothing of you" in (await answered(bot_api, again))["text"]
    (left,) = kept(state)
    assert left.path is not None
    assert list((state / "photos").glob("*/*.jpg")) == [left.path]
    store = sqlite3.connect(state / "catdog.sqlite3")
    assert {row[0] for row in store.execute("SELECT person FROM bot_photos")} == {6}
    assert {row[0] for row in store.execute("SELECT person FROM bot_people")} == {6}
    store.close()


async def test_nobody_can_give_another_persons_photo(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    """Who asked about it with /what may judge, and is not asked; its author may, and may forget."""
    async with running() as bot:
        photo = bot_api.send_photo(draw("cats", 1), chat=GROUP, person=5)
        bot_api.send_text("/what", chat=GROUP, person=6, reply_to=photo)
        answer = await answered(bot_api, photo)
        await pressed(bot_api, answer, says(answer)[1], person=6)
        edit = await edited(bot_api, answer)
        assert "May I keep" not in edit["text"]
        row = says(answer)[0].split(":")[1]
        forged = await pressed(bot_api, answer, f"c:{row}:photo", person=6)
        assert forged.startswith("Only the person")
        await pressed(bot_api, answer, says(answer)[0], person=5)
        edit = await edited(bot_api, answer, 2)
        assert "May I keep" in edit["text"]
        await pressed(bot_api, answer, says(edit)[1], person=5)
        while not list((state / "photos").glob("*/*.jpg")) or bot.services.background._tasks:
            await asyncio.sleep(0.01)
        forgotten = bot_api.send_text("/forget", person=5)
        assert "forgotten all" in (await answered(bot_api, forgotten))["text"]
    assert kept(state) == []
    assert not list((state / "photos").glob("*/*"))


async def test_an_admins_word_does_not_take_a_photo_out_of_its_owners_reach(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    bot_api.admins.add((GROUP, 9))
    async with running() as bot:
        photo = bot_api.send_photo(draw("cats", 1), caption="/what", chat=GROUP, person=5)
        answer = await answered(bot_api, photo)
        await pressed(bot_api, answer, says(answer)[0], person=5)
        edit = await edited(bot_api, answer)
        await pressed(bot_api, answer, says(edit)[1], person=5)
        while not list((state / "photos").glob("*/*.jpg")) or bot.services.background._tasks:
            await asyncio.sleep(0.01)
        await pressed(bot_api, answer, says(answer)[1], person=9)
        assert [one.label for one in kept(state)] == ["dog"]
        await answered(bot_api, bot_api.send_text("/forget", person=5))
    assert kept(state) == []
    assert not list((state / "photos").glob("*/*"))


async def test_a_double_tap_does_not_lose_the_question(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    async with running():
        answer = await answered(bot_api, bot_api.send_photo(draw("cats", 1)))
        presses = [bot_api.press(answer["message_id"], says(answer)[0]) for _ in range(2)]
        for press in presses:
            await asyncio.to_thread(bot_api.answer_to_press, press)
        edit = await edited(bot_api, answer, 2)
    assert "May I keep" in edit["text"]


async def test_a_photo_that_two_gave_is_kept_until_both_take_it_back(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    """Even if one of them had not allowed it."""
    picture = draw("cats", 1)
    async with running() as bot:
        for person, choice in ((5, 1), (6, 0)):
            answer = await answered(bot_api, bot_api.send_photo(picture, person=person))
            await pressed(bot_api, answer, says(answer)[0], person=person)
            edit = await edited(bot_api, answer)
            await pressed(bot_api, answer, says(edit)[choice], person=person)
        while not list((state / "photos").glob("*/*.jpg")) or bot.services.background._tasks:
            await asyncio.sleep(0.01)
        both = await bot.services.store.run(lambda db: [_record(db, row) for row in (1, 2)])
        await bot.donated._keep(both[1])  # not allowed: as if it had been taken back meanwhile
        assert list((state / "photos").glob("*/*.jpg"))


async def test_what_is_forgotten_is_not_left_in_the_files(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    async with running() as bot:
        answer = await answered(bot_api, bot_api.send_photo(draw("cats", 1)))
        await pressed(bot_api, answer, says(answer)[0])
        while not await bot.services.store.run(_is_done):
            await asyncio.sleep(0.01)
        sha256 = kept(state)[0].sha256.encode()
        files = [state / "catdog.sqlite3", state / "catdog.sqlite3-wal"]
        assert any(sha256 in file.read_bytes() for file in files)
        await answered(bot_api, bot_api.send_text("/forget"))
        assert not any(sha256 in file.read_bytes() for file in files)


async def test_both_parts_of_an_album_have_their_own_buttons(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """Photos that come late are answered apart."""
    async with running(asks_for_photos=False) as bot:
        first = bot_api.send_album([draw("cats", 1), draw("cats", 2)])
        await answered(bot_api, first[0])
        while not await bot.services.store.run(_is_done):
            await asyncio.sleep(0.01)
        second = bot_api.send_album([draw("dogs", 1), draw("dogs", 2), draw("dogs", 3)])
        answer = await answered(bot_api, second[0])
        while not await bot.services.store.run(_is_done):
            await asyncio.sleep(0.01)
        await pressed(bot_api, answer, says(answer)[0])
        edit = await edited(bot_api, answer)
    assert says(edit) == says(answer)
    assert edit["text"].split("\n")[0].endswith("you say: cat")


async def test_files_that_are_nobodys_are_removed_at_the_start(
    bot_api: BotApi, running: Any, state: Path
) -> None:
    """What a kill left of a photo that was being written or forgotten."""
    (state / "photos" / "ab").mkdir(parents=True)
    old, new = state / "photos" / "ab" / "tmp1", state / "photos" / "ab" / "tmp2"
    for file in (old, new):
        file.write_bytes(b"x")
    os.utime(old, (1, 1))
    async with running():
        pass
    assert not old.exists()
    assert new.exists()  # another bot may be writing it


def _record(db: Any, row: int) -> Any:
    return records.find(db, row)


def _is_done(db: Any) -> bool:
    return not db.execute("SELECT 1 FROM bot_photos WHERE state != 'done'").fetchone()
