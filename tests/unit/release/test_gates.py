"""What people may write as the gate of a release rule."""

from typing import Any

import pytest
from pydantic import ValidationError

from kumobashi.release.gates import Gate, NoGate
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.documents import Document, Mistake, read_text
from tests.unit.release.staged import rule

YEAR = {"name": "born", "op": "truncate", "of": "birth_date", "to": "year", "ladder": ["drop"]}
FLAG = {"name": "tax", "op": "flag", "dataset": "tax", "of": "kind", "one": ["1"]}
RULE = """kumobashi: 1
release: r
version: 1
name: 例
datasets: {residents: db.residents, tax: db.tax}
subject: {dataset: residents, key: resident_no}
columns:
  - {name: token, op: token, of: resident_no}
  - {name: born, op: truncate, of: birth_date, to: month, ladder: [year, drop]}
  - {name: tax, op: flag, dataset: tax, of: kind, one: ["1"]}
"""


def mistakes(more: str = "", before: str = "", after: str = "") -> tuple[Mistake, ...]:
    assert before in RULE
    found = read_text(RULE.replace(before, after) + more, ReleaseRule, file="r.yaml")
    return () if isinstance(found, Document) else found


def test_every_threshold_can_be_written() -> None:
    said = {
        "k": 5,
        "k_map": 10,
        "l_diversity": {"tax": 2},
        "t": 0.3,
        "max_journalist": 0.1,
        "max_prosecutor": 0.2,
        "max_marketer": 0.05,
        "max_unique_share": 0,
        "max_suppressed": 0.02,
        "population": "residents",
        "on_fail": "climb",
        "differencing": "report",
    }

    gate = rule(YEAR, FLAG, gate=said).gate

    assert isinstance(gate, Gate)
    assert gate.model_dump() == said


def test_a_gate_is_refused_by_default_and_suppresses_nothing_by_default() -> None:
    gate = rule(YEAR, gate={"k": 5}).gate

    assert isinstance(gate, Gate)
    assert (gate.on_fail, gate.max_suppressed) == ("refuse", 0)


def test_a_gate_can_be_waived_for_a_reason_that_is_said() -> None:
    gate = rule(YEAR, gate={"none": "庁内の国保に必要な項目だけ"}).gate

    assert gate == NoGate(none="庁内の国保に必要な項目だけ")
    for reason in ("", "     ", "庁内"):
        with pytest.raises(ValidationError):
            rule(YEAR, gate={"none": reason})
    with pytest.raises(ValidationError):
        rule(YEAR, gate={"none": "庁内の国保に必要な項目だけ", "k": 5})


@pytest.mark.parametrize(
    ("gate", "key", "word"),
    [
        ("gate: {on_fail: refuse}", "gate", "しきい値が1つもありません"),
        ("gate: {max_unique_share: 1.5}", "gate.max_unique_share", "1.0 以下"),
        ("gate: {k: 1}", "gate.k", "2 以上"),
        ("gate: {k: 5, on_fail: stop}", "gate.on_fail", "refuse"),
        ("gate: {k: 5, kmap: 5}", "gate.kmap", "k_map"),
        ("gate: {k_map: 5}", "gate.k_map", "母集団"),
        ("gate: {max_journalist: 0.2}", "gate.max_journalist", "母集団"),
        ("gate: {k: 5, population: everybody}", "gate.population", "datasets"),
        ("gate: {l_diversity: {born: 2}}", "gate.l_diversity.born", "sensitive でない"),
        ("gate: {l_diversity: {gone: 2}}", "gate.l_diversity.gone", "出しません"),
        ("gate: {none: 庁内}", "gate.none", "5 文字以上"),
        ("gate: 5", "gate", "項目: 値"),
    ],
)
def test_a_gate_that_makes_no_sense_is_told_where_it_stands(gate: str, key: str, word: str) -> None:
    (found,) = mistakes(f"{gate}\n")

    assert (found.line, found.key) == (11, key)
    assert word in found.ja
    assert found.column > 1 or key == "gate"


def test_climbing_needs_a_ladder_and_t_a_sensitive_column() -> None:
    ladder, flag = (
        ", ladder: [year, drop]",
        '  - {name: tax, op: flag, dataset: tax, of: kind, one: ["1"]}\n',
    )

    (climb,) = mistakes("gate: {k: 5, on_fail: climb}\n", ladder, "")
    (distance,) = mistakes("gate: {t: 0.3}\n", flag, "")

    assert (climb.key, climb.line) == ("gate.on_fail", 11)
    assert (distance.key, distance.line) == ("gate.t", 10)


@pytest.mark.parametrize(
    ("before", "after", "key", "word"),
    [
        ("[year, drop]", "[month]", "columns[1].ladder[0]", "粗いとはいえません"),
        ("[year, drop]", "[school_year]", "columns[1].ladder[0]", "4月1日"),
        ("[year, drop]", "[drop, year]", "columns[1].ladder[1]", "drop"),
        ("[year, drop]", "[decade]", "columns[1].ladder[0]", "使える値"),
        ("[year, drop]", "[5]", "columns[1].ladder[0]", "使える値"),
        ("op: truncate", "op: household_ages, top: 100", "columns[1].to", "to"),
        (
            "op: truncate, of: birth_date, to: month, ladder: [year, drop]",
            "op: household_counts, of: birth_date, bands: [0-17, 19+]",
            "columns[1].bands[1]",
            "18 歳",
        ),
        (
            "op: truncate, of: birth_date, to: month, ladder: [year, drop]",
            "op: household_ages, of: birth_date, ladder: [bands, {bands: [0-17, 19+]}]",
            "columns[1].ladder[1].bands[1]",
            "18 歳",
        ),
        (
            "op: truncate, of: birth_date, to: month, ladder: [year, drop]",
            "op: household_ages, of: birth_date, ladder: [{band: [0+]}]",
            "columns[1].ladder[0].band",
            "bands",
        ),
        (
            "op: truncate, of: birth_date, to: month, ladder: [year, drop]",
            "op: top_bottom, of: income, top: 9, ladder: [{top: 10}]",
            "columns[1].ladder[0]",
            "粗いとはいえません",
        ),
        (
            "op: truncate, of: birth_date, to: month, ladder: [year, drop]",
            "op: prefix, of: town_code, length: 5, ladder: [3, gone]",
            "columns[1].ladder[1]",
            "使える値",
        ),
    ],
)
def test_a_mistake_in_a_ladder_is_told_once_with_its_line_and_column(
    before: str, after: str, key: str, word: str
) -> None:
    found = [m for m in mistakes("", before, after) if m.key == key]

    assert len(found) == 1, mistakes("", before, after)
    assert found[0].line == 9
    assert found[0].column > 4
    assert word in found[0].ja
    assert found[0].en


def test_a_gate_is_part_of_what_the_hash_covers() -> None:
    def dumped(**more: Any) -> dict[str, Any]:
        return rule(YEAR, **more).model_dump(mode="json", by_alias=True)

    assert dumped(gate={"k": 5}) != dumped(gate={"k": 6})
    assert "gate" not in dumped()
