"""Make the environment kumobashi runs in, with nothing but Python and a package index.

    python3 tools/bootstrap.py demo     what a gateway and the fictional city need, in .venv
    python3 tools/bootstrap.py dev      that, and every tool of a developer, in .venv
    python3 tools/bootstrap.py bench    what comparisons with other tools need, in .venv-bench
    python3 tools/bootstrap.py interop  what looking with a real browser needs, in .venv-interop

Debian's python3 comes without pip and without the part of `venv` that installs it. So the
environment is made bare, one pip wheel is fetched whose SHA-256 stands below, and pip, run from
that wheel, installs uv; uv does the rest. Every machine takes this same way, so that what we try is
what you get. Each file installed is checked against a hash in `requirements/*.txt`.

A site's own package mirror is honoured: PIP_INDEX_URL, UV_DEFAULT_INDEX, UV_INDEX_URL or
`index-url` in pip's configuration; PIP_FIND_LINKS with PIP_NO_INDEX where there is no network at
all; PIP_CERT, SSL_CERT_FILE or `cert` in pip's configuration for the authority that vouches for it.
"""

# This file is read by whatever Python is found: it must at least parse on an old one, to say so.
# That is why it spells some things in an older way than the rest of the tree.
from __future__ import annotations

import base64
import configparser
import contextlib
import hashlib
import json
import os
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)

SERVER_ERROR = 500  # below it, the answer will not change by asking again

PIP_WHEEL = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"

# Each set: the environment it lives in, its lock file, and the sets of that environment it holds.
SETS = {
    "demo": (".venv", "demo.txt", ("demo",)),
    "dev": (".venv", "dev.txt", ("demo", "dev")),
    "bench": (".venv-bench", "bench.txt", ("bench",)),
    "interop": (".venv-interop", "interop.txt", ("interop",)),
}


class Trouble(Exception):
    """The environment cannot be made; says in both languages what to do."""

    def __init__(self, ja: str, en: str, detail: str = "") -> None:
        self.detail = detail.strip()
        super().__init__("\n".join(part for part in (ja, en, self.detail) if part))


def say(ja: str, en: str) -> None:
    """Tell the person at the terminal which step begins."""
    print(f"· {ja} / {en}", flush=True)


# --- what is wanted, and what is there ---


def fingerprint(root: Path, name: str) -> str:
    """Hash everything that decides what the set ``name`` installs."""
    import tomllib  # noqa: PLC0415 - an old Python has none, and must get far enough to be told

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    parts = [
        project.get("project"),
        project.get("build-system"),
        project.get("tool", {}).get("hatch"),
    ]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for path in (
        root / "requirements" / SETS[name][1],
        root / "requirements" / "build.txt",
        root / "requirements" / "uv.txt",
        Path(__file__),
    ):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def read_stamp(environment: Path) -> dict[str, str]:
    """Return what the last run noted: the set, its fingerprint, where the project was."""
    try:
        stamp = json.loads((environment / "kumobashi-stamp.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def wider(asked: str, present: str | None) -> str:
    """Return the set to install: never less than what is already there.

    >>> wider("demo", "dev"), wider("dev", "demo"), wider("demo", None)
    ('dev', 'dev', 'demo')
    """
    if present in SETS and asked in SETS[present][2]:
        return present
    return asked


def interpreter(environment: Path) -> Path:
    """Return the path of the environment's Python."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


# --- where packages come from ---


def pip_settings(
    environ: dict[str, str], prefix: str = sys.prefix, machine: str = "/etc/pip.conf"
) -> dict[str, str]:
    """Read what pip's configuration files say, the most personal last."""
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or "/nonexistent")
    shared = environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep)
    files = [
        *(Path(folder) / "pip" / "pip.conf" for folder in shared if folder),
        Path(machine),
        Path(environ.get("PROGRAMDATA", "/nonexistent")) / "pip" / "pip.ini",
        home / ".pip" / "pip.conf",
        Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf",
        Path(environ.get("APPDATA", "/nonexistent")) / "pip" / "pip.ini",
        Path(prefix) / "pip.conf",
    ]
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return {}
    if named:
        files.append(Path(named))
    found: dict[str, str] = {}
    for path in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (OSError, configparser.Error, UnicodeDecodeError):
            continue  # pip will say so itself, with the line
        for section in ("global", "install"):
            if parser.has_section(section):
                for key, value in parser.items(section):
                    found[key.replace("_", "-")] = value
    return found


