"""Live many lives: ``python -m kumobashi.testing.simulation --lives 1000 --seed 1``."""

import argparse
import logging
import sys
import time
from collections.abc import Sequence

from kumobashi.testing.simulation.living import live
from kumobashi.testing.simulation.one_fault import KINDS, each_call


def main(arguments: Sequence[str] | None = None) -> int:
    """Live, print the seeds of lives that went wrong, and return 1 if there are any."""
    parser = argparse.ArgumentParser(prog="python -m kumobashi.testing.simulation")
    parser.add_argument("--lives", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="of the first life")
    parser.add_argument("--each-call", action="store_true",
                        help="let each call of a database fail once instead")  # fmt: skip
    chosen = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    if chosen.each_call:
        return _each_call(chosen.seed)
    began, deaths, steps, seconds, wrong = time.monotonic(), 0, 0, 0.0, 0
    for seed in range(chosen.seed, chosen.seed + chosen.lives):
        lived = live(seed)
        deaths, steps, seconds = (
            deaths + lived.deaths,
            steps + len(lived.trace),
            seconds + lived.seconds,
        )
        if lived.faults:
            wrong += 1
            print(f"seed {seed}: {'; '.join(lived.faults)}")  # noqa: T201
    print(  # noqa: T201
        f"lives {chosen.lives}: wrong {wrong}; {deaths} deaths in {steps} steps,"
        f" {seconds / 3600:.0f} simulated hours in {time.monotonic() - began:.0f} s"
    )
    return 1 if wrong else 0


def _each_call(seed: int) -> int:
    began, lives, wrong = time.monotonic(), 0, 0
    for kind in KINDS:
        for reads in (False, True):
            for faults in each_call(kind, reads=reads, seed=seed):
                lives, wrong = lives + 1, wrong + bool(faults)
                for fault in faults:
                    print(fault)  # noqa: T201
    print(f"calls {lives}: wrong {wrong}; {time.monotonic() - began:.0f} s")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
