"""The allow list as others need it: a table for the application form, and nftables for a device.

nftables: everything that is forwarded is dropped, but what a rule names. A firewall or L3 switch
follows connections; an L2 switch sees frames, so there both directions are written, and a frame
that would open a connection backwards is not let through.
"""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from ipaddress import ip_address
from typing import Final

from kumobashi.planning.errors import NetworkMixed, NetworkUnknown
from kumobashi.planning.net_rules import End, NetRule, NetRules

HEADINGS: Final = (
    "番号", "発信元", "発信元IPアドレス", "発信元MACアドレス", "発信元セグメント",
    "宛先", "宛先IPアドレス", "宛先MACアドレス", "宛先セグメント",
    "プロトコル", "宛先ポート", "方向", "回線", "制御する機器", "連携",
)  # fmt: skip
_KINDS: Final = {
    "firewall": "ファイアウォール",
    "l3_switch": "L3スイッチ",
    "l2_switch": "L2スイッチ",
}
_BLANK: Final = "【要記入】"


def rows(rules: Sequence[NetRule]) -> Iterator[tuple[str, ...]]:
    """Give the lines of the form, as its headings name them."""
    for number, rule in enumerate(rules, 1):
        a, b = rule.source, rule.target
        devices = [f"{end.device}（{_KINDS[end.device_kind]}）" for end in (a, b) if end.device]
        yield (
            str(number),
            *(a.name, a.ip or _BLANK, a.mac or _BLANK, a.segment or _BLANK),
            *(b.name, b.ip or _BLANK, b.mac or _BLANK, b.segment or _BLANK),
            rule.protocol,
            str(rule.port),
            f"{a.name} → {b.name}（片方向。応答は同じ接続）",
            rule.by,
            "、".join(dict.fromkeys(devices)) or _BLANK,
            "、".join(rule.links),
        )


def as_csv(found: NetRules) -> str:
    """Return the table for the application form."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    writer.writerows(rows(found.rules))
    return text.getvalue()


def devices(found: NetRules) -> tuple[str, ...]:
    """Return the devices that enforce the list."""
    ends = (end for rule in found.rules for end in (rule.source, rule.target))
    return tuple(dict.fromkeys(end.device for end in ends if end.device))


def as_nftables(found: NetRules, device: str) -> str:
    """Return the rules of one device.

    Raises:
        NetworkUnknown: an address is not written down; half a list would close what is needed.
        NetworkMixed: two ends that no packet can have.
    """
    if found.missing:
        raise NetworkUnknown(sites=", ".join(found.missing))
    for rule in found.rules:
        if _ip(rule.source) != _ip(rule.target):
            raise NetworkMixed(site=rule.source.site, other=rule.target.site)
    mine = [rule for rule in found.rules if device in {rule.source.device, rule.target.device}]
    kinds = {
        end.device_kind
        for rule in mine
        for end in (rule.source, rule.target)
        if end.device == device
    }
    is_bridge = kinds == {"l2_switch"}
    family = "bridge" if is_bridge else "inet"
    lines = [line for rule in mine for line in (_frames if is_bridge else _followed)(rule, device)]
    return "\n".join(
        (
            f"# {device}",
            f"table {family} kumobashi",
            f"delete table {family} kumobashi",
            f"table {family} kumobashi {{",
            "  chain forward {",
            "    type filter hook forward priority filter; policy drop;",
            *(["    ether type arp accept"] if is_bridge else []),
            *(f"    {line}" for line in lines),
            "  }",
            "}",
            "",
        )
    )


def _followed(rule: NetRule, device: str) -> Sequence[str]:
    """Return the lines of a device that follows connections."""
    a, b = rule.source, rule.target
    # A MAC address is seen on its own segment only.
    there = f"ether saddr {a.mac} " if a.device == device else ""
    back = f"ether saddr {b.mac} " if b.device == device else ""
    return (
        (
            f"{there}{_ip(a)} saddr {a.ip} {_ip(b)} daddr {b.ip} tcp dport {rule.port}"
            f" ct state new,established counter accept {_said(rule)}"
        ),
        (
            f"{back}{_ip(b)} saddr {b.ip} {_ip(a)} daddr {a.ip} tcp sport {rule.port}"
            f" ct state established counter accept {_said(rule)}"
        ),
    )


def _frames(rule: NetRule, device: str) -> Sequence[str]:
    """Return the lines of a switch: of the end on its segment the MAC, of both the IP."""
    a, b = rule.source, rule.target
    from_a = f"ether saddr {a.mac} " if a.device == device else ""
    to_b = f"ether daddr {b.mac} " if b.device == device else ""
    from_b = f"ether saddr {b.mac} " if b.device == device else ""
    to_a = f"ether daddr {a.mac} " if a.device == device else ""
    return (
        (
            f"{from_a}{to_b}{_ip(a)} saddr {a.ip} {_ip(b)} daddr {b.ip} tcp dport {rule.port}"
            f" counter accept {_said(rule)}"
        ),
        (
            f"{from_b}{to_a}{_ip(b)} saddr {b.ip} {_ip(a)} daddr {a.ip} tcp sport {rule.port}"
            f" tcp flags & (syn | ack) != syn counter accept {_said(rule)}"
        ),
    )


def _ip(end: End) -> str:
    return "ip6" if ip_address(end.ip).version == 6 else "ip"  # noqa: PLR2004 - IPv6


def _said(rule: NetRule) -> str:
    return f'comment "{rule.source.site} to {rule.target.site}"'
