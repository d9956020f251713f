"""Choose the versions of all packages and write them, with hashes, into requirements/*.txt.

    make lock                      after a change of pyproject.toml or requirements/*.in
    make lock ARGS=--upgrade       the newest of everything
    make lock ARGS='-P duckdb'     the newest of one

The development set is solved first and binds the others, so that all environments agree. The files
hold names, versions and hashes and no address: where packages come from is each site's own choice.
"""

import os
import subprocess
import sys
from pathlib import Path

from tools import bootstrap

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Made by `make lock`; do not edit.\n"

DEMO = ["pyproject.toml", "--extra", "demo"]
PUSHDOWN = [*DEMO]  # their tests run wherever tests do
PUSHDOWN += [
    word
    for extra in ("pushdown", "objects", "sftp", "saml", "telemetry")
    for word in ("--extra", extra)
]
BOUND = ["--constraint", "requirements/dev.txt"]
LOCKS = {
    "dev": [*PUSHDOWN, "requirements/dev.in", "requirements/build.in"],
    "build": ["requirements/build.in", *BOUND],
    "uv": ["requirements/uv.in"],
    "runtime": ["pyproject.toml", *BOUND],
    "demo": [*DEMO, *BOUND],
    "bench": [*DEMO, "requirements/bench.in", "requirements/build.in", *BOUND],
    "interop": [
        *PUSHDOWN,
        "--extra",
        "spark",
        "requirements/dev.in",
        "requirements/interop.in",
        "requirements/build.in",
        *BOUND,
    ],
}


def main(arguments: list[str]) -> int:
    """Write every lock file; stop at the first that has no solution."""
    environ = bootstrap.uv_environment(
        dict(os.environ), bootstrap.pip_settings(dict(os.environ)), ROOT / ".venv"
    )
    # A folder of wheels on one machine must not decide what everybody gets.
    environ.pop("UV_FIND_LINKS", None)
    for name, sources in LOCKS.items():
        bootstrap.say(f"requirements/{name}.txt", "solving")
        target = ROOT / "requirements" / f"{name}.txt"
        command = [str(ROOT / ".venv/bin/uv"), "pip", "compile", "--quiet", "--universal"]
        command += ["--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"]
        command += ["--no-header", "--python-version", "3.11", "--output-file", str(target)]
        done = subprocess.run([*command, *sources, *arguments], cwd=ROOT, env=environ, check=False)
        if done.returncode:
            return done.returncode
        text = target.read_text(encoding="utf-8")
        if "://" in text:
            print(f"{target} names an address; kept out of the tree on purpose", file=sys.stderr)
            return 1
        target.write_text(HEADER + text.removeprefix(HEADER), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
