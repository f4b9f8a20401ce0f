"""The plain way, as other programs of this kind do it, on the same network.

    python -m benchmarks.baseline predict PHOTO
    python -m benchmarks.baseline sort FOLDER
    python -m benchmarks.baseline watch FOLDER
    python -m benchmarks.baseline bot API_URL    # with CATDOG_BOT_TOKEN

TensorFlow, `load_model`, Pillow decoding in full, `model.predict` on one photo after another,
`shutil.move`. What they do with `/ 255` this network does inside.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import time
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image
from tensorflow import keras

MODEL = Path(__file__).resolve().parent.parent / "models" / "default"
CLASSES = ("cats", "dogs", "other", "both")


def load() -> Any:
    """Put the network and its head together, as a person who has both would."""
    network = keras.models.load_model(MODEL / "network" / "network.keras")
    head = keras.layers.Dense(len(CLASSES))
    pooled = keras.layers.GlobalAveragePooling2D()(network.output)
    model = keras.Model(network.input, {"logits": head(pooled)})
    with np.load(MODEL / "head.npz") as weights:
        head.set_weights([weights["kernel"], weights["bias"]])
    return model


def predict(model: Any, photo: Path | IO[bytes]) -> tuple[str, float]:
    """Say which class is likeliest, and its probability."""
    side = model.input_shape[1]
    image = Image.open(photo).convert("RGB").resize((side, side))
    logits = model.predict(np.asarray(image)[np.newaxis], verbose=0)["logits"][0]
    powers = np.exp(logits - logits.max())
    best = int(powers.argmax())
    return CLASSES[best], float(powers[best] / powers.sum())


def sort(model: Any, folder: Path) -> int:
    """Move the photos of a folder into one for each class. Returns: how many there were."""
    photos = sorted(path for path in folder.iterdir() if path.is_file())
    for photo in photos:
        label, _ = predict(model, photo)
        (folder / label).mkdir(exist_ok=True)
        shutil.move(photo, folder / label / photo.name)
    return len(photos)


def watch(model: Any, folder: Path) -> None:
    """Sort a folder for ever."""
    while True:
        sort(model, folder)
        time.sleep(1)


def bot(model: Any, api_url: str, token: str) -> None:
    """Answer photos in Telegram until a signal comes."""
    from telegram.ext import Application, MessageHandler, filters

    async def answer(update: Any, context: Any) -> None:
        file = await update.message.photo[-1].get_file()
        content = bytes(await file.download_as_bytearray())
        label, probability = predict(model, io.BytesIO(content))
        await update.message.reply_text(f"{label}, {probability:.0%}", do_quote=True)

    application = (
        Application.builder()
        .token(token)
        .base_url(f"{api_url}/bot")
        .base_file_url(f"{api_url}/file/bot")
        .build()
    )
    application.add_handler(MessageHandler(filters.PHOTO, answer))
    application.run_polling()


def main(arguments: list[str]) -> None:
    model = load()
    match arguments:
        case ["predict", photo]:
            label, probability = predict(model, Path(photo))
            print(f"{photo}: {label}, {probability:.0%}")
        case ["sort", folder]:
            print(f"{sort(model, Path(folder))} photos sorted")
        case ["watch", folder]:
            print("watching", flush=True)
            watch(model, Path(folder))
        case ["bot", api_url]:
            bot(model, api_url, os.environ["CATDOG_BOT_TOKEN"])
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
