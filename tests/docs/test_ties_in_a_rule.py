"""The how-to about ties shows a rule; in the sample its plan says who is left out and why."""

import json
import re
from pathlib import Path

from kumobashi.kernel import SystemClock
from kumobashi.planning.workspace import load
from kumobashi.service.consents import consents_of
from kumobashi.testing.city import build
from kumobashi.testing.commands import command
from kumobashi.testing.town import Town
from kumobashi.ties import Act, Terms
from kumobashi.ties.services import Service
from kumobashi.ties.writing import Said

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "ties.md"
LINK = "notice-attributes"
CONSENTED = (
    "select resident_no from consents where purpose = 'child-notices' and withdrawn_on is null"
    " order by 1"
)
THERE = "select resident_no from resident_registry where resident_status = '1'"


def test_the_rule_of_the_page_leaves_out_who_is_not_tied_and_the_plan_says_so(
    tmp_path: Path,
) -> None:
    (shown,) = re.findall(r"^```yaml\n(ties: .*\n)```$", PAGE.read_text("utf-8"), re.MULTILINE)
    folder, clock = tmp_path / "city", SystemClock()

    def as_the_page_says(folder: Path) -> None:
        path = folder / "rules" / f"{LINK}.yaml"
        path.write_text(path.read_text("utf-8") + shown, encoding="utf-8")

    with build(60) as city, Town.found(folder, city, change=as_the_page_says) as town:
        numbers = [str(row[0]) for row in town.sql("consent-desk", CONSENTED)]
        there = {str(row[0]) for row in town.sql("integrated-db", THERE)}
    number, other = [one for one in numbers if one in there][:2]
    workspace = load(folder)
    wide = {"COLUMNS": "200"}
    refused = command("plan", LINK, folder=folder, environment=wide).output
    assert "サービス「child-notices」は登録されていません" in refused

    def tie(subject: str, items: frozenset[str]) -> None:
        offer = {"channels": ["portal"], "times": 2, "days": 1, "items": sorted(items)}
        terms = Terms.of({**offer, "first": "2026-01-01", "last": "2099-12-31"})
        said = Said(stated_at=clock.now(), source="desk", by="operator")
        made = consents.ties.propose(subject, "child-notices", terms, said)
        for act in (Act.RESIDENT_ACCEPT, Act.SERVICE_ACCEPT):
            consents.ties.accept(made.tie, act, said, terms=terms.hash)

    with consents_of(workspace, "hall-core", clock) as consents:
        service = Service(
            service="child-notices",
            name="子育てのお知らせ",
            provider="架空市",
            section="子育て支援課",
            clause="架空市子育て支援条例第4条",
            first=clock.now().date().replace(month=1, day=1),
        )
        consents.ties.registry.add(service, by="operator")
        items = workspace.rules[LINK].tied_items
        seal = consents.ledger.subjects.seal
        tie(seal(number), items)
        tie(seal(other), items - {"sex"})

    told = json.loads(command("plan", LINK, "--json", folder=folder).output)
    (plan,) = told.get("plans", [told])
    counted = plan["measured"]
    assert counted["rows"] == 1
    assert counted["untied"]["item"] == 1
    assert counted["untied"]["none"] == counted["extracted"] - 2
    said = command("plan", LINK, folder=folder, environment=wide).output
    assert "項目を狭めた 1" in said
    assert number not in said
