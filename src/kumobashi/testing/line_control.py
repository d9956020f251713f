"""A fault proxy as a program: faults come over a UNIX socket, one JSON object a line.

{"kind": "reset", "at": 1024, "times": 3}   → {"struck": 0}   the fault holds from here
{}                                          → {"struck": 2}   how many connections met it
"""

import argparse
import asyncio
import json
import threading
from collections.abc import Sequence
from pathlib import Path

from kumobashi.testing.fault_proxy import Fault, FaultProxy, Kind
from kumobashi.testing.wire_log import WireLog


def fault_of(said: dict[str, object]) -> Fault | None:
    """Return the fault that a line asks for; none when it only asks.

    >>> fault_of({"kind": "reset", "at": 1024, "times": 3})
    Fault(kind=<Kind.RESET: 'reset'>, at=1024, times=3)
    >>> fault_of({}) is None
    True
    """
    if "kind" not in said:
        return None
    at, times = int(str(said.get("at", 0))), int(str(said.get("times", 1)))
    return Fault(Kind(str(said["kind"])), at, times)


async def control(proxy: FaultProxy, path: Path) -> asyncio.Server:
    """Listen for faults at ``path``."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while text := await reader.readline():
            try:
                fault = fault_of(json.loads(text))
                if fault:
                    proxy.change(fault)
                answer: dict[str, object] = {"struck": proxy.struck}
            except (ValueError, AttributeError) as error:
                answer = {"error": str(error)}
            writer.write(json.dumps(answer).encode("ascii") + b"\n")
            await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(talk, path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m kumobashi.testing.line_control")
    parser.add_argument("port", type=int)
    parser.add_argument("to_port", type=int)
    parser.add_argument("--control", type=Path, required=True, help="path of the UNIX socket")
    parser.add_argument("--wire-log", type=Path, help="JSON lines of what passed")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    proxy = FaultProxy(
        chosen.port, chosen.to_port, log=WireLog(chosen.wire_log, "line"), seed=chosen.seed
    )

    async def run() -> None:
        server = await control(proxy, chosen.control)
        async with server:
            await proxy.serve(threading.Event(), asyncio.Event())

    asyncio.run(run())


if __name__ == "__main__":
    main()
