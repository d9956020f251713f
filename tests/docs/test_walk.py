"""The ten-minute walks: each fits in ten minutes, shows pictures, and leads on."""

import re
from pathlib import Path

import pytest

from tests.docs import examples
from tools import pictures

TUTORIAL = examples.ROOT / "docs" / "tutorial"
ROLES = (
    "town-clerk",
    "prefecture-office",
    "welfare-section",
    "vendor-engineer",
    "general-affairs",
)
_JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]*pictures/[^)\s]+)\)")
_DRAWN_BY_HAND = {"path.svg", "states.svg"}
_OF_CHANNELS = {"channel-letter.png", "channel-mail.png"}  # of `python -m tools.channel_pages`


def text_of(role: str) -> str:
    return (TUTORIAL / f"{role}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("role", ROLES)
def test_a_walk_takes_ten_minutes_at_most(role: str) -> None:
    minutes = [
        int(found) for found in re.findall(r"^## .*（(\d+)分）$", text_of(role), re.MULTILINE)
    ]

    assert len(minutes) >= 4
    assert 5 <= sum(minutes) <= 10


@pytest.mark.parametrize("role", ROLES)
def test_a_walk_runs_commands_shows_a_picture_and_leads_on(role: str) -> None:
    text = text_of(role)

    assert len(examples.commands(text)) >= 4
    assert _PICTURE.findall(text)
    assert text.partition("## 次に")[2].count("{doc}") >= 3
    assert f"{{doc}}`{role}`" in (TUTORIAL / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [TUTORIAL / f"{role}.md" for role in ROLES], ids=ROLES)
def test_pictures_are_there_and_told_in_japanese(page: Path) -> None:
    for told, address in _PICTURE.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / address).resolve().is_file(), address
        assert len(told) >= 15, address
        assert _JAPANESE.search(told), address


def test_every_picture_is_one_that_make_pictures_takes_and_small() -> None:
    held = {path.name for path in pictures.FOLDER.glob("*") if path.suffix in {".png", ".svg"}}

    taken = {f"{one.name}.png" for one in pictures.PICTURES} | {pictures.DRAWN}
    assert held == taken | _DRAWN_BY_HAND | _OF_CHANNELS
    for name in held:
        assert (pictures.FOLDER / name).stat().st_size <= pictures.LARGEST_BYTES, name


def test_the_drawn_picture_is_what_the_sample_gives_today(tmp_path: Path) -> None:
    assert (
        pictures.take(["workspace"], tmp_path)[0].read_bytes()
        == (pictures.FOLDER / pictures.DRAWN).read_bytes()
    )


def test_every_picture_is_shown_on_some_page() -> None:
    shown = "".join(page.read_text(encoding="utf-8") for page in examples.pages())

    assert [one.name for one in pictures.PICTURES if f"pictures/{one.name}.png" not in shown] == []
