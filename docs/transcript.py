"""Writes the transcript in bot.md, and the picture in it, from a session with the bot.

    python -m docs.transcript

The bot runs as it does for its users, with the model that comes with catdog, against a Bot API
server on loopback. The photos are drawn here.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tests.bot.telegram_on_loopback import TOKEN, BotApi, buttons_of

DOCS = Path(__file__).resolve().parent
BEGIN, END = "<!-- transcript begins -->\n", "<!-- transcript ends -->\n"
PICTURE = "bot-why.jpg"
SIZE = (960, 720)
FUR, BELLY, SKIN, EYE = (140, 118, 96), (225, 215, 200), (205, 150, 140), (150, 180, 70)


def draw_wall() -> Image.Image:
    """Draw a room's wall, darker towards the floor."""
    width, height = SIZE
    down = np.linspace(0, 1, height)[:, None, None]
    colour = np.array([196, 180, 160]) * (1 - down) + np.array([120, 90, 70]) * down
    grain = np.random.default_rng(1).normal(0, 5, (height, width, 1))
    image = Image.fromarray((colour + grain).clip(0, 255).astype(np.uint8))
    return image.filter(ImageFilter.GaussianBlur(2))


def draw_cat() -> Image.Image:
    """Draw a cat that sits before that wall."""
    image = draw_wall()
    shape = Image.new("L", SIZE, 0)
    draw = ImageDraw.Draw(shape)
    draw.ellipse((230, 450, 530, 750), fill=255)
    draw.ellipse((250, 210, 510, 450), fill=255)
    for ear in (((255, 290), (270, 140), (360, 225)), ((505, 290), (490, 140), (400, 225))):
        draw.polygon(ear, fill=255)
    image.paste(_fur(FUR), (0, 0), shape.filter(ImageFilter.GaussianBlur(3)))
    muzzle = Image.new("L", SIZE, 0)
    ImageDraw.Draw(muzzle).ellipse((320, 350, 440, 435), fill=200)
    image.paste(_fur(BELLY), (0, 0), muzzle.filter(ImageFilter.GaussianBlur(8)))
    draw = ImageDraw.Draw(image)
    for ear in (((275, 265), (280, 170), (335, 230)), ((485, 265), (480, 170), (425, 230))):
        draw.polygon(ear, fill=SKIN)
    for x in (322, 438):
        draw.ellipse((x - 30, 290, x + 30, 350), fill=EYE, outline=(40, 30, 20), width=4)
        draw.ellipse((x - 8, 294, x + 8, 346), fill=(10, 10, 10))
        draw.ellipse((x - 4, 302, x + 5, 312), fill=(255, 255, 255))
    draw.polygon(((364, 368), (396, 368), (380, 386)), fill=(215, 130, 130))
    for left in (346, 380):
        draw.arc((left, 382, left + 34, 416), 0, 180, fill=(60, 40, 30), width=4)
    for slope in (-14, 0, 14):
        for side in (-1, 1):
            ends = ((380 + side * 40, 388 + slope / 3), (380 + side * 170, 375 + slope * 1.6))
            draw.line(ends, fill=(245, 245, 240), width=2)
    return image.filter(ImageFilter.GaussianBlur(1.2))


def _fur(colour: tuple[int, int, int]) -> Image.Image:
    noise = np.random.default_rng(1).normal(128, 40, SIZE[::-1])
    hairs = Image.fromarray(noise.clip(0, 255).astype(np.uint8))
    down = ImageFilter.Kernel((5, 5), (0, 0, 1, 0, 0) * 5, 5)
    hairs = hairs.filter(down).filter(down)
    stripes = np.sin(np.linspace(0, 28, SIZE[0]))[None, :] * 18
    shade = (np.asarray(hairs).astype(float) - 128) * 1.3 + stripes
    return Image.fromarray((np.array(colour) + shade[..., None]).clip(0, 255).astype(np.uint8))


