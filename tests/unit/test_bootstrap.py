"""The pure parts of tools/bootstrap.py: where it looks, what it trusts, when it does nothing."""

import base64
import hashlib
import json
import re
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tools import bootstrap

MIRROR = "https://mirror.city.example/simple"
JSON = "application/vnd.pypi.simple.v1+json"


@pytest.mark.parametrize(
    ("environ", "settings", "expected"),
    [
        ({"PIP_INDEX_URL": MIRROR}, {"index-url": "https://other.example/"}, MIRROR + "/"),
        ({"UV_DEFAULT_INDEX": f"hall={MIRROR}/"}, {}, MIRROR + "/"),
        ({"UV_INDEX_URL": MIRROR}, {}, MIRROR + "/"),
        ({"PIP_INDEX_URL": ""}, {"index-url": MIRROR}, MIRROR + "/"),
        ({"PIP_INDEX_URL": f"{MIRROR}?a=b"}, {}, f"{MIRROR}?a=b/"),
    ],
)
def test_a_sites_own_index_is_asked(
    environ: dict[str, str], settings: dict[str, str], expected: str
) -> None:
    assert bootstrap.index_address(environ, settings) == expected


def test_without_settings_the_public_index_is_asked() -> None:
    address = bootstrap.index_address({}, {})

    assert address.startswith("https://")
    assert address.endswith("/simple/")


def test_the_more_personal_pip_configuration_wins(tmp_path: Path) -> None:
    shared, personal, named = tmp_path / "xdg", tmp_path / "home", tmp_path / "named.conf"
    for folder in (shared / "pip", personal / ".config" / "pip"):
        folder.mkdir(parents=True)
    (shared / "pip" / "pip.conf").write_text(
        "[global]\nindex-url = https://shared.example/simple\ncert = /shared.pem\n"
    )
    (personal / ".config" / "pip" / "pip.conf").write_text(
        "[install]\nindex_url = https://personal.example/simple\n"
    )
    named.write_text("[global]\ntimeout = 7\n")
    environ = {"XDG_CONFIG_DIRS": str(shared), "HOME": str(personal)}

    found = bootstrap.pip_settings(
        {**environ, "PIP_CONFIG_FILE": str(named)}, prefix="/none", machine="/none"
    )

    assert found["index-url"] == "https://personal.example/simple"
    assert found["cert"] == "/shared.pem"
    assert found["timeout"] == "7"
    assert bootstrap.pip_settings({**environ, "PIP_CONFIG_FILE": "/dev/null"}) == {}


def test_an_unreadable_pip_configuration_is_left_to_pip(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("no section\n")
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": "", "PIP_CONFIG_FILE": ""}

    assert bootstrap.pip_settings(environ, prefix=str(tmp_path), machine="/none") == {}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PIP_CERT": "/a.pem", "SSL_CERT_FILE": "/b.pem"}, "/a.pem"),
        ({"SSL_CERT_FILE": "/b.pem"}, "/b.pem"),
        ({}, "/configured.pem"),
    ],
)
def test_the_authority_named_is_the_one_trusted(environ: dict[str, str], expected: str) -> None:
    assert bootstrap.certificates(environ, {"cert": "/configured.pem"}) == expected


def test_index_pages_are_read_as_json_and_as_html() -> None:
    page = f"{MIRROR}/pip/"
    html = b'<a href="../../files/pip-1%2Bhall-py3-none-any.whl#sha256=00">pip</a><a>none</a>'
    listed = {"files": [{"filename": "pip-1.whl", "url": "/files/pip-1.whl"}]}

    assert bootstrap.files_of(page, "text/html; charset=utf-8", html) == {
        "pip-1+hall-py3-none-any.whl": (
            "https://mirror.city.example/files/pip-1%2Bhall-py3-none-any.whl"
        )
    }
    assert bootstrap.files_of(page, JSON, json.dumps(listed).encode()) == {
        "pip-1.whl": "https://mirror.city.example/files/pip-1.whl"
    }


