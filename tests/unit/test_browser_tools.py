"""What `make interop` says where something is missing or altered; no browser is needed for that."""

import os
from pathlib import Path

import pytest

from tools import axe_core, browsing


def test_an_engine_that_is_not_the_pinned_release_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "axe.min.js"
    copy.write_text("alert(1)", encoding="ascii")
    monkeypatch.setenv(axe_core.NAMED, str(copy))

    with pytest.raises(axe_core.AxeAltered, match=axe_core.SCRIPT_SHA256):
        axe_core.script()


def test_an_altered_copy_in_build_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(axe_core.NAMED, raising=False)
    kept = tmp_path / "axe.js"
    kept.write_text("alert(1)", encoding="ascii")

    with pytest.raises(axe_core.AxeAltered):
        axe_core.script(kept)


def test_without_npm_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(axe_core.NAMED, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(axe_core.AxeMissing, match=axe_core.NAMED):
        axe_core.script(tmp_path / "axe.js")
    assert not (tmp_path / "axe.js").exists()


def test_an_npm_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(axe_core.NAMED, raising=False)
    program = tmp_path / "npm"
    program.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    with pytest.raises(axe_core.AxeMissing, match="npm"):
        axe_core.script(tmp_path / "build" / "axe.js")
    assert not (tmp_path / "build").exists()


def test_without_a_browser_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(browsing.NAMED, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(browsing.BrowserMissing, match="apt-get install chromium"):
        browsing.chromium()


def test_a_named_browser_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(browsing.NAMED, "/nowhere/chromium")

    with pytest.raises(browsing.BrowserMissing, match="/nowhere/chromium"):
        browsing.chromium()
