"""The base of all pages: nothing runs or loads that is not the page's own, at any width."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2
import pytest
from PIL import Image

from core.pages.pictures import Encoding, data_url
from core.pages.templates import render, security_policy
from tests.browsing import DESKTOP, PHONE, Browser

TEMPLATE = """{% extends "pages/base.html.j2" %}
{% import "pages/parts.html.j2" as parts %}
{% block title %}{{ name }}{% endblock %}
{% block header %}<h1>{{ name }}</h1>{% endblock %}
{% block main %}
{{ parts.picture(picture, "A red square", name) }}
{% call parts.more("What is this?") %}<p>A square.</p>{% endcall %}
{% call parts.box("good") %}<p>Well <span class="dim">done</span>.</p>{% endcall %}
{% call parts.wide("Numbers") %}
<table><tr><th>a</th>{% for _ in range(60) %}<td>123</td>{% endfor %}</tr></table>
{% endcall %}
{{ parts.bar(0.25, "against") }}
<button aria-pressed="true">Yes</button> <a href="#main">to</a> <p id="said"></p>
{% endblock %}
{% block data %}{{ parts.data("numbers", numbers) }}{{ extra | safe }}{% endblock %}
"""
SCRIPT = """
const numbers = JSON.parse(document.getElementById("numbers").textContent);
document.getElementById("said").textContent = numbers.name;
"""
NASTY = "</script><img src=x onerror=document.title='run'>\u2028'\"&.jpg"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with a page of its own."""
    folder = tmp_path / "some_pages"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "page.html.j2").write_text(TEMPLATE)
    (folder / "page.js").write_text(SCRIPT)
    monkeypatch.syspath_prepend(tmp_path)
    return folder.name


def page(package: str, **values: Any) -> str:
    square = data_url(Image.new("RGB", (40, 40), "red"), Encoding.PNG)
    given = {"name": NASTY, "picture": square, "numbers": {"name": NASTY}, "extra": ""}
    return render(package, "page.html.j2", scripts=["page.js"], **{**given, **values})


def test_a_missing_value_and_what_is_no_number_are_refused(package: str) -> None:
    """Rather than a page with a hole, or one that its script cannot read."""
    with pytest.raises(jinja2.UndefinedError):
        render(package, "page.html.j2", name="x")
    with pytest.raises(ValueError, match="JSON"):
        page(package, numbers={"one": float("nan")})


def test_a_policy_names_each_script_and_no_other_source() -> None:
    policy = security_policy(["one()", "two()"])
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.count("sha256-") == 2
    assert "http" not in policy
    assert "unsafe-inline" not in policy.partition("style-src")[0]
    assert "connect-src 'none'" in policy
    assert "connect-src 'self'" in security_policy(same_origin=True)


def test_names_that_hold_html_are_shown_as_they_are(
    browser: Browser, package: str, tmp_path: Path
) -> None:
    """In the text, in an attribute, and on their way through JSON into a script."""
    file = tmp_path / "page.html"
    file.write_text(page(package), encoding="utf-8")
    with browser.visit(file) as shown:
        assert shown.page.title().replace("\u2028", " ") == NASTY.replace("\u2028", " ")
        assert shown.page.evaluate("document.getElementById('said').textContent") == NASTY
        assert shown.page.locator("figcaption").text_content() == NASTY
        assert shown.errors == []
        assert shown.requests == []


def test_a_script_or_a_picture_that_was_smuggled_in_does_nothing(
    browser: Browser, package: str, tmp_path: Path
) -> None:
    """The policy holds even where a template forgets to escape."""
    smuggled = (
        "<script>document.title = 'run'</script><img src='http://127.0.0.1:9/x.png' "
        "onerror=\"document.title = 'run'\">"
    )
    file = tmp_path / "page.html"
    file.write_text(page(package, extra=smuggled), encoding="utf-8")
    with browser.visit(file) as shown:
        assert shown.page.title() != "run"
        assert shown.page.evaluate("document.getElementById('said').textContent") == NASTY
        assert any("Content Security Policy" in one for one in shown.errors)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_axe_finds_nothing_serious_and_nothing_stands_out_to_the_side(
    browser: Browser, package: str, tmp_path: Path, width: int, dark: bool
) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(package, name="tom.jpg"), encoding="utf-8")
    with browser.visit(file, width=width, dark=dark) as shown:
        assert shown.serious() == []
        assert shown.overflow <= 0
        ground = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(json.loads(f"[{ground[4:-1]}]")) < 200) == dark


def test_axe_and_the_width_are_really_looked_at(browser: Browser, tmp_path: Path) -> None:
    """Or the test above could not fail."""
    file = tmp_path / "page.html"
    file.write_text("<title>x</title><img src='data:,'><div style='width:900px'>wide</div>")
    with browser.visit(file, width=PHONE) as shown:
        assert any(one.startswith("image-alt") for one in shown.serious())
        assert shown.overflow > 400
