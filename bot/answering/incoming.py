"""What a message holds, who sent it, and whether the bot is asked about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from telegram import (
    Bot,
    Document,
    ExternalReplyInfo,
    Message,
    MessageEntity,
    PhotoSize,
    Sticker,
)
from telegram.constants import ChatType

from bot.store.records import Purpose
from core.images.listing import is_photo_name

_NOBODY = 0  # whose photo a quoted one is, nobody here knows


@dataclass(frozen=True, slots=True)
class Photo:
    """An image that Telegram keeps for the bot. Numbers and ids are Telegram's."""

    message: int  # that it is in
    author: int
    file_id: str
    size: int | None  # bytes, if Telegram said so
    spoiler: bool = False  # it is hidden until it is tapped
    position: int | None = None  # in its album, if it is of one that was answered


class NotAPhoto(StrEnum):
    """What was sent in a photo's place."""

    VIDEO = "video"
    MOVING_STICKER = "moving_sticker"
    FILE = "not_an_image"
    OTHER = "not_a_photo"


def photo_of(message: Message) -> Photo | NotAPhoto | None:
    """Return the image in a message; None if it is only text."""
    return None if message.text is not None else _photo(message, message, sender_of(message))


def quoted_photo(message: Message) -> Photo | NotAPhoto | None:
    """Return the image of another chat that a message quotes; who sent it is not known."""
    quoted = message.external_reply
    return None if quoted is None else _photo(quoted, message, _NOBODY)


def _photo(
    content: Message | ExternalReplyInfo, message: Message, author: int
) -> Photo | NotAPhoto:
    def photo(file: PhotoSize | Sticker | Document, *, spoiler: bool = False) -> Photo:
        return Photo(message.message_id, author, file.file_id, file.file_size, spoiler=spoiler)

    if content.photo:
        largest = max(content.photo, key=lambda size: size.width * size.height)
        return photo(largest, spoiler=bool(content.has_media_spoiler))
    if content.sticker:
        is_moving = content.sticker.is_animated or content.sticker.is_video
        return NotAPhoto.MOVING_STICKER if is_moving else photo(content.sticker)
    if content.document:
        kind = content.document.mime_type or ""
        if kind.startswith("video/"):  # Telegram's own "GIFs" are films
            return NotAPhoto.VIDEO
        is_image = kind.startswith("image/") or is_photo_name(content.document.file_name or "")
        return photo(content.document) if is_image else NotAPhoto.FILE
    if content.video or content.animation or content.video_note:
        return NotAPhoto.VIDEO
    return NotAPhoto.OTHER


def is_private(message: Message) -> bool:
    return message.chat.type == ChatType.PRIVATE


def is_addressed(message: Message, bot: Bot) -> bool:
    """Whether a message in a group is for the bot: it is mentioned, replied to or commanded."""
    return (
        is_reply_to(message, bot.id)
        or mentions(message, bot)
        or purpose_of(message, bot) is not None
    )


def is_reply_to(message: Message, sender: int) -> bool:
    replied = replied_to(message)
    return replied is not None and replied.from_user is not None and replied.from_user.id == sender


def replied_to(message: Message) -> Message | None:
    """Return what a message replies to.

    Each message of a forum's topic formally replies to the one that began it, which does not count.
    """
    replied = message.reply_to_message
    return None if replied is None or replied.forum_topic_created is not None else replied


def mentions(message: Message, bot: Bot) -> bool:
    named = f"@{bot.username}".lower()
    kinds: list[str | None] = [MessageEntity.MENTION, MessageEntity.TEXT_MENTION]
    return any(
        text.lower() == named or (entity.user is not None and entity.user.id == bot.id)
        for entity, text in _entities(message, kinds).items()
    )


def purpose_of(message: Message, bot: Bot) -> Purpose | None:
    """Return what a caption commands: /what or /why."""
    command = command_of(message, bot)
    return Purpose(command) if command in list(Purpose) else None


def command_of(message: Message, bot: Bot) -> str | None:
    """Return the command that a text or caption begins with, if it is not another bot's."""
    for entity, text in _entities(message, [MessageEntity.BOT_COMMAND]).items():
        command, _, name = text[1:].lower().partition("@")
        if entity.offset == 0 and name in ("", (bot.username or "").lower()):
            return command
    return None


def is_command(message: Message) -> bool:
    """Whether a text begins with a command, whoever's it is."""
    kinds: list[str | None] = [MessageEntity.BOT_COMMAND]
    return any(entity.offset == 0 for entity in _entities(message, kinds))


def is_from_bot(message: Message) -> bool:
    """Whether another bot wrote a message.

    Channels, and admins who stay anonymous, speak through bots of Telegram's.
    """
    sender = message.from_user
    return sender is not None and sender.is_bot and message.sender_chat is None


def _entities(message: Message, kinds: list[str | None]) -> dict[MessageEntity, str]:
    if message.caption is not None:
        return message.parse_caption_entities(kinds)
    return message.parse_entities(kinds) if message.text is not None else {}


def sender_of(message: Message) -> int:
    """Return the number of who sent a message: a person, or a channel or group that speaks."""
    if message.sender_chat is not None:
        return message.sender_chat.id
    return message.from_user.id if message.from_user is not None else message.chat.id


def language_of(message: Message) -> str:
    """Return the sender's language code, as Telegram has it."""
    return (message.from_user.language_code if message.from_user else None) or "en"
