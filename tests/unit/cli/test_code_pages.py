"""A terminal or pipe that knows no Unicode: words lose a sign at most, JSON loses nothing."""

import json
import os
import subprocess
import sys

import pytest


def _run(encoding: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "kumobashi", *words],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "COLUMNS": "100"},
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("encoding", ["cp932", "cp437", "ascii"])
def test_words_come_out_in_any_code_page(encoding: str) -> None:
    done = _run(encoding, "errors")

    assert done.returncode == 0, done.stderr
    assert b"cli.no_workspace" in done.stdout
    assert ("ゲートウェイ" in done.stdout.decode(encoding)) == (encoding == "cp932")


@pytest.mark.parametrize("encoding", ["cp932", "ascii", "utf-8"])
def test_json_is_the_same_in_any_code_page(encoding: str) -> None:
    done = _run(encoding, "errors", "--json")

    assert json.loads(done.stdout.decode(encoding)) == json.loads(
        _run("utf-8", "errors", "--json").stdout
    )
