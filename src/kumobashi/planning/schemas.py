"""JSON Schemas of the files that people write, generated from the models that read them.

And of the receipts that residents take home, for whoever verifies one with other tools.

Editors show them while one types: every sample file names its schema in its first line. After a
change: ``python -m kumobashi.planning.schemas docs/reference/schemas``.
"""

import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from kumobashi.consent.receipts import ConsentReceipt
from kumobashi.consent.texts import ConsentText
from kumobashi.directory.alert_models import AlertsFile
from kumobashi.directory.models import MunicipalityFile, SiteFile, SystemFile
from kumobashi.directory.monitor_models import MonitorFile
from kumobashi.directory.sign_on_models import ProviderFile
from kumobashi.planning.approvals import ApprovalFile
from kumobashi.planning.call_links import CallFile
from kumobashi.planning.layout_files import LayoutFile
from kumobashi.planning.links import LinkFile
from kumobashi.release.campaigns import Campaign
from kumobashi.release.rules import ReleaseRule

SCHEMAS: Mapping[str, type[BaseModel]] = {
    "municipality": MunicipalityFile,
    "site": SiteFile,
    "system": SystemFile,
    "layout": LayoutFile,
    "release-rule": ReleaseRule,
    "campaign": Campaign,
    "link": LinkFile,
    "call": CallFile,
    "monitor": MonitorFile,
    "alerts": AlertsFile,
    "sign-on": ProviderFile,
    "approval": ApprovalFile,
    "consent": ConsentText,
}
TAKEN_HOME: Mapping[str, type[BaseModel]] = {"consent-receipt": ConsentReceipt}
"""What leaves with people: documents of ours, read with the same models."""


@cache
def texts() -> Mapping[str, str]:
    """Return file name and content of every schema."""
    found = {}
    for name, model in {**SCHEMAS, **TAKEN_HOME}.items():
        schema = model.model_json_schema()
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"kumobashi: {name}",
            **{key: value for key, value in schema.items() if key != "title"},
        }
        found[f"{name}.json"] = json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
    return found


def write(folder: Path) -> list[Path]:
    """Write all schemas into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in texts().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
        written.append(folder / name)
    return written


if __name__ == "__main__":
    write(Path(sys.argv[1]))
