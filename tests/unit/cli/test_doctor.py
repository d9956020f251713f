"""What the doctor finds: each ailment made on purpose, with real sockets and certificates."""

import http.server
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from kumobashi import __version__
from kumobashi.cli.checkup import (
    clocks,
    examine,
    incidents,
    installation,
    keys,
    peers,
    room,
)
from kumobashi.cli.checkup.checks import Check, State
from kumobashi.cli.exits import Exit
from kumobashi.crypto import base64url
from kumobashi.crypto.keys import SigningKey
from kumobashi.exchange.migrating import migrate
from kumobashi.exchange.sql import receipts
from kumobashi.kernel import Clock, SystemClock
from kumobashi.kernel.clock import to_micros, to_wire
from kumobashi.papers.book import IncidentBook
from kumobashi.planning.publishing import publish_directory
from kumobashi.planning.sampling import write_sample
from kumobashi.storage.sqlite import SQLiteState
from tests.unit.cli.conftest import Kumobashi
from tests.unit.papers.incidents import LEAK, TENANT

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SITE = "hall-core"


class At(Clock):
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def looked_at(folder: Path, at: datetime | None = None) -> dict[str, list[Check]]:
    found: dict[str, list[Check]] = {}
    for check in examine(folder, At(at) if at else SystemClock()):
        found.setdefault(check.code, []).append(check)
    return found


# --- installation ---


def test_packages_other_than_tried_are_named_and_missing_ones_are_wrong() -> None:
    pins = {"duckdb": frozenset({"2.0.0"}), "numpy": frozenset({"2.4.6", "2.5.5"})}

    other = installation.packages(pins, {"duckdb": "1.9", "numpy": "2.5.5"}, frozenset({"duckdb"}))
    gone = installation.packages(pins, {"numpy": "2.5.5"}, frozenset({"duckdb", "numpy"}))
    same = installation.packages(pins, {"duckdb": "2.0.0", "x": "1"}, frozenset({"duckdb"}))

    assert (other.state, gone.state, same.state) == (State.CAUTION, State.WRONG, State.GOOD)
    assert other.said.en.endswith("duckdb 1.9 (2.0.0)")
    assert gone.said.en == "missing: duckdb"


def test_what_is_installed_here_is_what_the_lock_says() -> None:
    pins = installation.locked()

    assert len(pins) > 30
    assert pins["numpy"] > {"2.4.6"} or len(pins["numpy"]) == 1
    assert installation.needed() <= set(pins)


def test_a_folder_that_cannot_be_written_is_told_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "var").write_bytes(b"")

    found = installation.writing(tmp_path / "var")

    assert found.state is State.WRONG
    assert str(tmp_path / "var") in found.where


def test_the_trial_of_writing_leaves_nothing_behind(tmp_path: Path) -> None:
    found = installation.writing(tmp_path / "var")

    assert found.state in {State.GOOD, State.CAUTION}
    assert "ms a commit" in found.said.en
    assert not list((tmp_path / "var").iterdir())


# --- the workspace, keys and what is signed ---


def test_a_broken_workspace_is_one_finding_and_the_rest_is_looked_at(workspace: Path) -> None:
    path = workspace / "sites" / "asp-relay.yaml"
    path.write_text(path.read_text("utf-8").replace("zone:", "zonne:"), encoding="utf-8")

    found = looked_at(workspace)

    assert found["doctor.workspace"][0].state is State.WRONG
    assert "sites/asp-relay.yaml:" in found["doctor.workspace"][0].where
    assert found["doctor.key_modes"][0].state is State.GOOD
    assert found["doctor.directory"][0].state is State.GOOD
    assert "doctor.disk" in found


def test_a_key_that_the_directory_does_not_know_is_found(workspace: Path) -> None:
    key = workspace / "private" / SITE / "sign.key"
    key.unlink()
    SigningKey.generate().save(key)

    found = looked_at(workspace)

    assert [check.where for check in found["doctor.keys_unpublished"]] == [str(key.parent)]
    publish_directory(workspace, now=SystemClock().now())
    assert "doctor.keys_unpublished" not in looked_at(workspace)


def test_a_spoilt_key_is_told_without_its_content(workspace: Path) -> None:
    key = workspace / "private" / SITE / "seal.key"
    key.write_text("AGE-SECRET-KEY-1HUNTER2\n", encoding="ascii")

    wrong = [check for check in looked_at(workspace)["doctor.keys"] if check.state is State.WRONG]

    assert len(wrong) == 1
    assert "HUNTER2" not in repr(wrong)