def index_address(environ: dict[str, str], settings: dict[str, str]) -> str:
    """Return the simple index to ask, ending in a slash."""
    address = (
        environ.get("PIP_INDEX_URL")
        or environ.get("UV_DEFAULT_INDEX")
        or environ.get("UV_INDEX_URL")
        or settings.get("index-url")
        # The public index's host is not written out, so that a site which insists on its own mirror
        # can search the tree for the address and find none.
        or "https://" + ".".join(("pypi", "org")) + "/simple"  # noqa: FLY002
    )
    if "=" in address.split("://", 1)[0]:  # uv allows `name=address`
        address = address.split("=", 1)[1]
    return address.rstrip("/") + "/"


def find_links(environ: dict[str, str], settings: dict[str, str]) -> list[str]:
    """Return the folders or pages a site offers packages in, beside its index.

    >>> find_links({"PIP_FIND_LINKS": "/srv/wheels /mnt/usb"}, {})
    ['/srv/wheels', '/mnt/usb']
    """
    return (environ.get("PIP_FIND_LINKS") or settings.get("find-links") or "").split()


def without_index(environ: dict[str, str], settings: dict[str, str]) -> bool:
    """Say whether the site forbids asking any index."""
    value = environ.get("PIP_NO_INDEX") or settings.get("no-index") or ""
    return value.strip().lower() in {"1", "true", "yes", "on", "y"}


def certificates(environ: dict[str, str], settings: dict[str, str]) -> str | None:
    """Return the file of authorities to trust, when one is named."""
    return (
        environ.get("PIP_CERT")
        or environ.get("SSL_CERT_FILE")
        or environ.get("REQUESTS_CA_BUNDLE")
        or settings.get("cert")
    )


def with_proxy(environ: dict[str, str], settings: dict[str, str]) -> dict[str, str]:
    """Say pip's own proxy setting in the words that everything else listens to."""
    proxy = environ.get("PIP_PROXY") or settings.get("proxy")
    return {"http_proxy": proxy, "https_proxy": proxy, **environ} if proxy else environ


class Links(HTMLParser):
    """The links of a simple index page, by file name (PEP 503)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address of one file."""
        href = dict(attrs).get("href") if tag == "a" else None
        if href:
            address = urllib.parse.urldefrag(urllib.parse.urljoin(self.page, href)).url
            name = urllib.parse.urlsplit(address).path.rpartition("/")[2]
            self.found[urllib.parse.unquote(name)] = address


def files_of(page: str, content_type: str, body: bytes) -> dict[str, str]:
    """Return name and address of each file on an index page, JSON (PEP 691) or HTML (PEP 503)."""
    if "json" in content_type:
        entries = json.loads(body)["files"]
        return {entry["filename"]: urllib.parse.urljoin(page, entry["url"]) for entry in entries}
    links = Links(page)
    links.feed(body.decode("utf-8", "replace"))
    return links.found


def checked(body: bytes, sha256: str, name: str) -> bytes:
    """Return ``body`` when it is the file we pinned; refuse it otherwise."""
    got = hashlib.sha256(body).hexdigest()
    if got != sha256:
        raise Trouble(
            f"{name} が記録したものと違います。配布元(ミラー)を確かめてください。",
            f"{name} is not the file we pinned. Check the mirror it came from.",
            f"SHA-256 expected {sha256}\nSHA-256 got      {got}",
        )
    return body


def download(address: str, cafile: str | None, timeout: float) -> tuple[str, str, bytes]:
    """Fetch ``address``; return its final address, content type and body."""
    split = urllib.parse.urlsplit(address)
    headers = {"Accept": "application/vnd.pypi.simple.v1+json, text/html;q=0.5, */*;q=0.1"}
    if split.username:  # mirrors often carry their credentials in the address
        user = urllib.parse.unquote(split.username)
        secret = urllib.parse.unquote(split.password or "")
        both = base64.b64encode(f"{user}:{secret}".encode()).decode()
        headers["Authorization"] = "Basic " + both
        address = split._replace(netloc=split.netloc.rpartition("@")[2]).geturl()
    context = ssl.create_default_context(cafile=cafile) if address.startswith("https:") else None
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout, context=context) as answer:
            return answer.geturl(), answer.headers.get("Content-Type", ""), answer.read()
    except urllib.error.HTTPError as error:
        error.close()
        raise


