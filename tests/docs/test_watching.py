"""Rules, dashboard and pages speak of metrics, labels, values and pages that there are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from kumobashi.exchange.states import In, Out
from kumobashi.exchange.views import Light
from kumobashi.observe.log_fields import FIELDS
from kumobashi.observe.metric_families import FAMILIES, Kind
from tests.docs import examples
from tests.docs.test_pages import table_behind, ticked

DEPLOY = examples.ROOT / "deploy"
REFERENCE = (examples.ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
RULES = DEPLOY / "prometheus/kumobashi.rules.yml"
_NAME = re.compile(r"\b(kumobashi(?:_[a-z0-9_]+|:[a-z0-9_:]+)|process_\w+|up)\b(\{[^}]*\})?")
_MATCHER = re.compile(r"(\w+)\s*(=~|!~|!=|=)\s*\"([^\"]*)\"")
_BY = re.compile(r"\bby \(([^)]*)\)")
OF_SCRAPES = {"site", "job", "instance", "le"}
VALUES = {
    "light": {one.value for one in Light},
    "state": {one.value for one in (*Out, *In)},
    "side": {"in", "out"},
    "role": {"asker", "answerer", "relay", "endpoint"},
}


def rules() -> list[dict[str, Any]]:
    groups = YAML(typ="safe").load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}


def queries() -> Iterator[tuple[str, str]]:
    for rule in rules():
        yield rule.get("record") or rule["alert"], rule["expr"]
    board = json.loads((DEPLOY / "grafana/kumobashi.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


QUERIES = list(queries())


def family_of(name: str) -> str:
    for suffix in ("_bucket", "_sum", "_count"):
        bare = name.removesuffix(suffix)
        if bare != name and bare in FAMILIES and FAMILIES[bare].kind is Kind.HISTOGRAM:
            return bare
    return name


@pytest.mark.parametrize(("where", "query"), QUERIES)
def test_a_query_asks_for_what_there_is(where: str, query: str) -> None:
    found = _NAME.findall(query)
    assert found, where
    labels: set[str] = set(OF_SCRAPES)
    for name, selector in found:
        family = FAMILIES.get(family_of(name))
        assert family or name in recorded() or name == "up" or name.startswith("process_"), name
        own = set(family.labels) if family else set()
        labels |= own or {"to_site", "role"}
        for label, how, value in _MATCHER.findall(selector):
            assert label in own | OF_SCRAPES | ({"to_site", "role"} if not family else set()), label
            if label in VALUES and how in {"=", "!="}:
                assert value in VALUES[label]
            if label in VALUES and how in {"=~", "!~"}:
                assert set(value.split("|")) <= VALUES[label]
    for said in _BY.findall(query):
        assert {one.strip() for one in said.split(",")} <= labels


def test_a_counter_is_never_shown_as_it_stands() -> None:
    for where, query in QUERIES:
        for name, family in FAMILIES.items():
            if family.kind is Kind.COUNTER and name in query:
                assert re.search(rf"(rate|increase)\({name}", query), where


def test_most_metrics_are_on_the_dashboard_or_in_an_alert() -> None:
    used = {family_of(name) for _, query in QUERIES for name, _ in _NAME.findall(query)}
    left = set(FAMILIES) - used
    assert left <= {
        "kumobashi_build_info",  # chooses the site
        "kumobashi_directory_version",
        "kumobashi_evidence_records",
        "kumobashi_journal_records_total",
        "kumobashi_journal_flushes_total",
        "kumobashi_peer_requests_last_minute",
    }


def test_every_alert_has_words_a_page_and_an_urgency() -> None:
    alerts = [rule for rule in rules() if "alert" in rule]
    assert len({rule["alert"] for rule in alerts}) == len(alerts) > 10
    for rule in alerts:
        assert rule["labels"]["severity"] in {"now", "today", "note"}
        assert re.search(r"[ぁ-ん]", rule["annotations"]["summary"])
        page, _, part = rule["annotations"]["runbook"].partition("#")
        text = (examples.ROOT / page).read_text(encoding="utf-8")
        assert part in {slug(line) for line in text.splitlines() if line.startswith("#")}, part


def slug(heading: str) -> str:
    """Return the anchor of a heading, as the hosts of our pages make it."""
    bare = re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower())
    return bare.strip().replace(" ", "-")


def test_the_table_of_alerts_has_every_alert() -> None:
    guide = (examples.ROOT / "docs/how-to/watch-with-prometheus.md").read_text(encoding="utf-8")
    rows = table_behind(guide, "<!-- alerts -->")
    said = {name: row[2] for row in rows for name in ticked(row[0])}
    assert said == {
        rule["alert"]: rule["labels"]["severity"] for rule in rules() if "alert" in rule
    }


def test_the_table_of_metrics_is_what_there_is() -> None:
    rows = table_behind(REFERENCE, "<!-- metrics -->")
    assert [(ticked(row[0])[0], row[1], tuple(ticked(row[2])), row[3]) for row in rows] == [
        (one.name, one.kind.value, one.labels, one.help) for one in FAMILIES.values()
    ]


def test_the_fields_of_a_log_line_are_what_there_is() -> None:
    text = REFERENCE.partition("<!-- log fields -->")[2].split("\n\n")[1]
    assert ticked(text) == list(FIELDS)


def test_the_dashboard_can_be_imported() -> None:
    board = json.loads((DEPLOY / "grafana/kumobashi.json").read_text(encoding="utf-8"))
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert board["uid"] == "kumobashi"
    for panel in panels:
        place = panel["gridPos"]
        assert 0 <= place["x"] <= place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    taken = [
        (x, y)
        for panel in panels
        for p in [panel["gridPos"]]
        for x in range(p["x"], p["x"] + p["w"])
        for y in range(p["y"], p["y"] + p["h"])
    ]
    assert len(taken) == len(set(taken))  # none covers another


def test_the_examples_name_each_other() -> None:
    example = YAML(typ="safe").load(
        (DEPLOY / "prometheus/prometheus.yml").read_text(encoding="utf-8")
    )
    for name in example["rule_files"]:
        assert Path(DEPLOY / "prometheus" / name).is_file()
