"""The allow list: exactly what links need, for people and devices, and what was applied for."""

import csv
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kumobashi.planning.deciding import plan_of
from kumobashi.planning.errors import NetworkMixed, NetworkUnknown
from kumobashi.planning.net_allowed import (
    FILE,
    allowed,
    no_longer_needed,
    not_applied_for,
    write_allowed,
)
from kumobashi.planning.net_forms import HEADINGS, as_csv, as_nftables, devices
from kumobashi.planning.net_rules import NetRules, net_rules
from kumobashi.planning.publishing import publish_directory
from kumobashi.planning.sample_vendors import VENDOR_PORTS, add_vendors
from kumobashi.planning.sampling import write_sample
from kumobashi.planning.workspace import load

ON = date(2026, 11, 21)
DEVICES = {
    "hall-core": ("FW-01", "firewall"),
    "hall-exchange": ("FW-01", "firewall"),
    "asp-relay": ("SW-09", "l2_switch"),
    "public-cloud": ("SW-09", "l2_switch"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return _city(tmp_path / "city", "192.0.2.")


def _city(place: Path, network: str) -> Path:
    folder = write_sample(place)
    for number, (site, (device, kind)) in enumerate(DEVICES.items(), 10):
        ip = f"{network}{number}"
        with (folder / f"sites/{site}.yaml").open("a", encoding="utf-8") as file:
            file.write(
                f"network: {{ip: '{ip}', mac: 02-00-00-00-00-{number}, segment: 区画{number},"
                f" device: {{name: {device}, kind: {kind}}}}}\n"
            )
    publish_directory(folder, now=datetime.now(UTC))
    return folder


def _rules(folder: Path) -> NetRules:
    return net_rules(load(folder))


def test_every_connection_that_links_use_stands_there_once_and_no_other(folder: Path) -> None:
    found = _rules(folder)

    ends = [(rule.source.site, rule.target.site, rule.port) for rule in found.rules]
    assert sorted(ends) == [
        ("asp-relay", "public-cloud", 8743),
        ("hall-core", "hall-exchange", 8741),
        ("hall-exchange", "asp-relay", 8742),
    ]
    assert all("notice-attributes" in rule.links for rule in found.rules)
    assert not any("arrears-payments" in rule.links for rule in found.rules)  # within one site
    assert (found.unused, found.missing) == ((), ())


def test_a_call_that_is_fetched_needs_what_the_fetching_side_opens(folder: Path) -> None:
    add_vendors(folder, ports=VENDOR_PORTS)
    found = _rules(folder)

    ends = {(rule.source.site, rule.target.site): rule.links for rule in found.rules}
    assert set(ends["asp-relay", "vendor-a"]) == {"arrears-finance", "finance-collection"}
    assert ("vendor-a", "asp-relay") not in ends  # nobody in the cloud opens anything
    assert found.unused == (("asp-relay", "vendor-b"),)
    assert found.missing == ("vendor-a",)


def test_the_form_names_both_ends_in_full(folder: Path) -> None:
    head, *lines = csv.reader(as_csv(_rules(folder)).splitlines())

    assert tuple(head) == HEADINGS
    first = dict(zip(head, next(line for line in lines if "庁内 基幹系" in line[1]), strict=True))
    assert first["発信元IPアドレス"] == "192.0.2.10"
    assert first["発信元MACアドレス"] == "02:00:00:00:00:10"
    assert first["宛先セグメント"] == "区画11"
    assert (first["プロトコル"], first["宛先ポート"]) == ("TCP", "8741")
    assert first["制御する機器"] == "FW-01（ファイアウォール）"


def test_what_nobody_wrote_down_is_marked_and_no_device_is_told(folder: Path) -> None:
    file = folder / "sites/asp-relay.yaml"
    kept = [line for line in file.read_text("utf-8").splitlines() if "network:" not in line]
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")
    found = _rules(folder)

    assert "【要記入】" in as_csv(found)
    with pytest.raises(NetworkUnknown) as refused:
        as_nftables(found, "FW-01")
    assert "asp-relay" in refused.value.say("ja")


def test_a_firewall_follows_connections_and_drops_the_rest(folder: Path) -> None:
    text = as_nftables(_rules(folder), "FW-01")

    assert "policy drop;" in text
    assert (
        "ether saddr 02:00:00:00:00:10 ip saddr 192.0.2.10 ip daddr 192.0.2.11 tcp dport 8741"
        " ct state new,established counter accept" in text
    )
    assert (
        "ether saddr 02:00:00:00:00:11 ip saddr 192.0.2.11 ip daddr 192.0.2.10 tcp sport 8741"
        " ct state established counter accept" in text
    )
    assert "192.0.2.13" not in text  # that is the switch's
    # What lies beyond another device is known by its address alone.
    assert "ether saddr 02:00:00:00:00:12" not in text
    assert "ip saddr 192.0.2.12" in text


def test_a_switch_lets_nobody_open_backwards(folder: Path) -> None:
    text = as_nftables(_rules(folder), "SW-09")

    assert text.count("table bridge kumobashi") == 3
    assert "ip daddr 192.0.2.13 tcp dport 8743" in text
    back = [line for line in text.splitlines() if "tcp sport" in line]
    assert len(back) == 2
    assert all("tcp flags & (syn | ack) != syn" in line for line in back)


@pytest.mark.skipif(shutil.which("nft") is None, reason="the program nft is not here")
@pytest.mark.parametrize("network", ["192.0.2.", "2001:db8::"])
@pytest.mark.parametrize("device", ["FW-01", "SW-09"])
def test_nft_reads_it(tmp_path: Path, device: str, network: str) -> None:
    text = as_nftables(_rules(_city(tmp_path / "city", network)), device)
    done = subprocess.run(
        ["nft", "-c", "-f", "-"], input=text, text=True, capture_output=True, check=False
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("nft may not ask the kernel here")
    assert done.returncode == 0, done.stderr
    assert ("ip6 daddr" in text) == (network == "2001:db8::")


def test_two_versions_of_ip_on_one_connection_are_refused(folder: Path) -> None:
    file = folder / "sites/public-cloud.yaml"
    text = file.read_text("utf-8").replace("192.0.2.13", "2001:db8::13")
    file.write_text(text, encoding="utf-8")

    with pytest.raises(NetworkMixed) as refused:
        as_nftables(_rules(folder), "FW-01")

    assert "public-cloud" in refused.value.say("ja")


def test_all_devices_are_named(folder: Path) -> None:
    assert set(devices(_rules(folder))) == {"FW-01", "SW-09"}


def test_a_new_connection_is_told_by_the_plan_once_a_list_was_applied_for(folder: Path) -> None:
    directory = publish_directory(folder, now=datetime.now(UTC))

    def told() -> list[str]:
        decided = plan_of(load(folder), directory, "notice-attributes", on=ON)
        return [c.ja for c in decided.cautions if c.code == "planning.net_rule_needed"]

    assert told() == []  # nobody applied for anything
    write_allowed(folder, _rules(folder))
    assert told() == []
    assert (folder / FILE).read_bytes().startswith(b"\xef\xbb\xbf")  # for Excel
    assert len(allowed(folder) or ()) == 3
    file = folder / "sites/asp-relay.yaml"
    file.write_text(file.read_text("utf-8").replace("192.0.2.12", "192.0.2.99"), encoding="utf-8")

    assert len(told()) == 2  # into it and out of it
    found = _rules(folder)
    assert len(not_applied_for(folder, found.rules)) == 2
    assert len(no_longer_needed(folder, found)) == 2
