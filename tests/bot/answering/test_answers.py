"""Photos are answered: sent alone, as files, as stickers, as albums, in private and in groups."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.images.pillow_image import register
from core.model.classifier import Classifier
from core.model.manifest import read_manifest
from tests.bot.telegram_on_loopback import BOT, GROUP, BotApi, buttons_of, captioned

Draw = Callable[..., Any]
Encode = Callable[..., bytes]


async def said(bot_api: BotApi, number: int) -> str:
    return await asyncio.to_thread(bot_api.text_for, number)


async def test_photos_are_answered_with_label_and_confidence(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """As a reply to the photo's message, with a button for each class."""
    async with running():
        sent = {kind: bot_api.send_photo(draw(kind, 910)) for kind in ("cats", "dogs", "other")}
        texts = {kind: await said(bot_api, number) for kind, number in sent.items()}
    assert texts["cats"].startswith("🐱 cat, ")
    assert texts["cats"].endswith(" %")
    assert texts["dogs"].startswith("🐶 dog, ")
    assert texts["other"] == "I see neither a cat nor a dog here"
    assert "file0" not in bot_api.fetched  # the small size
    (reply,) = bot_api.replies_to(sent["cats"])
    assert [text for line in buttons_of(reply) for text, _ in line] == [
        "🐱 Cat",
        "🐶 Dog",
        "Neither",
    ]


async def test_what_is_not_sure_is_said_to_be(bot_api: BotApi, running: Any, draw: Draw) -> None:
    async with running(threshold=0.999):
        dog = bot_api.send_photo(draw("dogs", 911))
        other = bot_api.send_photo(draw("other", 911))
        assert (await said(bot_api, dog)).startswith("not sure: perhaps a dog (")
        text = await said(bot_api, other)
        assert text.startswith("not sure: perhaps neither a cat nor a dog (")


async def test_a_photo_of_both_is_said_to_be(
    bot_api: BotApi, running: Any, draw: Draw, knows_both: Classifier
) -> None:
    """With a button for it, which a model that does not know such photos has not."""
    async with running(knows_both):
        photo = bot_api.send_photo(draw("other", 910))
        german = bot_api.send_photo(draw("other", 910), language="de")
        assert await said(bot_api, photo) == "I see a cat and a dog here"
        assert await said(bot_api, german) == "Hier sind eine Katze und ein Hund zu sehen"
        (reply,) = bot_api.replies_to(photo)
    names = [text for line in buttons_of(reply) for text, _ in line]
    assert names == ["🐱 Cat", "🐶 Dog", "Both"]
    async with running(knows_both, threshold=0.999):
        doubtful = bot_api.send_photo(draw("other", 911))
        assert (await said(bot_api, doubtful)).startswith("not sure: perhaps a cat and a dog (")


async def test_a_threshold_that_was_asked_for_cannot_lower_the_models(
    bot_api: BotApi, running: Any, draw: Draw, classifier: Classifier, with_classes: Any
) -> None:
    careful = with_classes([one.with_threshold(1.0) for one in classifier.manifest.classes])
    async with running(careful, threshold=0.1):
        dog = bot_api.send_photo(draw("dogs", 911))
        assert (await said(bot_api, dog)).startswith("not sure: perhaps a dog (")


@pytest.mark.parametrize(
    ("format", "name", "mime_type"),
    [
        ("JPEG", "cat.jpg", "image/jpeg"),
        ("PNG", "cat.png", "image/png"),
        ("WEBP", "cat.webp", None),
        ("TIFF", "cat.TIF", "application/octet-stream"),
        ("GIF", "cat.gif", "image/gif"),
        ("HEIF", "IMG_1.HEIC", "application/octet-stream"),
    ],
)
async def test_an_image_sent_as_a_file_is_answered(
    bot_api: BotApi,
    running: Any,
    draw: Draw,
    encode: Encode,
    format: str,
    name: str,
    mime_type: str | None,
) -> None:
    register("HEIF")
    content = encode(draw("cats", 911), format)
    async with running():
        number = bot_api.send_file(content, name=name, mime_type=mime_type)
        assert (await said(bot_api, number)).startswith("🐱 cat, ")


