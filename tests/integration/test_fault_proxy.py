"""The bad line does what its faults say, and writes down what passed."""

import base64
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kumobashi.testing.fault_proxy import ALWAYS, GOOD, Fault, FaultProxy, Kind, fault_proxy
from kumobashi.testing.faults.history import read_events
from kumobashi.testing.gateways import until
from kumobashi.testing.town import free_ports

JWS = ".".join(["eyJ" + "a" * 40, "b" * 60, "c" * 86])
BODY = b"0123456789" * 20
PATH = "/peer/v1/transfers/t/1/close"


class Seen(ThreadingHTTPServer):
    """A server that remembers the bodies it was given."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Answers)
        self.bodies: list[bytes] = []


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Seen

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies.append(body)
        answer = json.dumps({"receipts": [JWS]}).encode()
        self.send_response(202)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as inherited
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the line was cut, as it should be
            self.close_connection = True


class Line:
    """A server, and the bad line before it."""

    def __init__(self, server: Seen, proxy: FaultProxy, log: Path) -> None:
        self.server, self.proxy, self.log = server, proxy, log

    def set(self, kind: Kind, at: int = 0, times: int = 1) -> None:
        self.proxy.set(Fault(kind, at, times))
        until("the fault is set", lambda: self.proxy.struck == 0 or None)
        time.sleep(0.05)

    def post(self, seconds: float = 2.0) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=seconds)
        try:
            connection.request("POST", PATH, BODY)
            with connection.getresponse() as answer:
                return answer.status, answer.read()
        finally:
            connection.close()

    def fails(self, seconds: float = 1.0) -> bool:
        try:
            self.post(seconds)
        except (OSError, http.client.HTTPException):
            return True
        return False

    def seen(self, count: int) -> None:
        until(f"{count} requests", lambda: len(self.server.bodies) == count or None, 5)
        time.sleep(0.1)
        assert len(self.server.bodies) == count


@contextmanager
def serving(port: int) -> Iterator[Seen]:
    server = Seen(port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    near, far = free_ports(2)
    log = tmp_path / "wire.jsonl"
    with serving(far) as server, fault_proxy(near, far, wire_log=log, name="a", seed=1) as proxy:
        yield Line(server, proxy, log)


def test_a_good_line_passes_and_is_written_down(line: Line) -> None:
    assert line.post()[0] == 202
    assert line.post()[0] == 202

    events = read_events(line.log)
    assert [event["request"] for event in events if event["direction"] == "request"] == [
        f"POST {PATH}"
    ] * 2
    replies = [event for event in events if event["direction"] == "reply"]
    # A reply may come in several pieces; only the first has its status.
    assert [status for event in replies for status in event["status"]] == [202, 202]
    assert [token for event in replies for token in event["receipts"]] == [JWS]  # once


@pytest.mark.parametrize("copies", [1, 3, 5])
def test_a_duplicate_arrives_as_often_as_said_and_is_answered_once(line: Line, copies: int) -> None:
    line.set(Kind.DUPLICATE, copies)

    assert line.post()[0] == 202

    line.seen(1 + copies)
    assert set(line.server.bodies) == {BODY}


def test_a_late_request_arrives_after_its_caller_gave_up(line: Line) -> None:
    line.set(Kind.LATE, 400)

    assert line.fails()

    assert line.server.bodies == []
    line.set(Kind.PASS)  # healing does not take it back
    line.seen(1)


@pytest.mark.parametrize(
    ("kind", "at", "arrives"),
    [
        (Kind.PARTITION, 0, 0),
        (Kind.HANG, 0, 0),
        (Kind.DROP_REQUESTS, 0, 0),
        (Kind.RESET, 150, 0),
        (Kind.DROP_REPLIES, 0, 1),
        (Kind.TRUNCATE, 30, 1),
        (Kind.WRONG_LENGTH, 9, 1),
    ],
)
def test_a_cut_is_a_failure_and_arrived_or_not_as_said(
    line: Line, kind: Kind, at: int, arrives: int
) -> None:
    line.set(kind, at)

    assert line.fails()

    line.seen(arrives)
    assert line.proxy.struck == 1
    assert line.post()[0] == 202  # it was one connection only


def test_an_error_after_the_deed_and_one_instead_of_it(line: Line) -> None:
    line.set(Kind.ERROR_AFTER, 500)
    assert line.post()[0] == 500
    line.seen(1)

    line.set(Kind.STATUS, 504)
    assert line.post()[0] == 504
    line.seen(1)

    line.set(Kind.PAGE)
    assert line.post() == (200, b"<html>ok</html>")
    line.seen(1)


def test_flipped_bits_arrive_flipped(line: Line) -> None:
    line.set(Kind.FLIP_REPLY, 5)  # in "HTTP/1.1"
    assert line.fails()

    head = len(f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{line.proxy.port}\r\n")
    line.set(Kind.FLIP, head + 160)
    assert line.post()[0] == 202
    (_, altered) = line.server.bodies
    assert sum(a != b for a, b in zip(altered, BODY, strict=True)) == 1


def test_a_lossy_line_loses_about_what_was_said(line: Line) -> None:
    line.set(Kind.LOSSY, 30, ALWAYS)

    lost = sum(line.fails() for _ in range(60))

    assert 6 < lost < 32


@pytest.mark.parametrize(("kind", "at"), [(Kind.DELAY, 150), (Kind.TRICKLE, 20)])
def test_a_slow_line_is_slow_and_right(line: Line, kind: Kind, at: int) -> None:
    line.set(kind, at)
    began = time.monotonic()

    status, answer = line.post(10)

    assert time.monotonic() - began > 0.1
    assert (status, json.loads(answer)) == (202, {"receipts": [JWS]})


def test_a_connection_is_cut_although_the_fault_changes_before_anything_is_carried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accept = FaultProxy._accept  # the moment cannot be met from outside

    async def accept_and_change(self: FaultProxy, *ends: Any) -> None:
        await accept(self, *ends)
        self.change(GOOD)  # what carries exists, and has not begun

    monkeypatch.setattr(FaultProxy, "_accept", accept_and_change)
    near, far = free_ports(2)
    with (
        serving(far),
        fault_proxy(near, far),
        suppress(ConnectionError),  # as early as the connection is made, at times
        socket.create_connection(("127.0.0.1", near), timeout=5) as caller,
    ):
        caller.sendall(b"x")
        assert caller.recv(1) == b""


def test_as_a_program_it_takes_its_faults_over_a_socket(tmp_path: Path) -> None:
    near, far = free_ports(2)
    control, log = tmp_path / "c.sock", tmp_path / "wire.jsonl"
    command = [sys.executable, "-m", "kumobashi.testing.line_control", str(near), str(far)]
    command += ["--control", str(control), "--wire-log", str(log)]
    with serving(far) as server, subprocess.Popen(command) as program:
        try:
            until("the socket", lambda: control.exists() or None, 30)
            with socket.socket(socket.AF_UNIX) as talking, talking.makefile("rw") as text:
                talking.connect(str(control))

                def say(what: dict[str, object]) -> dict[str, object]:
                    text.write(json.dumps(what) + "\n")
                    text.flush()
                    answer: dict[str, object] = json.loads(text.readline())
                    return answer

                assert say({"kind": "status", "at": 503, "times": 1}) == {"struck": 0}
                connection = http.client.HTTPConnection("127.0.0.1", near, timeout=5)
                connection.request("POST", PATH, BODY)
                assert connection.getresponse().status == 503
                connection.close()
                assert say({}) == {"struck": 1}
                assert "error" in say({"kind": "no such fault"})
            assert server.bodies == []
        finally:
            program.terminate()


def test_a_token_cut_in_two_by_the_line_is_still_heard(tmp_path: Path) -> None:
    from kumobashi.testing.wire_log import WireLog

    log = tmp_path / "wire.jsonl"
    ear = WireLog(log, "a").connection("pass")
    whole = json.dumps({"receipts": [JWS], "more": base64.b64encode(bytes(99)).decode()}).encode()

    ear.reply(whole[:70])
    ear.reply(whole[70:])

    assert [token for event in read_events(log) for token in event["receipts"]] == [JWS]
