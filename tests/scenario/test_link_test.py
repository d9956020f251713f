"""``kumobashi link test`` with real gateways: both kinds of links, what stops, and the record."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kumobashi.testing.city import build
from kumobashi.testing.commands import command
from kumobashi.testing.town import SITES, Town
from kumobashi.testing.vendors import Collection, Json, running

pytestmark = [pytest.mark.slow, pytest.mark.scenario]
BULK, ONLINE = "vaccination-reminders", "arrears-payments"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with ExitStack() as stack:
        collection = stack.enter_context(running(Collection))

        def change(folder: Path) -> None:
            file = folder / "systems/collection.yaml"
            text = file.read_text("utf-8").replace(":8751/", f":{collection.port}/")
            file.write_text(text, encoding="utf-8")

        city = stack.enter_context(build(60))
        folder = tmp_path_factory.mktemp("link-test") / "city"
        town = stack.enter_context(Town.found(folder, city, change=change))
        for process in [town.start(site, wait=False) for site in SITES]:
            process.wait_ready()
        yield town
        assert collection.asked == []  # the system is reached, and asked nothing


def tried(town: Town, link: str, *more: str) -> tuple[int, Json]:
    """Test a link as a person does; return the exit code and what was said."""
    done = command("link", "test", link, "--by", "試験", "--json", *more, folder=town.folder)
    return done.exit_code, json.loads(done.output)


def stages(said: Json) -> dict[str, str]:
    return {step["stage"]: step["outcome"] for step in said["record"]["steps"]}


@pytest.mark.parametrize("link", [BULK, ONLINE])
def test_a_link_that_works_is_signed_by_both_sides(town: Town, link: str) -> None:
    code, said = tried(town, link)

    assert (code, said["passed"]) == (0, True), said["record"]["steps"]
    assert "failed" not in stages(said).values()
    assert set(said["signatures"]) == {"asking", "answering"}
    file = Path(said["file"])
    assert file.parent == town.folder / "link-tests"
    kept = command("link", "verify-test", str(file), folder=town.folder)
    assert kept.exit_code == 0, kept.output
    assert "すべて通りました" in kept.output

    forged = json.loads(file.read_text("utf-8"))
    forged["record"]["by"] = "別の人"
    file.write_text(json.dumps(forged), encoding="utf-8")
    found = command("link", "verify-test", str(file), "--json", folder=town.folder)
    assert found.exit_code != 0
    assert json.loads(found.output)["error"]["code"] == "link_test.record_unfit"


def test_an_online_link_whose_test_system_is_away_passes_and_says_so(town: Town) -> None:
    _, said = tried(town, ONLINE)

    step = next(step for step in said["record"]["steps"] if step["stage"] == "system")
    assert step["outcome"] == "warned"
    assert "断られました" in step["ja"]


def test_the_proof_of_every_step_is_in_both_evidence_logs(town: Town) -> None:
    _, said = tried(town, BULK)

    for site in ("hall-core", said["record"]["answering_site"]):
        lines = b"".join(
            p.read_bytes() for p in (town.folder / f"var/{site}/calls").glob("*.jsonl")
        )
        for call in said["record"]["calls"]:
            assert lines.count(call.encode()) >= 2  # asked and answered


def test_a_relay_that_is_down_is_named_and_nothing_after_it_is_tried(town: Town) -> None:
    relay, end = said_way(town)
    town.running[relay].kill()
    try:
        code, said = tried(town, BULK)
        shown = command("link", "test", BULK, folder=town.folder)
    finally:
        town.start(relay)

    assert code == 2
    assert not said["passed"]
    failed = next(step for step in said["record"]["steps"] if step["outcome"] == "failed")
    assert (failed["stage"], failed["site"], failed["code"]) == ("way", relay, "call.peer_away")
    assert set(said["signatures"]) == {"asking"}
    assert "ゲートウェイの間の回線" in shown.output
    assert relay in shown.output
    assert "段階は試していません" in shown.output
    assert tried(town, BULK)[0] == 0, end


def said_way(town: Town) -> tuple[str, str]:
    """Return the last relay on the way of the bulk link, and its end."""
    _, said = tried(town, BULK)
    way = said["record"]["way"]
    assert len(way) >= 4, way
    return way[-2], way[-1]


def test_a_link_that_nobody_approved_stops_at_this_side(town: Town) -> None:
    code, said = tried(town, "welfare-to-citizen-app")

    assert code == 2
    first = said["record"]["steps"][0]
    assert (first["stage"], first["outcome"], first["side"]) == ("plan", "failed", "asking_gateway")
    assert set(stages(said).values()) == {"failed", "not_run"}


def test_a_link_that_is_not_there_is_refused(town: Town) -> None:
    done = command("link", "test", "no-such-link", "--json", folder=town.folder)

    assert done.exit_code != 0
    assert json.loads(done.output)["error"]["code"] == "planning.link_unknown"