class Chat:
    """A session, taken down as it goes."""

    def __init__(self, api: BotApi) -> None:
        self.api = api
        self.lines: list[str] = []

    def photo(self, image: Image.Image, what: str, **how: Any) -> dict[str, Any]:
        self._say("Ann", f"_{what}_")
        return self._answer(self.api.send_photo(image, **how))

    def album(self, pictures: list[Any], what: str) -> dict[str, Any]:
        self._say("Ann", f"_{what}_")
        return self._answer(self.api.send_album(pictures)[0])

    def send(self, content: dict[str, Any], what: str) -> dict[str, Any]:
        self._say("Ann", f"_{what}_")
        return self._answer(self.api.send(content))

    def text(self, text: str, **how: Any) -> dict[str, Any]:
        self._say("Ann", text)
        return self._answer(self.api.send_text(text, **how))

    def press(self, answer: dict[str, Any], line: int, button: int) -> dict[str, Any]:
        text, says = buttons_of(answer)[line][button]
        self._say("Ann", f"presses [{text}]")
        before = len(self.api.edits)
        self.api.press(answer["message_id"], says)
        self.api.wait(lambda: len(self.api.edits) > before)
        edit = self.api.edits[-1]
        self._show(edit, "changes its message")
        return {**edit, "message_id": answer["message_id"]}

    def why(self, answer: dict[str, Any]) -> None:
        self._say("Ann", "/why")
        before = len(self.api.sent)
        self.api.send_text("/why")
        self.api.wait(lambda: len(self.api.sent) > before)
        Image.open(io.BytesIO(self.api.pictures[-1])).resize((640, 480)).save(
            DOCS / PICTURE, quality=80
        )
        self._say("catdog", f"![The cat, bright at its face, the wall dark]({PICTURE})")
        self._say("", self.api.sent[-1]["caption"])

    def _answer(self, number: int) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.replies_to(number)[0]
        self._show(answer, "")
        return answer

    def _show(self, answer: dict[str, Any], doing: str) -> None:
        self._say("catdog", f"_{doing}:_" if doing else "")
        for line in answer["text"].split("\n"):
            if line:
                self._say("", line)
        for row in buttons_of(answer):
            self._say("", " ".join(f"`{text}`" for text, _ in row))

    def _say(self, who: str, what: str) -> None:
        self.lines.append(f"> **{who}** {what}".rstrip() if who else f"> {what}")
        self.lines[-1] += "  "


def session(api: BotApi) -> list[str]:
    """Hold the session; gives the transcript's lines."""
    chat = Chat(api)
    cat, wall = draw_cat(), draw_wall()
    chat.text("/start")
    answer = chat.photo(cat, "a photo of a drawn cat")
    chat.why(answer)
    asked = chat.press(answer, 0, 0)
    chat.press(asked, 0, 0)
    stream = io.BytesIO()
    cat.save(stream, "JPEG")
    cut = api.document(stream.getvalue()[:9000], name="cut.jpg", mime_type="image/jpeg")
    album = chat.album([cat, wall, cut], "an album: the cat, the bare wall, and a cut-off file")
    chat.press(album, 2, 2)
    big = api.document(b"", name="scan.tif", mime_type="image/tiff", size=25_000_000)
    chat.send(big, "a file of 25 MB")
    chat.text("/stats")
    chat.text("/forget")
    return chat.lines


def main() -> None:
    """Run the bot, and put the transcript in its place."""
    api = BotApi()
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "catdog", "bot"],
            env={
                **os.environ,
                "CATDOG_BOT_TOKEN": TOKEN,
                "CATDOG_BOT_API_URL": api.url,
                "CATDOG_STATE_DIR": folder,
            },
            stdout=subprocess.DEVNULL,
        )
        try:
            lines = session(api)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
    page = DOCS / "bot.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = f"{before}{BEGIN}{chr(10).join(lines)}\n{END}{after}"
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