def test_a_file_other_than_the_pinned_one_is_refused() -> None:
    pinned = hashlib.sha256(b"pip").hexdigest()

    assert bootstrap.checked(b"pip", pinned, "pip.whl") == b"pip"
    with pytest.raises(bootstrap.Trouble, match="not the file we pinned"):
        bootstrap.checked(b"other", pinned, "pip.whl")


def test_pips_proxy_is_everybodys_unless_they_have_their_own() -> None:
    own = {"https_proxy": "http://own.example:3128"}

    assert bootstrap.with_proxy({}, {}) == {}
    assert bootstrap.with_proxy({}, {"proxy": "http://hall.example:3128"}) == {
        "http_proxy": "http://hall.example:3128",
        "https_proxy": "http://hall.example:3128",
    }
    assert bootstrap.with_proxy({"PIP_PROXY": "http://hall.example:3128", **own}, {}) == {
        "PIP_PROXY": "http://hall.example:3128",
        "http_proxy": "http://hall.example:3128",
        **own,
    }


def test_uv_is_told_in_its_own_words_what_pip_was_told(tmp_path: Path) -> None:
    environ = {
        "PIP_INDEX_URL": MIRROR,
        "PIP_CERT": "/hall.pem",
        "PIP_NO_INDEX": "true",
        "PIP_FIND_LINKS": f"{tmp_path} /not/there",
        "PIP_DEFAULT_TIMEOUT": "9",
    }

    told = bootstrap.uv_environment(environ, {}, tmp_path / ".venv")

    assert told["UV_DEFAULT_INDEX"] == MIRROR + "/"
    assert told["SSL_CERT_FILE"] == "/hall.pem"
    assert told["UV_NO_INDEX"] == "1"
    assert told["UV_FIND_LINKS"] == str(tmp_path)
    assert told["UV_HTTP_TIMEOUT"] == "9"
    assert "UV_SYSTEM_CERTS" not in told


def test_uv_keeps_its_own_settings_when_pip_has_none(tmp_path: Path) -> None:
    told = bootstrap.uv_environment({"UV_DEFAULT_INDEX": MIRROR}, {}, tmp_path)

    assert told["UV_DEFAULT_INDEX"] == MIRROR
    assert told["UV_SYSTEM_CERTS"] == "1"


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A small file in the place of pip's wheel."""
    body = "車輪".encode()
    monkeypatch.setattr(bootstrap, "PIP_SHA256", hashlib.sha256(body).hexdigest())
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    return body


def test_without_any_network_pip_comes_from_the_folder_offered(
    pinned: bytes, tmp_path: Path
) -> None:
    offered, kept = tmp_path / "usb", tmp_path / "kept"
    offered.mkdir()
    environ = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"/not/there {offered}"}

    with pytest.raises(bootstrap.Trouble, match="PIP_FIND_LINKS"):
        bootstrap.fetch_pip(kept, environ, {})
    (offered / bootstrap.PIP_WHEEL).write_bytes(pinned)

    assert bootstrap.fetch_pip(kept, environ, {}).read_bytes() == pinned


class Index(BaseHTTPRequestHandler):
    """A site's index, which asks for a name and a password and fails the first time."""

    body = b""
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if len(self.asked) == 1:
            self.send_error(503)
            return
        expected = base64.b64encode(b"hall:p@ss").decode()
        if self.path.startswith("/simple") and self.headers["Authorization"] != f"Basic {expected}":
            self.send_error(401)
            return
        listing = f'<a href="/files/{bootstrap.PIP_WHEEL}">pip</a>'.encode()
        answer = listing if self.path.startswith("/simple") else self.body
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def index(pinned: bytes) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = type("Handler", (Index,), {"body": pinned, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}/simple", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_index_that_stumbles_once_and_wants_credentials_is_served(
    index: tuple[str, list[str]], pinned: bytes, tmp_path: Path
) -> None:
    address, asked = index
    environ = {"PIP_INDEX_URL": f"http://hall:p%40ss@{address}", "NO_PROXY": "*"}

    wheel = bootstrap.fetch_pip(tmp_path, environ, {})

    assert wheel.read_bytes() == pinned
    assert asked == ["/simple/pip/", "/simple/pip/", f"/files/{bootstrap.PIP_WHEEL}"]


