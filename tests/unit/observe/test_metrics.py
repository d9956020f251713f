"""What a page of metrics may show: families that there are, labels that cannot forge a line."""

import re

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_plain

from kumobashi.observe.metric_families import FAMILIES, Kind
from kumobashi.observe.metrics import MOST_SERIES, OTHER, Page, Tally

HOSTILE = (
    'x"} 1\nkumobashi_links{light="applied"} 99\n#',
    "a\\",
    "\u202ex",
    "山田太郎",
    "",
    "x" * 200,
    "…",
)
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_hostile_label_is_refused_and_forges_no_line(number: int) -> None:
    page = Page("hall-core")
    page.add("kumobashi_peer_up", 1, HOSTILE[number])
    page.add("kumobashi_peer_up", 1, "public-cloud")
    text = page.text()[0].decode()
    found = {one.name: one.samples for one in read_plain(text)}
    assert "kumobashi_links" not in found
    assert {one.labels["peer"] for one in found["kumobashi_peer_up"]} == {OTHER, "public-cloud"}
    assert "99" not in re.findall(r"^kumobashi.* (\d+)", text, re.MULTILINE)


def test_a_hostile_site_is_refused_too() -> None:
    page = Page(HOSTILE[0])
    page.add("kumobashi_state_up", 1)
    assert f'site="{OTHER}"' in page.text()[0].decode()


def test_series_are_bounded() -> None:
    page = Page("hall-core")
    for number in range(MOST_SERIES + 50):
        page.add("kumobashi_peer_up", 1, f"site-{number}")
    assert page.text()[0].count(b"\nkumobashi_peer_up{") == MOST_SERIES


def test_both_formats_can_be_read_and_say_the_same() -> None:
    page = Page("hall-core")
    page.add("kumobashi_calls_total", 3, "asker", "answered")
    page.add("kumobashi_call_seconds", Tally((1.0, 2.0), [1, 2, 3], 9.0), "asker")
    plain, said_plain = page.text("text/plain")
    opened, said_open = page.text(OPEN)
    assert said_plain.startswith("text/plain")
    assert said_open.startswith("application/openmetrics-text")
    samples = [
        {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in read(text.decode())
            for sample in family.samples
            if family.name.startswith("kumobashi")
        }
        for read, text in ((read_plain, plain), (read_open, opened))
    ]
    assert samples[0] == samples[1]
    buckets = {key: value for key, value in samples[0].items() if key[0].endswith("_bucket")}
    assert sorted(buckets.values()) == [1, 3, 6]


def test_what_asks_for_nonsense_gets_plain_text() -> None:
    assert Page("hall-core").text("x" * 10_000)[1].startswith("text/plain")


def test_equal_labels_are_summed_up() -> None:
    page = Page("hall-core")
    for _ in range(2):
        page.add("kumobashi_links", 2, "applied")
        page.add("kumobashi_call_seconds", Tally((1.0,), [1, 0], 0.5), "asker")
    text = page.text()[0].decode()
    assert 'kumobashi_links{light="applied",site="hall-core"} 4.0' in text
    assert 'kumobashi_call_seconds_count{role="asker",site="hall-core"} 2.0' in text


def test_a_sample_that_fits_no_family_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Page("hall-core").add("kumobashi_unknown", 1)
    with pytest.raises(ValueError, match="labels"):
        Page("hall-core").add("kumobashi_links", 1)


def test_names_follow_the_conventions() -> None:
    for family in FAMILIES.values():
        assert re.fullmatch(r"kumobashi_[a-z_]+", family.name)
        assert family.name.endswith("_total") is (family.kind is Kind.COUNTER)
        assert bool(family.buckets) is (family.kind is Kind.HISTOGRAM)
        if family.kind is Kind.HISTOGRAM:
            assert family.name.endswith("_seconds")
        assert {"site", "le"}.isdisjoint(family.labels)
