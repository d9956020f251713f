"""A codebook stays in the hall, and its loss is seen before anything leaves."""

import stat
from pathlib import Path

import pytest

from kumobashi.crypto.errors import KeyTooOpen
from kumobashi.exchange.codebooks import Codebooks
from kumobashi.release.coding import Codebook, codebook
from kumobashi.release.errors import CodebookLost, CodebookMissing

WHERE = ("notice-cloud", "notices", "2026Q4")


def book(secret: bytes = bytes(32), epoch: str = "2026Q4") -> Codebook:
    return codebook(secret, "notice-cloud", "notices", epoch, ["token", "born", "sex"])


@pytest.fixture
def books(tmp_path: Path) -> Codebooks:
    return Codebooks(tmp_path / "codebooks")


def test_a_codebook_that_was_made_is_read_and_only_its_owner_may(books: Codebooks) -> None:
    path = books.keep(book())

    assert books.read(*WHERE) == book()
    assert books.keep(book()) == path  # again changes nothing
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_without_a_codebook_it_says_that_none_was_made(books: Codebooks) -> None:
    with pytest.raises(CodebookMissing):
        books.read(*WHERE)
    books.keep(book())
    with pytest.raises(CodebookMissing):
        books.read("notice-cloud", "notices", "2027Q1")


@pytest.mark.parametrize("fault", ["gone", "empty", "cut", "other", "open"])
def test_a_lost_codebook_is_not_made_again_under_its_epoch(books: Codebooks, fault: str) -> None:
    path = books.keep(book())
    match fault:
        case "gone":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "cut":
            path.write_bytes(path.read_bytes()[:-3])
        case "other":
            path.write_bytes(book(bytes([1] * 32)).text())
        case _:
            path.chmod(0o644)

    if fault != "open":
        with pytest.raises(CodebookLost):
            books.read(*WHERE)
        with pytest.raises(CodebookLost):
            books.keep(book())
    else:
        with pytest.raises(KeyTooOpen):
            books.read(*WHERE)
    anew = book(epoch="2027Q1")
    books.keep(anew)
    assert books.read("notice-cloud", "notices", "2027Q1") == anew


def test_another_secret_makes_no_other_codebook_of_the_same_epoch(books: Codebooks) -> None:
    books.keep(book())

    with pytest.raises(CodebookLost):
        books.keep(book(bytes([1] * 32)))
    assert books.read(*WHERE) == book()


def test_a_making_that_was_cut_short_is_made_again(books: Codebooks, tmp_path: Path) -> None:
    path = books.path(*WHERE)
    path.parent.mkdir(mode=0o700)
    path.write_bytes(b"{")  # written, and not yet in the register

    books.keep(book())

    assert books.read(*WHERE) == book()
