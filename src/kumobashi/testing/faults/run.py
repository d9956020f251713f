"""Rounds from the command line: ``python -m kumobashi.testing.faults.run --rounds 20 --seed 1``.

Ends with one line, ``rounds R: lost L, duplicated D, unfinished U, undetected X``, and exit 0 only
if all four are 0. A round that failed prints the command that plays it again, its town stays where
it is, and the next round begins in a new one. Exit 2: it cannot be run like this here.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

from kumobashi.testing.city import City, build
from kumobashi.testing.faults.check import line
from kumobashi.testing.faults.deeds import possible
from kumobashi.testing.faults.facilities import has, missing
from kumobashi.testing.faults.judging import Fault
from kumobashi.testing.faults.playground import playground
from kumobashi.testing.faults.rounds import Options, Played, Rounds

_PROGRAM = "kumobashi.testing.faults.run"
_OWN_MOUNTS = "KUMO_OWN_MOUNTS"
_RESIDENTS = 700  # hundreds of rows in every link


@dataclass(slots=True)
class Report:
    """What all rounds came to."""

    rounds: int = 0
    faults: list[Fault] = field(default_factory=list)
    injected: Counter[str] = field(default_factory=Counter)
    recovery: list[float] = field(default_factory=list)
    deaths: int = 0
    kept: list[str] = field(default_factory=list)

    def add(self, played: Played) -> None:
        """Count a round."""
        self.rounds += 1
        self.injected.update(deed.fault for deed in played.deeds)
        self.recovery.append(played.seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, print, and return the exit code."""
    chosen = _arguments(arguments)
    refusal = _refusal(chosen)
    if refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
        return 2
    if arguments is None and has("tmpfs") and os.environ.get(_OWN_MOUNTS) is None:
        _in_own_mounts()
    began = time.monotonic()
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="kumo-rounds-"))
    report = Report()
    with build(_RESIDENTS, consent=1.0) as city:
        ahead = chosen.first
        while ahead < chosen.first + chosen.rounds:
            ahead = _one_town(chosen, folder / f"from-{ahead}", city, ahead, report)
    if not report.kept and not chosen.folder:
        shutil.rmtree(folder, ignore_errors=True)
    _print(chosen, report, time.monotonic() - began)
    return 1 if report.faults else 0


def _one_town(
    chosen: argparse.Namespace, folder: Path, city: City, first: int, report: Report
) -> int:
    """Play in one town until all is played or a round fails; return the next round's number."""
    options = Options(
        seed=chosen.seed, only=frozenset(chosen.only), bound_seconds=chosen.bound_seconds
    )
    disks = os.environ.get(_OWN_MOUNTS) is not None
    number, failed = first, False
    with contextlib.ExitStack() as stack:
        ground = stack.enter_context(
            playground(
                folder,
                city,
                postgresql_state=chosen.state == "postgresql",
                postgresql_target=chosen.target == "postgresql",
                disks=disks,
            )
        )
        if first == chosen.first and not chosen.json:
            _introduce(possible(ground))
        rounds = Rounds(ground, options)
        stack.callback(rounds.close)
        while number < chosen.first + chosen.rounds and not failed:
            played = rounds.play(number)
            report.add(played)
            _show(chosen, played)
            failed = bool(played.faults)
            number += 1
        report.deaths += ground.keeper.deaths
        # The last word has the program of its own, over the whole history of this town.
        report.faults += _judged(rounds.description)
        if failed:
            again = f"python -m {_PROGRAM} --seed {chosen.seed} --first {number - 1} --rounds 1"
            again += f" --state {chosen.state} --target {chosen.target}"
            print(f"again: {again}\nkept:  {folder}", file=sys.stderr)  # noqa: T201
            report.kept.append(str(folder))
            _keep(ground.small_disks, folder)
    return number