async def test_a_sticker_that_keeps_still_is_answered(
    bot_api: BotApi, running: Any, draw: Draw, encode: Encode
) -> None:
    async with running():
        number = bot_api.send(bot_api.sticker(encode(draw("dogs", 912), "WEBP")))
        assert (await said(bot_api, number)).startswith("🐶 dog, ")


async def test_an_album_gets_one_reply_with_a_line_a_photo(
    bot_api: BotApi, running: Any, draw: Draw, encode: Encode
) -> None:
    """Numbered buttons under it; what cannot be read has a line and no buttons."""
    cut = bot_api.document(encode(draw("cats", 913), "JPEG")[:700], name="cut.jpg")
    pictures = [draw("cats", 913), draw("dogs", 913), cut, draw("other", 913)]
    async with running():
        numbers = await asyncio.to_thread(bot_api.send_album, pictures, pause=0.3)
        text = await said(bot_api, numbers[0])
        after = bot_api.send_photo(draw("cats", 914))
        await said(bot_api, after)
    lines = text.split("\n")
    assert [line[:2] for line in lines] == ["1.", "2.", "3.", "4."]
    assert "🐱 cat" in lines[0]
    assert "🐶 dog" in lines[1]
    assert "damaged" in lines[2]
    assert lines[3] == "4. I see neither a cat nor a dog here"
    (reply,) = bot_api.replies_to(numbers[0])
    names = [line[0][0] for line in buttons_of(reply)]
    assert names == ["1 🐱 Cat", "2 🐱 Cat", "4 🐱 Cat"]
    assert len(bot_api.sent) == 2


