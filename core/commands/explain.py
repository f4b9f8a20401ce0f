"""The command that explains an answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.commands.options import (
    FolderPath,
    Settings,
    model_option,
    option,
    pass_settings,
    threshold_option,
)
from core.errors import install_command

if TYPE_CHECKING:
    from core.explain.answer import Answer
    from core.explain.neighbours import Neighbour
    from core.training.networks.inspected import Inspected

_PAGES = "pages"  # folder of the state folder
_SUFFIXES = (".html", ".htm")
_MOST_PHOTOS = 1000  # of a folder, that are compared with a photo one by one
_EXTRA = install_command("keras")


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@option(
    "-o",
    "--output",
    metavar="PAGE.html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the page to this file.  [default: a file in the state folder]",
)
@option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@option(
    "--photos",
    type=FolderPath(),
    help="The folder that the model learnt from, to show which of its photos are nearest.",
)
@threshold_option
@model_option
@pass_settings
def explain(
    settings: Settings,
    photo: Path,
    output: Path | None,
    opens: bool,
    photos: Path | None,
    threshold: float | None,
    model_choice: str | None,
) -> None:
    """Show how the network comes to its answer for PHOTO, on a page.

    The page walks the photo through the model, layer by layer, with pictures of this photo and
    these weights, and tries what would change the answer. It is one file, with all it needs
    inside. The inner layers need the extra `keras`; without it the page has the rest.
    """
    from core.explain.answer import ask
    from core.images.decode import opener
    from core.model.registry import find_model
    from core.paths import display

    page = output or settings.state_dir / _PAGES / f"explain-{photo.stem[:80]}.html"
    _check_name(page)
    answer = ask(find_model(settings.models_dir, model_choice), opener(photo), threshold=threshold)
    text = _page(answer, display(Path(photo.name)), photos)
    _write(page, text)
    click.echo(display(page))
    if opens:
        import webbrowser

        webbrowser.open(page.absolute().as_uri())


def _check_name(page: Path) -> None:
    """Raise UsageRefused for a name under which something other than a page may stand."""
    from core.errors import UsageRefused
    from core.paths import display

    if page.suffix.lower() not in _SUFFIXES:
        raise UsageRefused(f"{display(page)} must end in {' or '.join(_SUFFIXES)}.")


def _page(answer: Answer, name: str, photos: Path | None) -> str:
    """Look into the network, if that can be done, and write the page."""
    from core.errors import ExtraMissing, ModelRefused
    from core.explain.answer import architecture, keras_file, own_photos
    from core.explain.page import Subject, explain_page
    from core.runtime.console import echo

    network = inspected = None
    why = ""
    try:
        path = keras_file(answer)
        network, inspected = _opened(path, answer)
    except ExtraMissing:
        why = (
            "They are read from the network's Keras file, and Keras and TensorFlow are not "
            f"installed. In catdog's folder, {_EXTRA} adds them."
        )
    except ModelRefused as error:
        why = str(error)
    if why:
        echo(f"The inner layers are left out. {why}", err=True)
    return explain_page(
        Subject(
            name=name,
            answer=answer,
            inspected=inspected,
            not_inspected=why,
            neighbours=_neighbours(answer, network, photos),
            own_photos=own_photos(answer),
            network=architecture(answer),
        )
    )


def _opened(path: Path, answer: Answer) -> tuple[Any, Inspected]:
    """Open a Keras file, and look into it. Raises ExtraMissing and ModelRefused."""
    from core.runtime.quiet import quiet_native_stderr
    from core.training.extra import load_training_packages

    load_training_packages("explain", "core.training.networks.inspection", extra="keras")
    from core.training.networks.inspection import inspect, open_network

    with quiet_native_stderr():  # TensorFlow looks for GPUs at its first step, and says so
        network = open_network(path)
        return network, inspect(network, answer.pixels)


def _neighbours(answer: Answer, network: Any, photos: Path | None) -> list[Neighbour]:
    """Find which of the photos that the model learnt from are nearest."""
    from core.explain.neighbours import learnt_from, nearest_of_folder, nearest_of_head
    from core.images.listing import is_image_name, list_photos
    from core.training.data.labelled import scan_parts

    if answer.head is not None:
        found = list_photos(photos, recursive=True, is_wanted=is_image_name) if photos else ()
        return nearest_of_head(answer, found)
    if network is None or photos is None:
        return []
    from core.training.networks.inspection import embeddings

    labelled, _ = scan_parts(photos)
    learnt, pixels = learnt_from(labelled.photos, answer, most=_MOST_PHOTOS)
    if not learnt:
        return []
    (own,) = embeddings(network, answer.pixels[None])
    return nearest_of_folder(own, embeddings(network, pixels), learnt)


def _write(page: Path, text: str) -> None:
    """Write the page, whole or not at all, over an earlier one. Raises UsageRefused."""
    from core.runtime.atomic_write import write_atomically
    from core.runtime.output_files import writing

    with writing(page):
        page.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(page, text)