@pytest.mark.parametrize(
    ("days", "state"), [(0, State.GOOD), (80, State.CAUTION), (91, State.WRONG)]
)
def test_the_directory_is_judged_by_its_end(workspace: Path, days: int, state: State) -> None:
    at = SystemClock().now() + timedelta(days=days)

    assert keys.directory(workspace, at).check.state is state


def test_a_forged_directory_is_wrong_and_its_keys_are_not_believed(workspace: Path) -> None:
    path = workspace / "directory.jws"
    text = path.read_text("ascii")
    path.write_text(text[:-2] + ("A" if text[-2] != "A" else "B") + text[-1], encoding="ascii")

    held = keys.directory(workspace, SystemClock().now())

    assert held.check.state is State.WRONG
    assert held.directory is None


def test_a_clock_behind_what_was_signed_is_wrong(workspace: Path) -> None:
    found = looked_at(workspace, SystemClock().now() - timedelta(hours=9))

    assert found["doctor.clock_own"][0].state is State.WRONG


# --- room ---


@pytest.mark.parametrize(
    ("free", "entries", "need", "state"),
    [
        (100 << 30, None, 1 << 30, State.GOOD),
        (5 << 30, 10**6, 1 << 30, State.CAUTION),
        (3 << 30, 10**6, (1 << 30) + 1, State.WRONG),
        (100 << 30, 9_999, 0, State.WRONG),
        (0, 0, 0, State.WRONG),
    ],
)
def test_a_disk_is_judged_by_what_a_night_needs(
    free: int, entries: int | None, need: int, state: State
) -> None:
    assert room.disk(room.Room(free=free, entries=entries), need=need, where=".").state is state


def test_a_port_that_another_program_has_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
        taken = room.port(SITE, url)

    assert taken
    assert taken.code == "doctor.port"
    assert room.port(SITE, url) is None


# --- peers, over real sockets ---


@contextmanager
def answering(
    body: bytes, *, status: int = 200, tls: ssl.SSLContext | None = None, date: str | None = None
) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(status)
            self.send_header("Date", date or self.date_time_string())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    class Quiet(http.server.ThreadingHTTPServer):
        def handle_error(self, *_arguments: object) -> None:
            """A caller that does not trust us hangs up."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def speaking(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server of one call that does what ``talk`` does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line:
                try:
                    talk(line)
                except OSError:
                    return

        threading.Thread(target=run, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def healthy(site: str = SITE, version: str = __version__, **more: str) -> bytes:
    return json.dumps({"status": "ok", "site": site, "version": version, **more}).encode()


def asked(url: str, seconds: float = 5.0) -> Check:
    return peers.judged(SITE, url, peers.ask(url, seconds), NOW, is_here=True)


def test_a_gateway_that_answers_is_good() -> None:
    with answering(healthy()) as url:
        assert asked(url).state is State.GOOD


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"<html>proxy</html>", 200, "doctor.peer_stranger"),
        (b"[]", 200, "doctor.peer_stranger"),
        (b'{"site": "hall-core"}', 200, "doctor.peer_stranger"),
        (healthy(), 502, "doctor.peer_stranger"),
        (healthy("asp-relay"), 200, "doctor.peer_other_site"),
        (healthy(version="0.0.1"), 200, "doctor.peer_version"),
    ],
)
def test_what_answers_otherwise_is_told_apart(body: bytes, status: int, code: str) -> None:
    with answering(body, status=status) as url:
        assert asked(url).code == code


def test_a_server_of_another_protocol_is_a_stranger() -> None:
    with speaking(lambda line: line.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")) as url:
        assert asked(url).code == "doctor.peer_stranger"


def test_nobody_there_is_refused_and_the_command_to_start_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

    found = asked(url)

    assert found.code == "doctor.peer_refused"
    assert found.remedy.en == f"Start it: kumobashi serve --site {SITE}"


def test_a_name_without_an_address_is_told() -> None:
    assert asked("http://gateway.invalid:8740").code == "doctor.peer_name"


def test_silence_and_one_byte_a_time_are_both_no_answer() -> None:
    def drip(line: socket.socket) -> None:
        end = threading.Event()
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200:
            line.sendall(bytes([byte]))
            end.wait(0.1)

    def hold(_line: socket.socket) -> None:
        threading.Event().wait(5)

    with speaking(hold) as mute:
        assert asked(mute, 0.3).code == "doctor.peer_silent"
    with speaking(drip) as slow:
        began = datetime.now(UTC)
        ((_, reply),) = peers.ask_all({SITE: slow}, 0.5).replies()

    assert reply == peers.Silence(peers.Reason.SILENT)
    assert datetime.now(UTC) - began < timedelta(seconds=4)


@pytest.fixture
def certified(tmp_path: Path) -> Callable[[timedelta], tuple[ssl.SSLContext, Path]]:
    """A server's TLS with a certificate of its own, and the file that vouches for it."""

    def make(valid: timedelta) -> tuple[ssl.SSLContext, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "架空市 gateway")])
        now = datetime.now(UTC)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=400))
            .not_valid_after(now + valid)
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        (tmp_path / "ca.pem").write_bytes(pem)
        (tmp_path / "both.pem").write_bytes(
            pem
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "both.pem")
        return context, tmp_path / "ca.pem"

    return make


