"""Templates filled in, as pages that run no script but their own and ask no host for anything."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from importlib import resources
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined

PAGES = "core.pages"


def environment(package: str) -> Environment:
    """Make what fills in the templates of a package, such as `core.explain`.

    They find what pages share under `pages/`: `{% extends "pages/base.html.j2" %}`. Values are
    escaped, and one that is missing raises.
    """
    shared = PrefixLoader({"pages": PackageLoader(PAGES, ".")})
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), shared]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    made.filters["percent"] = lambda share: "-" if share is None else f"{share:.1%}"
    made.filters["points"] = lambda share: f"{100 * share:.1f}"
    return made


def render(
    package: str,
    template: str,
    *,
    scripts: Iterable[str] = (),
    same_origin: bool = False,
    **values: Any,
) -> str:
    """Fill in a template that extends `pages/base.html.j2`.

    `scripts` are files of the package, or of this one by `pages/NAME`, which stand at the page's
    end; no other script runs, whatever a value holds. `same_origin` is for a page that a server of
    ours gives out: it may ask that server for pictures and answers.
    """
    texts = [_script(package, name) for name in scripts]
    return (
        environment(package)
        .get_template(template)
        .render(
            scripts=texts,
            security_policy=security_policy(texts, same_origin=same_origin),
            **values,
        )
    )


def security_policy(scripts: Iterable[str] = (), *, same_origin: bool = False) -> str:
    """Write the Content-Security-Policy of a page with these scripts inside, by their hashes.

    Styles may stand inside: they cannot ask for anything, since pictures are data alone.
    """
    hashes = [_hash_of(text) for text in scripts]
    own = " 'self'" if same_origin else ""
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(hashes) or "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": f"data:{own}",
        "connect-src": own.strip() or "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash_of(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _script(package: str, name: str) -> str:
    folder, slash, file = name.partition("/")
    source = resources.files(PAGES) / file if slash and folder == "pages" else None
    return (source or resources.files(package) / name).read_text(encoding="utf-8")