def _judged(description: Path) -> list[Fault]:
    command = [sys.executable, "-m", "kumobashi.testing.faults.check", str(description), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode not in {0, 1}:
        return [Fault("history", "the checker", done.stderr.strip()[-200:])]
    return [Fault(**fault) for fault in json.loads(done.stdout)["faults"]]


def _keep(small_disks: frozenset[str], folder: Path) -> None:
    """Copy what lies on disks that end with this process."""
    for site in small_disks:
        where = folder / "w" / "var" / site
        shutil.copytree(where, folder / f"var-{site}", dirs_exist_ok=True)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m {_PROGRAM}",
        epilog=f"example: python -m {_PROGRAM} --rounds 100 --seed 7 --only F1,F14",
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--first", type=int, default=1, help="number of the first round")
    parser.add_argument("--state", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--target", choices=["duckdb", "postgresql"], default="duckdb",
                        help="where the receiver's tables stand")  # fmt: skip
    parser.add_argument("--only", type=lambda text: text.upper().split(","), default=[],
                        help="faults to inject, as in F5,F9")  # fmt: skip
    parser.add_argument("--bound-seconds", type=float, default=60.0, help="from healing to rest")
    parser.add_argument("--folder", type=Path, help="where to play; kept afterwards")
    parser.add_argument("--json", action="store_true", help="for machines")
    return parser.parse_args(arguments)


def _refusal(chosen: argparse.Namespace) -> str:
    """Return why it cannot be played like this here; empty when it can."""
    if chosen.rounds < 1 or chosen.first < 1:
        return "--rounds and --first: at least 1"
    if "postgresql" in {chosen.state, chosen.target} and not has("postgresql"):
        return missing()["postgresql"]
    return ""


def _in_own_mounts() -> None:
    """Go on in a mount namespace of our own: small disks there end with us."""
    os.environ[_OWN_MOUNTS] = "1"
    command = ["unshare", "-m", sys.executable, "-m", _PROGRAM, *sys.argv[1:]]
    os.execvp(command[0], command)  # noqa: S606 - our own words


def _introduce(faults: Sequence[str]) -> None:
    print(f"faults: {', '.join(faults)}")  # noqa: T201
    for name, why in missing().items():
        if why:
            print(f"not here: {name} ({why})")  # noqa: T201


def _show(chosen: argparse.Namespace, played: Played) -> None:
    if chosen.json:
        return
    deeds = "; ".join(f"{deed.fault} {deed.what}" for deed in played.deeds)
    verdict = "" if not played.faults else "  FAILED"
    print(f"{played.number:4}  rest after {played.seconds:4.1f} s  {deeds}{verdict}", flush=True)  # noqa: T201
    for fault in played.faults[:10]:
        print(f"      {fault.kind}: {fault.who} {fault.seen}")  # noqa: T201


def _print(chosen: argparse.Namespace, report: Report, seconds: float) -> None:
    last = line(report.rounds, report.faults)
    if not chosen.json:
        middle, most = _times(report.recovery)
        injected = sum(report.injected.values())
        print(  # noqa: T201
            f"injected {injected} ({_counted(report.injected)}), kills {report.deaths};"
            f" from healing to rest: median {middle:.1f} s, 99 of 100 {most:.1f} s,"
            f" longest {max(report.recovery):.1f} s; {seconds:.0f} s in all"
        )
        print(last)  # noqa: T201
        return
    said: dict[str, Any] = {
        "line": last,
        "rounds": report.rounds,
        "seed": chosen.seed,
        "state": chosen.state,
        "target": chosen.target,
        "injected": dict(report.injected),
        "not_here": {name: why for name, why in missing().items() if why},
        "recovery_seconds": [round(each, 2) for each in report.recovery],
        "seconds": round(seconds, 1),
        "faults": [asdict(fault) for fault in report.faults],
        "kept": report.kept,
    }
    print(json.dumps(said, ensure_ascii=False))  # noqa: T201


def _times(recovery: Sequence[float]) -> tuple[float, float]:
    several = [*recovery, *recovery]
    hundredths = quantiles(several, n=100)
    return hundredths[49], hundredths[98]


def _counted(injected: Counter[str]) -> str:
    ordered = sorted(injected.items(), key=lambda pair: int(pair[0][1:]))
    return ", ".join(f"{fault} {count}" for fault, count in ordered)


if __name__ == "__main__":
    sys.exit(main())