def fetch_pip(folder: Path, environ: dict[str, str], settings: dict[str, str]) -> Path:
    """Put the pinned pip wheel into ``folder`` and return its path."""
    kept = folder / PIP_WHEEL
    if kept.exists() and hashlib.sha256(kept.read_bytes()).hexdigest() == PIP_SHA256:
        return kept
    body = b""
    for place in find_links(environ, settings):
        offered = Path(place.removeprefix("file://")) / PIP_WHEEL
        if offered.is_file():
            body = checked(offered.read_bytes(), PIP_SHA256, str(offered))
    if not body and not without_index(environ, settings):
        body = fetch_from_index(environ, settings)
    if not body:
        raise Trouble(
            f"PIP_FIND_LINKS のフォルダに {PIP_WHEEL} がありません。"
            "置いてから、もう一度実行してください。",
            f"{PIP_WHEEL} is in none of the PIP_FIND_LINKS folders. Put it there and run again.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(body)
    return kept


def fetch_from_index(environ: dict[str, str], settings: dict[str, str]) -> bytes:
    """Ask the index for the pinned pip wheel, a few times, and check it."""
    page = index_address(environ, settings) + "pip/"
    cafile = certificates(environ, settings)
    timeout = float(environ.get("PIP_DEFAULT_TIMEOUT") or settings.get("timeout") or 60)
    problem: Exception | None = None
    for pause in (0, 1, 3):
        time.sleep(pause)
        try:
            files = files_of(*download(page, cafile, timeout))
            body = download(files[PIP_WHEEL], cafile, timeout)[2] if PIP_WHEEL in files else b""
        except (OSError, ValueError, KeyError) as error:  # no connection, no trust, no such page
            problem = error
            if isinstance(error, urllib.error.HTTPError) and error.code < SERVER_ERROR:
                break
            continue
        if not body:
            raise Trouble(
                f"パッケージ配布元に {PIP_WHEEL} がありません。"
                "ミラーに加えるよう管理者へ伝えてください。",
                f"The package index has no {PIP_WHEEL}. Ask whoever runs the mirror to add it.",
            )
        return checked(body, PIP_SHA256, PIP_WHEEL)
    host = urllib.parse.urlsplit(page).hostname or page
    raise Trouble(
        f"パッケージ配布元 {host} につながりません。ネットワークを確かめるか、"
        "庁内のミラーを PIP_INDEX_URL に、その認証局を PIP_CERT に設定してから、"
        "もう一度実行してください。",
        f"Cannot reach the package index {host}. Check the network, or set PIP_INDEX_URL to your "
        "site's mirror (and PIP_CERT to its certificate authority), then run again.",
        str(problem),
    )


# --- doing it ---


def run(command: list[str], environ: dict[str, str]) -> str:
    """Run ``command`` silently; return an empty text when it worked, what it printed otherwise."""
    done = subprocess.run(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode == 0:
        return ""
    return done.stdout.decode("utf-8", "replace").strip() or f"{command[0]}: exit {done.returncode}"


def uv_environment(
    environ: dict[str, str], settings: dict[str, str], environment: Path
) -> dict[str, str]:
    """Translate what pip was told (index, folders, certificates) into uv's words."""
    told = dict(environ)
    told.update(VIRTUAL_ENV=str(environment), UV_PYTHON_DOWNLOADS="never", UV_NO_PROGRESS="1")
    if environ.get("PIP_INDEX_URL") or settings.get("index-url"):
        told["UV_DEFAULT_INDEX"] = index_address(environ, settings)
    if without_index(environ, settings):
        told["UV_NO_INDEX"] = "1"
    offered = find_links(environ, settings)
    folders = [place for place in offered if "://" in place or Path(place).is_dir()]
    if folders and "UV_FIND_LINKS" not in environ:
        told["UV_FIND_LINKS"] = ",".join(folders)
    cafile = certificates(environ, settings)
    if cafile:
        told.setdefault("SSL_CERT_FILE", cafile)
    else:
        told.setdefault(
            "UV_SYSTEM_CERTS", "1"
        )  # an office's own authority is in the system's store
    if environ.get("PIP_DEFAULT_TIMEOUT"):
        told.setdefault("UV_HTTP_TIMEOUT", environ["PIP_DEFAULT_TIMEOUT"])
    return told


def make_bare(environment: Path) -> None:
    """Make an environment without pip, unless a working one is there."""
    python = interpreter(environment)
    if python.exists() and not run([str(python), "-c", ""], dict(os.environ)):
        return
    say("Python 環境を作ります", f"making {environment.name} with Python {sys.version.split()[0]}")
    shutil.rmtree(environment, ignore_errors=True)
    problem = run(
        [sys.executable, "-m", "venv", "--without-pip", str(environment)], dict(os.environ)
    )
    if problem:
        raise Trouble(
            f"Python 環境 {environment} を作れません。フォルダの権限と空き容量を確かめてください。",
            f"Cannot make {environment}. Check that the folder is writable and the disk not full.",
            problem,
        )


def install(root: Path, environment: Path, name: str, environ: dict[str, str]) -> None:
    """Install the set ``name`` and the project itself into ``environment``."""
    settings = pip_settings(environ)
    python = str(interpreter(environment))
    requirements = root / "requirements"
    locks = [str(requirements / SETS[name][1]), str(requirements / "build.txt")]
    uv_lock = str(requirements / "uv.txt")
    quiet = dict(environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_ROOT_USER_ACTION="ignore")
    quiet["PIP_NO_INPUT"] = "1"

    say("pip と uv を用意します", "fetching pip and uv")
    wheel = fetch_pip(environment / "bootstrap", environ, settings)
    pip = [python, "-I", str(wheel / "pip")]
    problems = [run([*pip, "install", "--require-hashes", "-r", uv_lock], quiet)]

    uv = str(Path(python).with_name("uv.exe" if os.name == "nt" else "uv"))
    if Path(uv).exists() and not run([uv, "--version"], quiet):
        told = uv_environment(environ, settings, environment)
        # Compiled now, or every process compiles anew where nothing may be written.
        packages = [uv, "pip", "sync", "--compile-bytecode", "--require-hashes", *locks, uv_lock]
        project = [uv, "pip", "install"]
    else:  # a platform uv has no build for: pip does the same, in more time
        say("uv が使えないため pip で続けます", "uv cannot run here; going on with pip, slower")
        told = quiet
        packages = [*pip, "install", "--require-hashes"]
        packages += [f"--requirement={lock}" for lock in locks]
        project = [*pip, "install"]

    say("パッケージを入れます", f"installing the {name} packages")
    problems.append(run(packages, told))
    if not problems[-1]:
        say("kumobashi を入れます", "installing kumobashi itself")
        project += ["--no-deps", "--no-build-isolation", "-e", str(root)]
        problems.append(run(project, told))
        run([python, "-m", "compileall", "-q", str(root / "src" / "kumobashi")], quiet)
    if problems[-1]:
        raise Trouble(
            "パッケージを入れられません。ネットワーク、ミラー(PIP_INDEX_URL)、"
            "空き容量を確かめて、もう一度実行してください。",
            "Cannot install the packages. Check the network, the mirror (PIP_INDEX_URL) and free "
            "disk space, then run again.",
            "\n".join(problem for problem in problems if problem),
        )


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keep two runs in one tree from building the same environment at once."""
    try:
        import fcntl  # noqa: PLC0415 - Windows has none
    except ImportError:
        yield
        return
    with (root / ".bootstrap.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure(asked: str, root: Path = ROOT) -> None:
    """Make the set ``asked`` present; do nothing when it already is."""
    environment = root / SETS[asked][0]

    def missing() -> str | None:
        stamp = read_stamp(environment)
        name = wider(asked, stamp.get("set"))
        fresh = stamp == wanted(name)
        return None if fresh and interpreter(environment).exists() else name

    def wanted(name: str) -> dict[str, str]:
        return {"set": name, "fingerprint": fingerprint(root, name), "root": str(root)}

    if missing() is None:
        return
    with alone(root):
        name = missing()
        if name is None:  # another run made it while we waited
            return
        began = time.monotonic()
        make_bare(environment)
        os.environ.update(with_proxy(dict(os.environ), pip_settings(dict(os.environ))))
        install(root, environment, name, dict(os.environ))
        text = json.dumps(wanted(name), indent=1) + "\n"
        (environment / "kumobashi-stamp.json").write_text(text, encoding="utf-8")
        seconds = time.monotonic() - began
        say(f"準備ができました({seconds:.0f} 秒)", f"{environment.name} is ready, {seconds:.0f} s")


def refuse_this_python() -> None:
    """Say which Python is needed, and how to name one."""
    needed = ".".join(map(str, OLDEST_PYTHON))
    this = sys.version.split()[0]
    raise Trouble(
        f"Python {needed} 以上が必要です(今は {this})。"
        "`make PYTHON=/path/to/python3.11 …` のように指定してください。",
        f"Python {needed} or newer is needed, and this is {this}. "
        "Name one: `make PYTHON=/path/to/python3.11 …`.",
    )


def main(arguments: list[str]) -> int:
    """Make the environment named on the command line."""
    if len(arguments) != 1 or arguments[0] not in SETS:
        print(f"usage: bootstrap.py {{{'|'.join(SETS)}}}", file=sys.stderr)
        return 2
    try:
        if sys.version_info < OLDEST_PYTHON:
            refuse_this_python()
        ensure(arguments[0])
    except Trouble as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\n中断しました。もう一度実行してください。 / Interrupted; run again.", file=sys.stderr
        )
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
