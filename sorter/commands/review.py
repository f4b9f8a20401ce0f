"""The command that opens the review page."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import webbrowser
from contextlib import closing
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

if TYPE_CHECKING:
    from sorter.review.page.access import Access
    from sorter.review.page.server import Server
    from sorter.review.session import Review


@click.command()
@click.argument("folder", type=FolderPath(file_okay=False))
@option(
    "--into",
    type=FolderPath(file_okay=False),
    help="Where cats/ and dogs/ are, or will be.  [default: FOLDER]",
)
@option("--recursive", is_flag=True, help="Show photos of subfolders, too.")
@option(
    "--what",
    type=click.Choice(("unsure", "filed", "other", "duplicates", "all")),
    default="unsure",
    show_default=True,
    help="Which photos to show: those the model is unsure of; those in cats/ and dogs/; what is "
    "neither, or both; those that lie here twice; or all that are not filed.",
)
@option(
    "--others",
    type=click.Choice(("leave", "move")),
    default="leave",
    show_default=True,
    help="What to do with a photo that you call neither or both: leave it, or move it to other/.",
)
@model_option
@threshold_option
@option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen on; 0.0.0.0 lets a phone in the same network open the page, with its "
    "token.",
)
@option("--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: a free one]")
@option("--no-browser", is_flag=True, help="Only print the address.")
@pass_settings
def review(settings: Settings, /, folder: Path, no_browser: bool, **given: Any) -> None:
    """Show the photos of FOLDER that the model is unsure of on a page: a key files each.

    C and D file a photo as `sort` would; N and B note that it is neither, or both; Z takes back
    any number of answers, and `catdog undo` all of them. `catdog train --with-feedback` learns
    from what you say; so does the page, if you ask it to.
    """
    from core.store.database import Store
    from sorter.commands.filing_options import make_plan, recover_and_report
    from sorter.filing.plan import FilingOptions
    from sorter.review.loading import Selection
    from sorter.review.page.access import access_for, keep_access
    from sorter.review.photos import What
    from sorter.review.session import Folders, Review

    host, port, what = given.pop("host"), given.pop("port"), What(given.pop("what"))
    _check_address(host)
    plan = make_plan(
        settings,
        folder,
        FilingOptions(**given),
    )
    with closing(Store(settings.state_dir)) as store:
        plan.check(store)
        recover_and_report(store, plan.folders)
        access = access_for(store, plan.inbox.folder, host, port)
        selection = Selection(plan.inbox, plan.routes, what)
        made = Review(
            selection,
            plan.classifier,
            Folders(settings.state_dir, settings.models_dir),
            learns=given["model_choice"] is None,
        )
        try:
            server = _listening(made, access)
            keep_access(store, plan.inbox.folder, server.access)
            made.start()
            _invite(server.access, open_browser=not no_browser)
            asyncio.run(_serve(server))
        finally:
            made.close()
    click.echo("Stopped. `catdog undo` takes back what was filed.", err=True)


def _check_address(host: str) -> None:
    """Raise UsageRefused for what is no address: a name might become another machine's."""
    from core.errors import UsageRefused

    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise UsageRefused(
            f"--host takes an address of this machine, such as 0.0.0.0, not {host!r}."
        ) from error


def _listening(made: Review, access: Access) -> Server:
    """Return a server that listens. Raises UsageRefused."""
    from core.errors import UsageRefused
    from sorter.review.page.server import Server

    try:
        return Server(made, access)
    except OSError as error:
        raise UsageRefused(
            f"{access.host}:{access.port} cannot be listened on ({error.strerror}). "
            "Choose another --port, or leave it out."
        ) from error


def _invite(access: Access, *, open_browser: bool) -> None:
    """Print the address, as a picture too where it is for a phone, and open it."""
    click.echo(f"Review at {access.url}")
    if not ipaddress.ip_address(access.host).is_loopback:
        import segno

        segno.make(access.url, error="l").terminal(compact=True)
        click.echo("Whoever has this address can file these photos. Ctrl-C ends it.")
    else:
        click.echo("Ctrl-C ends it; nothing that was said is lost.")
    if open_browser and ipaddress.ip_address(access.host).is_loopback:
        webbrowser.open(access.url)


async def _serve(server: Server) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    await server.serve(stopped)
