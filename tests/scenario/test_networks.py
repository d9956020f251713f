"""Rounds in a network namespace of their own, whose packets are lost or slow: not only connections.

Needs root, `unshare` and `tc` or `nft`; where one is missing, its tests are skipped and say so.
"""

import subprocess
import sys

import pytest

from kumobashi.testing.faults.facilities import has, missing

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.slow,
    pytest.mark.faults,
    pytest.mark.skipif(not has("netns"), reason=missing()["netns"] or "netns"),
]
LINE = "rounds 2: lost 0, duplicated 0, unfinished 0, undetected 0"


def play_in(network: str) -> str:
    """Play two rounds where ``network``, a shell command, has been done to the loopback device."""
    program = f"{sys.executable} -m kumobashi.testing.faults.run --rounds 2 --seed 9 --only F1,F2"
    done = subprocess.run(
        ["unshare", "-n", "sh", "-ec", f"ip link set lo up; {network}; exec {program}"],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.skipif(not has("tc"), reason=missing()["tc"] or "tc")
@pytest.mark.parametrize("rate", ["512kbit", "4mbit"])
def test_a_line_that_is_slow_for_every_byte(rate: str) -> None:
    assert play_in(f"tc qdisc add dev lo root tbf rate {rate} burst 16k latency 2s") == LINE


@pytest.mark.skipif(not has("nft"), reason=missing()["nft"] or "nft")
@pytest.mark.parametrize("lost", [1, 10, 30])
def test_packets_that_are_lost(lost: int) -> None:
    rules = (
        "nft add table inet f;"
        " nft 'add chain inet f in { type filter hook input priority 0; }';"
        f" nft 'add rule inet f in numgen random mod 100 < {lost} drop'"
    )
    assert play_in(rules) == LINE