def test_an_index_that_cannot_be_reached_is_named_with_the_remedy(
    pinned: bytes, tmp_path: Path
) -> None:
    assert pinned
    environ = {"PIP_INDEX_URL": "http://hall:p%40ss@127.0.0.1:1/simple", "PIP_DEFAULT_TIMEOUT": "2"}

    with pytest.raises(bootstrap.Trouble) as caught:
        bootstrap.fetch_pip(tmp_path, environ, {})

    said = str(caught.value)
    assert "127.0.0.1" in said
    assert "PIP_INDEX_URL" in said
    assert "p%40ss" not in said


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with locks and a finished environment of the demo set."""
    (tmp_path / "requirements").mkdir()
    for name in ("build", "uv", "demo", "dev"):
        (tmp_path / "requirements" / f"{name}.txt").write_text(f"{name}==1\n")
    (tmp_path / "pyproject.toml").write_text("")
    python = bootstrap.interpreter(tmp_path / ".venv")
    python.parent.mkdir(parents=True)
    python.touch()
    return tmp_path


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sets installed so far, by an installer that only notes them."""
    names: list[str] = []
    monkeypatch.setattr(bootstrap, "make_bare", lambda _environment: None)
    monkeypatch.setattr(
        bootstrap, "install", lambda _root, _environment, name, _environ: names.append(name)
    )
    return names


def test_nothing_is_done_twice_and_nothing_is_taken_away(tree: Path, installed: list[str]) -> None:
    bootstrap.ensure("demo", tree)
    bootstrap.ensure("demo", tree)
    assert installed == ["demo"]

    bootstrap.ensure("dev", tree)
    bootstrap.ensure("demo", tree)
    assert installed == ["demo", "dev"]

    (tree / "requirements" / "dev.txt").write_text("dev==2\n")
    bootstrap.ensure("demo", tree)
    assert installed == ["demo", "dev", "dev"]


def test_a_rule_for_the_linter_is_no_reason_to_install_but_the_project_is(
    tree: Path, installed: list[str]
) -> None:
    bootstrap.ensure("demo", tree)
    (tree / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    bootstrap.ensure("demo", tree)
    assert installed == ["demo"]

    (tree / "pyproject.toml").write_text('[project.scripts]\nkumobashi = "kumobashi.cli:main"\n')
    bootstrap.ensure("demo", tree)
    assert installed == ["demo", "demo"]


def test_a_spoilt_stamp_or_a_moved_tree_means_installing_again(
    tree: Path, installed: list[str]
) -> None:
    bootstrap.ensure("demo", tree)
    stamp = tree / ".venv" / "kumobashi-stamp.json"

    stamp.write_text("[")
    bootstrap.ensure("demo", tree)
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "root": "/elsewhere"}))
    bootstrap.ensure("demo", tree)

    assert installed == ["demo"] * 3


def test_an_old_python_is_told_which_one_is_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST_PYTHON", (99, 0))

    assert bootstrap.main(["demo"]) == 1
    assert "Python 99.0" in capsys.readouterr().err


def test_an_unknown_set_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["everything"]) == 2
    assert "demo|dev|bench" in capsys.readouterr().err


def test_the_build_backend_named_is_the_one_whose_hash_is_kept() -> None:
    project = tomllib.loads((bootstrap.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = (bootstrap.ROOT / "requirements" / "build.txt").read_text(encoding="utf-8")

    for requirement in project["build-system"]["requires"]:
        assert re.search(rf"^{re.escape(requirement)} \\$", lock, re.MULTILINE)


@pytest.mark.parametrize("name", ["build", "uv", "runtime", "demo", "dev", "bench"])
def test_locks_hold_a_hash_for_everything_and_an_address_for_nothing(name: str) -> None:
    lock = (bootstrap.ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")

    assert "://" not in lock
    for pin in re.findall(r"^[a-z][^\n]*\n[^\n]*", lock, re.MULTILINE):
        assert "--hash=sha256:" in pin