@pytest.mark.parametrize(
    ("days", "is_known", "code"),
    [
        (365, True, "doctor.peer"),
        (10, True, "doctor.peer_certificate_ends"),
        (-1, True, "doctor.peer_certificate"),
        (365, False, "doctor.peer_certificate"),
    ],
)
def test_certificates_are_judged_by_trust_and_end(
    certified: Callable[[timedelta], tuple[ssl.SSLContext, Path]],
    monkeypatch: pytest.MonkeyPatch,
    days: int,
    is_known: bool,
    code: str,
) -> None:
    tls, authority = certified(timedelta(days=days))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    if is_known:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    with answering(healthy(), tls=tls) as url:
        reply = peers.ask(url)
        found = peers.judged(SITE, url, reply, datetime.now(UTC), is_here=False)

    assert found.code == code


def test_plain_speech_at_a_tls_port_and_tls_at_a_plain_one_are_told(
    certified: Callable[[timedelta], tuple[ssl.SSLContext, Path]],
) -> None:
    tls, _ = certified(timedelta(days=365))

    with answering(healthy()) as url:
        assert asked(url.replace("http:", "https:")).code == "doctor.peer_tls"
    with answering(healthy(), tls=tls) as url:
        assert asked(url.replace("https:", "http:")).code == "doctor.peer_stranger"


# --- clocks ---


@given(
    offset=st.timedeltas(timedelta(days=-400), timedelta(days=400)),
    before=st.timedeltas(timedelta(0), timedelta(seconds=5)),
    after=st.timedeltas(timedelta(0), timedelta(seconds=5)),
)
def test_a_reading_never_says_more_than_is_proven(
    offset: timedelta, before: timedelta, after: timedelta
) -> None:
    sent, received = NOW, NOW + before + after
    there = NOW + before + offset  # read off between the two

    reading = clocks.Reading(low=there - received, high=there - sent)

    assert reading.low <= offset <= reading.high
    assert abs(reading.proven) <= abs(offset)
    assert abs(offset) - abs(reading.proven) <= before + after


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0.9, State.GOOD), (1.5, State.CAUTION), (-1.5, State.CAUTION), (6, State.WRONG)],
)
def test_a_clock_is_told_from_one_second_and_wrong_from_five(seconds: float, state: State) -> None:
    apart = timedelta(seconds=seconds)

    assert clocks.of_peer(SITE, "", clocks.Reading(apart, apart)).state is state


def test_the_date_of_a_gateway_of_before_counts_to_its_seconds() -> None:
    with answering(healthy(), date="Sun, 22 Nov 2020 03:00:00 GMT") as url:
        late = peers.ask(url)
    with answering(healthy()) as url:
        right = peers.ask(url)
    with answering(healthy(), date="yesterday") as url:
        unknown = peers.ask(url)

    assert isinstance(late, peers.Answer)
    assert isinstance(right, peers.Answer)
    assert isinstance(unknown, peers.Answer)
    assert clocks.of_peer(SITE, "", late.clock).state is State.WRONG
    assert clocks.of_peer(SITE, "", right.clock).state is State.GOOD
    assert clocks.of_peer(SITE, "", unknown.clock).code == "doctor.clock_unknown"


