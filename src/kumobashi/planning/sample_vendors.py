"""Two vendors' clouds beside the sample: 収納 → 滞納 → 財務会計, where the last one may move.

Figure 5-3 of the reports: collection, arrears and finance at different vendors; when finance moves
from vendor A to vendor B, nobody else notices. Finance gets totals and the payees of refunds.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from kumobashi.planning.sampling import copy_texts, make_keys, set_port

VENDOR_PORTS: Final[Mapping[str, int]] = {"vendor-a": 8744, "vendor-b": 8745}
ACCOUNT_PORTS: Final[Mapping[str, int]] = {"vendor-a": 8761, "vendor-b": 8762}
_TABLES = ("information_kinds.csv", "who_may.csv")


def add_vendors(
    folder: Path, *, ports: Mapping[str, int], accounts: Mapping[str, int] | None = None
) -> None:
    """Add both vendors' sites, their keys, and finance at vendor A to a sample workspace.

    Gateways listen on ``ports`` by site, the finance system at each on ``accounts``. Publish the
    directory and have the links approved afterwards.
    """
    source = files("kumobashi.planning") / "sample_vendors"
    kept = {name: (folder / "policy" / name).read_bytes() for name in _TABLES}
    copy_texts(source, folder)
    for name, before in kept.items():
        path = folder / "policy" / name
        path.write_bytes(before + path.read_bytes())
    for site, port in VENDOR_PORTS.items():
        file = folder / "sites" / f"{site}.yaml"
        set_port(file, port, ports[site])
        set_port(file, ACCOUNT_PORTS[site], (accounts or ACCOUNT_PORTS)[site])
        make_keys(folder, site)
    relay = folder / "sites" / "asp-relay.yaml"
    lines = "".join(f"  - {{site: {site}, by: lgwan}}\n" for site in VENDOR_PORTS)
    text = relay.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^connects_to:\n", lambda found: found[0] + lines, text, count=1)
    relay.write_text(text, encoding="utf-8", newline="\n")