async def test_a_photo_after_an_album_waits_for_the_albums_reply(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    async with running():
        album = bot_api.send_album([draw("cats", 915), draw("dogs", 915)])
        single = bot_api.send_photo(draw("dogs", 916))
        await said(bot_api, single)
    assert "1. 🐱" in bot_api.sent[0]["text"]
    assert len(bot_api.replies_to(album[0])) == 1


async def test_two_albums_of_two_people_are_not_mixed(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    async with running():
        first = bot_api.send_album([draw("cats", 1), draw("cats", 2)], name="a", person=1)
        second = bot_api.send_album([draw("dogs", 1), draw("dogs", 2)], name="b", person=2)
        assert (await said(bot_api, first[0])).count("🐱") == 2
        assert (await said(bot_api, second[0])).count("🐶") == 2


async def test_what_predicts_somebody_elses_photo(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """In a group, with the reply going to the photo; without a photo it says how to ask."""
    async with running():
        photo = bot_api.send_photo(draw("cats", 917), chat=GROUP, person=5)
        bot_api.send_text("/what@catdog_bot", chat=GROUP, person=6, reply_to=photo)
        assert (await said(bot_api, photo)).startswith("🐱 cat, ")
        lost = bot_api.send_text("/what", chat=GROUP, person=6)
        assert "Reply with /what" in await said(bot_api, lost)
        words = bot_api.send_text("hello", chat=GROUP, person=5)
        wrong = bot_api.send_text("/what", chat=GROUP, person=6, reply_to=words)
        assert "Reply with /what" in await said(bot_api, wrong)


async def test_a_photo_that_is_quoted_from_another_chat_is_predicted(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    origin = {"type": "hidden_user", "sender_user_name": "Bob", "date": 1}
    async with running():
        command = {"text": "/what", "entities": [{"type": "bot_command", "offset": 0, "length": 5}]}
        quoted = {"external_reply": {"origin": origin, **bot_api.photo(draw("dogs", 918))}}
        number = bot_api.send({**command, **quoted})
        assert (await said(bot_api, number)).startswith("🐶 dog, ")


async def test_in_a_group_it_answers_when_it_is_spoken_to(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """Mentioned, replied to or commanded; else it is silent, whatever is sent."""
    async with running():
        silent = [
            bot_api.send_photo(draw("cats", 920), chat=GROUP),
            bot_api.send_text("a photo!", chat=GROUP),
            bot_api.send({"video": _video()}, chat=GROUP),
            bot_api.send_photo(draw("cats", 920), caption="@another_bot", chat=GROUP),
            bot_api.send_photo(draw("cats", 920), caption="/what@another_bot", chat=GROUP),
        ]
        mentioned = bot_api.send_photo(draw("cats", 921), caption="@CatDog_bot ?", chat=GROUP)
        commanded = bot_api.send_photo(draw("dogs", 922), caption="/what", chat=GROUP)
        assert (await said(bot_api, mentioned)).startswith("🐱")
        assert (await said(bot_api, commanded)).startswith("🐶")
        answer = bot_api.replies_to(mentioned)[0]["message_id"]
        replied = bot_api.send_photo(draw("dogs", 923), chat=GROUP, reply_to=answer)
        assert (await said(bot_api, replied)).startswith("🐶")
        bot_api.send_text("@catdog_bot and this?", chat=GROUP, person=9, reply_to=silent[0])
        assert (await said(bot_api, silent[0])).startswith("🐱")
        spoken_to = bot_api.send_text("@catdog_bot hello", chat=GROUP, person=9)
        assert "Send me a photo" in await said(bot_api, spoken_to)
        person = {"type": "text_mention", "offset": 0, "length": 6, "user": BOT}
        by_name = bot_api.send(
            {**bot_api.photo(draw("cats", 924)), "caption": "catdog", "caption_entities": [person]},
            chat=GROUP,
        )
        assert (await said(bot_api, by_name)).startswith("🐱")
    assert len(bot_api.sent) == 6


async def test_an_album_in_a_group_is_answered_whole_if_its_caption_asks(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """Only one of its messages has the caption; an album without one is left alone."""
    pictures = [draw("cats", 925), draw("dogs", 925), draw("cats", 926)]
    asking = [bot_api.photo(picture) for picture in pictures]
    asking[1] |= captioned("@catdog_bot")
    async with running():
        bot_api.send_album(pictures, name="unasked", chat=GROUP, person=4)
        asked = bot_api.send_album(asking, name="asked", chat=GROUP, person=5)
        assert (await said(bot_api, asked[0])).count("\n") == 2
        await asyncio.to_thread(bot_api.all_handed_out)
    assert len(bot_api.sent) == 1


async def test_photos_that_come_after_the_rest_of_an_album_that_asked_are_answered(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """Only the first has the caption."""
    asking = bot_api.photo(draw("cats", 1)) | captioned("@catdog_bot")
    async with running():
        (first,) = bot_api.send_album([asking], name="slow", chat=GROUP, person=5)
        await said(bot_api, first)
        (late,) = bot_api.send_album([draw("dogs", 1)], name="slow", chat=GROUP, person=5)
        assert (await said(bot_api, late)).startswith("🐶")


async def test_auto_has_every_photo_of_a_group_answered(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """Only an admin can turn it on; it lasts over a restart, and follows the group's number."""
    async with running():
        refused = bot_api.send_text("/auto on", chat=GROUP, person=5)
        assert "Only an admin" in await said(bot_api, refused)
        bot_api.admins.add((GROUP, 6))
        on = bot_api.send_text("/auto on", chat=GROUP, person=6)
        text = await said(bot_api, on)
        assert "From now on I answer every photo" in text
        assert "privacy mode" in text  # which hides them
    async with running():
        photo = bot_api.send_photo(draw("cats", 927), chat=GROUP, person=5)
        assert (await said(bot_api, photo)).startswith("🐱")
        bot_api.send({"migrate_to_chat_id": -99}, chat=GROUP)
        moved = bot_api.send_photo(draw("dogs", 928), chat=-99, person=5)
        assert (await said(bot_api, moved)).startswith("🐶")
        anonymous = {"sender_chat": {"id": -99, "type": "supergroup", "title": "Pets of ours"}}
        text = "/auto off"
        entity = {"type": "bot_command", "offset": 0, "length": 5}
        off = bot_api.send({"text": text, "entities": [entity], **anonymous}, chat=-99)
        assert "only what I am asked" in await said(bot_api, off)
        bot_api.send_photo(draw("cats", 929), chat=-99, person=5)
        how = bot_api.send_text("/auto", chat=-99, person=5)
        assert "/auto on" in await said(bot_api, how)
        private = bot_api.send_text("/auto on")
        assert "for groups" in await said(bot_api, private)
    assert len(bot_api.sent) == 7


async def test_auto_says_nothing_of_privacy_mode_where_it_hides_nothing(
    bot_api: BotApi, running: Any
) -> None:
    bot_api.admins |= {(GROUP, 6), (GROUP, 1)}  # the bot itself
    async with running():
        on = bot_api.send_text("/auto on", chat=GROUP, person=6)
        assert "privacy mode" not in await said(bot_api, on)
    bot_api.admins.discard((GROUP, 1))
    bot_api.reads_all_groups = True
    async with running():
        on = bot_api.send_text("/auto on", chat=GROUP, person=6)
        assert "privacy mode" not in await said(bot_api, on)


async def test_a_topic_of_a_forum_is_answered_in_that_topic(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    topic = {"message_thread_id": 12, "is_topic_message": True}
    async with running():
        content = {**bot_api.photo(draw("cats", 930)), **captioned("@catdog_bot"), **topic}
        number = bot_api.send(content, chat=GROUP)
        await said(bot_api, number)
        begun = {"forum_topic_created": {"name": "Cats", "icon_color": 1}, **topic}
        start = bot_api.send(begun, chat=GROUP, person=9)
        command = {"text": "/what", "entities": [{"type": "bot_command", "offset": 0, "length": 5}]}
        alone = bot_api.send({**command, **topic}, chat=GROUP, reply_to=start)
        assert "Reply with /what" in await said(bot_api, alone)
    assert bot_api.sent[0]["message_thread_id"] == "12"


@pytest.mark.parametrize(
    ("language", "words"),
    [("de", "🐱 Katze, "), ("es-MX", "🐱 gato, "), ("fr", "🐱 chat, "), ("it", "🐱 gatto, "),
     ("xx", "🐱 cat, "), (None, "🐱 cat, ")],
)  # fmt: skip
async def test_people_are_answered_in_their_language(
    bot_api: BotApi, running: Any, draw: Draw, language: str | None, words: str
) -> None:
    async with running():
        number = bot_api.send_photo(draw("cats", 931), language=language)
        assert (await said(bot_api, number)).startswith(words)


async def test_edits_channels_and_other_updates_are_left_alone(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    async with running():
        bot_api.send_photo(draw("cats", 932), kind="edited_message")
        bot_api.send_photo(draw("cats", 933), kind="channel_post")
        bot_api.send({"text": "hello"}, kind="edited_channel_post")
        bot_api.send({"new_chat_title": "Cats only"}, chat=GROUP)
        private = {"id": 77, "type": "private"}
        bot_api.send({"pinned_message": {"message_id": 1, "date": 0, "chat": private}})
        last = bot_api.send_photo(draw("dogs", 934))
        await said(bot_api, last)
    assert len(bot_api.sent) == 1


async def test_a_model_of_other_classes_is_followed(
    bot_api: BotApi, running: Any, draw: Draw, tiny_model: Path, tmp_path: Path
) -> None:
    """Names, buttons and sentences come from its manifest."""
    folder = Path(shutil.copytree(tiny_model, tmp_path / "other-model"))
    manifest = read_manifest(folder)
    hamster = replace(
        manifest.classes[0], label="hamster", words={"en": "hamster", "de": "Hamster"}
    )
    replace(manifest, classes=(hamster, *manifest.classes[1:])).write(folder)
    async with running(Classifier(folder)):
        number = bot_api.send_photo(draw("cats", 935))
        assert (await said(bot_api, number)).startswith("hamster, ")
        german = bot_api.send_photo(draw("other", 936), language="de")
        text = await said(bot_api, german)
        assert text == "Hier ist weder Hamster noch ein Hund zu sehen"
        (reply,) = bot_api.replies_to(number)
        assert buttons_of(reply)[0][0] == ("Hamster", "l:1:hamster")


def _video() -> dict[str, Any]:
    return {"file_id": "v", "file_unique_id": "v", "width": 9, "height": 9, "duration": 1}