@pytest.mark.parametrize(("seconds", "state"), [(-3600, State.GOOD), (8, State.WRONG)])
def test_receipts_that_were_signed_after_they_came_tell_a_clock(
    tmp_path: Path, seconds: int, state: State
) -> None:
    had = SystemClock().now()
    payload = json.dumps({"site": "public-cloud", "at": to_wire(had + timedelta(seconds=seconds))})
    jws = f"e30.{base64url.encode(payload.encode())}.c2ln"
    store = SQLiteState(tmp_path / "var" / SITE / "state.db", owner=SITE)
    migrate(store)
    row = {"tenant": "999997", "transfer": "t", "attempt": 1, "side": "out", "number": 0}
    row |= {"stage": "delivered", "jws": jws, "at": to_micros(had)}
    store.write(lambda connection: connection.execute(sa.insert(receipts).values(**row)))

    while_open = list(clocks.of_receipts(tmp_path, [SITE]))
    store.close()
    while_shut = list(clocks.of_receipts(tmp_path, [SITE]))

    assert [check.state for check in while_open] == [state]
    assert while_open == while_shut
    assert not list(clocks.of_receipts(tmp_path, ["asp-relay"]))


def test_another_program_at_the_port_of_this_site_is_told(tmp_path: Path) -> None:
    with answering(b"<html>another</html>") as url:
        folder = write_sample(tmp_path / "city", ports={SITE: int(url.rpartition(":")[2])})
        found = looked_at(folder)

    assert found["doctor.peer_stranger"][0].where == url
    assert found["doctor.port"][0].state is State.WRONG


# --- the command ---


def test_outside_a_workspace_the_installation_is_looked_at(
    kumobashi: Kumobashi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = kumobashi("doctor")

    assert done.exit_code == Exit.OK
    assert "△ 連携設定" in done.stdout
    assert kumobashi("doctor", "--workspace", tmp_path / "none").exit_code == Exit.USAGE


def test_both_languages_say_where_what_was_expected_and_what_to_do(
    kumobashi: Kumobashi, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        folder = write_sample(tmp_path / "city", ports={SITE: taken.getsockname()[1]})
        taken.close()
        ja = json.loads(kumobashi("doctor", "--json", "--workspace", folder).stdout)
        en = json.loads(kumobashi("doctor", "--json", "--lang", "en", "--workspace", folder).stdout)

    assert [check["code"] for check in ja] == [check["code"] for check in en]
    for check in (*ja, *en):
        if check["state"] != "good":
            assert check["said"]
            assert check["where"]
            assert check["remedy"]


# --- incidents ---


def test_an_incident_is_told_when_a_report_is_near_and_when_it_is_late(tmp_path: Path) -> None:
    state = tmp_path / "var" / SITE / "state.db"
    state.parent.mkdir(parents=True)
    store = SQLiteState(state, owner=SITE)
    migrate(store)
    book = IncidentBook(store, tenant=TENANT, clock=At(NOW))
    found = book.open(LEAK, by="operator")

    def told(days: int) -> list[tuple[str, State]]:
        at = LEAK.noticed + timedelta(days=days)
        return [(one.code, one.state) for one in incidents.of_sites(tmp_path, [SITE], at)]

    assert told(0) == []
    assert told(2) == [("doctor.incident_due", State.CAUTION)]  # while the store is open
    store.close()
    assert told(5) == [("doctor.incident_overdue", State.WRONG)]
    store = SQLiteState(state, owner=SITE)
    book = IncidentBook(store, tenant=TENANT, clock=At(NOW))
    book.file(found.incident, "prompt", NOW, by="operator")
    assert told(5) == []
    assert told(31) == [("doctor.incident_overdue", State.WRONG)]
    book.file(found.incident, "final", NOW, by="operator")
    store.close()
    assert told(31) == []
    assert list(incidents.of_sites(tmp_path, ["asp-relay"], NOW)) == []


def test_an_incident_that_somebody_broke_is_wrong(tmp_path: Path) -> None:
    state = tmp_path / "var" / SITE / "state.db"
    state.parent.mkdir(parents=True)
    store = SQLiteState(state, owner=SITE)
    migrate(store)
    IncidentBook(store, tenant=TENANT, clock=At(NOW)).open(LEAK, by="operator")
    store.write(
        lambda connection: connection.exec_driver_sql(
            "insert into incident_revisions select tenant, incident, 2, hash, x'00'"
            " from incident_revisions"
        )
    )
    store.write(lambda connection: connection.exec_driver_sql("update incidents set revisions = 2"))
    store.close()
    (check,) = incidents.of_sites(tmp_path, [SITE], NOW)
    assert (check.code, check.state) == ("doctor.incident_touched", State.WRONG)
