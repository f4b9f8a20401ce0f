"""What a message holds, and whether the bot is asked about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from telegram import Bot, ExternalReplyInfo, Message, MessageEntity
from telegram.constants import ChatType

from bot.store.records import Purpose
from core.images.listing import is_photo_name


@dataclass(frozen=True, slots=True)
class Attachment:
    """An image that Telegram keeps for the bot."""

    file_id: str
    size: int | None  # bytes, if Telegram said so
    has_spoiler: bool = False  # it is hidden until it is tapped


@dataclass(frozen=True, slots=True)
class Pointed:
    """A photo that a command points at."""

    message: int
    author: int
    image: Attachment
    position: int | None = None  # in its album, if it is of one that was answered


class NotAPhoto(StrEnum):
    """What was sent in a photo's place."""

    VIDEO = "video"
    MOVING_STICKER = "moving_sticker"
    FILE = "not_an_image"
    OTHER = "not_a_photo"


def attachment_of(message: Message | ExternalReplyInfo) -> Attachment | NotAPhoto | None:
    """Find the image in a message: None if it is only text."""
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        hidden = bool(message.has_media_spoiler)
        return Attachment(largest.file_id, largest.file_size, has_spoiler=hidden)
    if message.sticker:
        if message.sticker.is_animated or message.sticker.is_video:
            return NotAPhoto.MOVING_STICKER
        return Attachment(message.sticker.file_id, message.sticker.file_size)
    if message.document:
        document = message.document
        kind = document.mime_type or ""
        if kind.startswith("video/"):  # Telegram's own "GIFs" are films
            return NotAPhoto.VIDEO
        if kind.startswith("image/") or is_photo_name(document.file_name or ""):
            return Attachment(document.file_id, document.file_size)
        return NotAPhoto.FILE
    if message.video or message.animation or message.video_note:
        return NotAPhoto.VIDEO
    if isinstance(message, Message) and message.text is not None:
        return None
    return NotAPhoto.OTHER


def is_private(message: Message) -> bool:
    return message.chat.type == ChatType.PRIVATE


def is_addressed(message: Message, bot: Bot) -> bool:
    """Tell whether a message in a group is for the bot: it is mentioned, replied to, commanded."""
    return (
        is_reply_to(message, bot.id)
        or mentions(message, bot)
        or command_of(message, bot) is not None
    )


def is_reply_to(message: Message, sender: int) -> bool:
    """Tell whether a message replies to one of a sender's; each message of a forum's topic
    formally replies to the one that began it, which does not count."""
    replied = message.reply_to_message
    if replied is None or replied.forum_topic_created is not None or replied.from_user is None:
        return False
    return replied.from_user.id == sender


def mentions(message: Message, bot: Bot) -> bool:
    """Tell whether a text or caption names the bot."""
    named = f"@{bot.username}".lower()
    kinds: list[str | None] = [MessageEntity.MENTION, MessageEntity.TEXT_MENTION]
    return any(
        text.lower() == named or (entity.user is not None and entity.user.id == bot.id)
        for entity, text in _entities(message, kinds).items()
    )


def command_of(message: Message, bot: Bot) -> Purpose | None:
    """Give what a caption commands: /what or /why, to no other bot."""
    for entity, text in _entities(message, [MessageEntity.BOT_COMMAND]).items():
        command, _, name = text[1:].lower().partition("@")
        if entity.offset == 0 and name in ("", (bot.username or "").lower()):
            return Purpose(command) if command in list(Purpose) else None
    return None


def is_command(message: Message) -> bool:
    """Tell whether a text begins with a command, whoever's it is."""
    kinds: list[str | None] = [MessageEntity.BOT_COMMAND]
    return any(entity.offset == 0 for entity in _entities(message, kinds))


def is_from_bot(message: Message) -> bool:
    """Tell whether another bot wrote a message; channels, and admins who stay anonymous, speak
    through bots of Telegram's."""
    sender = message.from_user
    return sender is not None and sender.is_bot and message.sender_chat is None


def _entities(message: Message, kinds: list[str | None]) -> dict[MessageEntity, str]:
    if message.caption is not None:
        return message.parse_caption_entities(kinds)
    return message.parse_entities(kinds) if message.text is not None else {}


def sender_of(message: Message) -> int:
    """Give the number of who sent a message: a person, or a channel or group that speaks."""
    if message.sender_chat is not None:
        return message.sender_chat.id
    return message.from_user.id if message.from_user is not None else message.chat.id


def language_of(message: Message) -> str:
    """Give the sender's language code, as Telegram has it."""
    return (message.from_user.language_code if message.from_user else None) or "en"
