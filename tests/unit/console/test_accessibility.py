"""The basics of JIS X 8341-3 AA and WCAG 2.2 AA that a parser can see."""

import re
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import kumobashi.console
from kumobashi.testing import scenes
from kumobashi.testing.office import GATED, Office
from tests.unit.console.conftest import Browser

Console = Callable[..., Any]
STATIC = Path(kumobashi.console.__file__).parent / "static"
TOKENS = STATIC / "vendor" / "digital-go-jp-design-tokens-1.1.9.css"
PAGES = [
    "/",
    "/?lang=en",
    "/links",
    "/links?lang=en&state=stopped&q=e&dates=western",
    *(f"/links/{link.link}" for link in scenes.every_light().links),
    "/links/vaccination-reminders?lang=en&page=2",
    "/nope",
]
GATE_PAGES = [
    "/links/notice-attributes/gate",
    "/links/notice-attributes/gate?lang=en&of=plan",
    "/links/care-visits/gate?lang=en",
    "/links/campaign-targets/gate",
    "/plans/notice-attributes",
]
VOID = {"meta", "link", "input", "br", "img", "hr"}


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.names: list[tuple[str, str]] = []  # of links and buttons
        self.unclosed: list[str] = []
        self._named: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "title" or "svg" not in self.unclosed:  # there it explains a shape
            self.tags.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.unclosed.append(tag)
        if tag in {"a", "button"}:
            self._named = []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed, f"</{tag}> closes nothing"
        assert self.unclosed.pop() == tag
        if tag in {"a", "button"} and self._named is not None:
            self.names.append((tag, "".join(self._named).strip()))
            self._named = None

    def handle_data(self, data: str) -> None:
        if self._named is not None:
            self._named.append(data)

    def all(self, *names: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.fixture(scope="module")
def of_gates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Draw the pages that need plans, each once; the plan has been counted."""
    folder = tmp_path_factory.mktemp("office")
    office = Office(folder, scenes.every_light, signs_in=False)
    office.propose(GATED)
    browser = Browser(office.application)
    drawn = {address: browser.get(address).text for address in GATE_PAGES}
    office.close()
    return drawn


@pytest.fixture(params=[*PAGES, *GATE_PAGES])
def page(console: Console, request: pytest.FixtureRequest) -> Page:
    if request.param in GATE_PAGES:
        return Page(request.getfixturevalue("of_gates")[request.param])
    return Page(console(scenes.every_light).get(request.param).text)


def test_elements_are_nested_and_ids_unique(page: Page) -> None:
    assert page.unclosed == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_page_says_its_language_and_title(page: Page) -> None:
    (html,) = page.all("html")
    assert html["lang"] in {"ja", "en"}
    assert len(page.all("title")) == 1


def test_a_skip_link_comes_first_and_leads_to_the_content(page: Page) -> None:
    assert page.all("a")[0]["href"] == "#content"
    (main,) = page.all("main")
    assert main["id"] == "content"


def test_headings_begin_at_one_and_skip_no_level(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_table_headers_have_a_scope(page: Page) -> None:
    assert all(header.get("scope") in {"col", "row"} for header in page.all("th"))


def test_every_link_button_field_and_picture_has_a_name(page: Page) -> None:
    assert all(name for _, name in page.names)
    labelled = {label["for"] for label in page.all("label")}
    fields = [field for field in page.all("input", "select") if field.get("type") != "hidden"]
    assert all(field["id"] in labelled for field in fields)
    for picture in page.all("svg"):
        assert picture.get("aria-hidden") == "true" or picture["aria-label"]


def test_what_is_referred_to_is_there(page: Page) -> None:
    ids = {attributes.get("id") for _, attributes in page.tags}
    for _, attributes in page.tags:
        assert set(attributes.get("aria-labelledby", "").split()) <= ids


def test_regions_that_scroll_can_be_reached_by_keyboard(page: Page) -> None:
    regions = [part for part in page.all("div") if part.get("class") == "scroll"]
    assert all(part["tabindex"] == "0" and part["role"] == "group" for part in regions)


def test_nothing_is_inline_or_from_elsewhere(page: Page) -> None:
    for tag, attributes in page.tags:
        assert "style" not in attributes
        assert not any(key.startswith("on") for key in attributes)
        assert tag != "script" or attributes["src"].startswith("/static/")
        for key in ("href", "src", "action"):
            assert not re.match(r"(https?:)?//|javascript:|data:", attributes.get(key, ""))


def test_japanese_names_on_an_english_page_say_their_language(console: Console) -> None:
    text = console(scenes.morning).get("/?lang=en").text
    assert '<span lang="ja">児童手当 → 子育てお知らせ</span>' in text


def _luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("ink", "ground"),
        ("soft", "paper"),
        ("soft", "ground"),
        ("soft", "red-ground"),
        ("soft", "grey-ground"),
        ("blue", "paper"),
        ("blue", "ground"),
        ("blue", "blue-ground"),
        ("blue", "red-ground"),
        ("red", "paper"),
        ("red", "red-ground"),
        ("green", "paper"),
        ("amber", "paper"),
        ("amber", "amber-ground"),
        ("paper", "red"),
        ("paper", "blue"),
        ("paper", "green"),
        ("paper", "amber"),
    ],
)
def test_text_stands_out_from_its_ground(text: str, ground: str) -> None:
    css = (STATIC / "console.css").read_text()
    tokens = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", TOKENS.read_text()))
    named = re.findall(r"--([a-z-]+): var\(--([a-z0-9-]+)\);", css)
    colours = {name: tokens[token] for name, token in named if token in tokens}

    assert _contrast(colours[text], colours[ground]) >= 4.5


def test_motion_is_only_for_those_who_do_not_mind() -> None:
    css = (STATIC / "console.css").read_text()
    calm, _, rest = css.partition("@media (prefers-reduced-motion: no-preference)")

    assert rest
    assert "animation" not in calm
    assert "transition" not in css


@pytest.mark.parametrize(
    ("file", "digest", "licence", "words"),
    [
        (
            "htmx-4.0.1.min.js",
            "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
            "htmx-LICENSE.txt",
            "Zero-Clause BSD",
        ),
        (
            "digital-go-jp-design-tokens-1.1.9.css",
            "ec3fb5b1e881d1bdf076feff29fe15a32269353c7a9cef40194f1eff0c3d7a90",
            "digital-go-jp-design-tokens-LICENSE.txt",
            "MIT License",
        ),
    ],
)
def test_a_vendored_file_is_the_release_with_its_licence(
    file: str, digest: str, licence: str, words: str
) -> None:
    assert sha256((STATIC / "vendor" / file).read_bytes()).hexdigest() == digest
    assert words in (STATIC / "vendor" / licence).read_text()
