from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.kernel import Zone
from kumobashi.routing.errors import NoWay, OnlyInward, PlaceUnknown
from kumobashi.routing.finding import route


@dataclass(frozen=True)
class Line:
    site: str
    by: str


@dataclass(frozen=True)
class Site:
    zone: Zone
    connects_to: tuple[Line, ...]


def network(**lines: str) -> dict[str, Site]:
    return {
        name: Site(Zone.LGWAN, tuple(Line(to, "lgwan") for to in ends.split()))
        for name, ends in lines.items()
    }


def test_the_shortest_way_wins_and_of_two_the_one_written_first() -> None:
    sites = network(a="b c", b="d", c="d", d="e", e="")

    assert [hop.to_site for hop in route(sites, "a", "e")] == ["b", "d", "e"]
    assert [hop.from_site for hop in route(sites, "a", "e")] == ["a", "b", "d"]


def test_a_link_inside_one_site_has_one_hop_to_itself() -> None:
    (hop,) = route(network(a=""), "a", "a")

    assert (hop.from_site, hop.to_site, hop.by) == ("a", "a", "same_site")


def test_no_way_says_where_it_ends() -> None:
    with pytest.raises(NoWay) as caught:
        route(network(hall="relay", relay="", cloud=""), "hall", "cloud")

    assert caught.value.last == "relay"
    assert "sites/relay.yaml" in caught.value.remedy("ja")


def test_connections_are_never_used_backwards() -> None:
    with pytest.raises(OnlyInward):
        route(network(hall="cloud", cloud=""), "cloud", "hall")


def test_an_unknown_site_is_named() -> None:
    with pytest.raises(PlaceUnknown) as caught:
        route(network(a=""), "a", "moon")

    assert caught.value.site == "moon"


@given(st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef")), min_size=1))
def test_every_hop_is_a_declared_connection_and_hops_join_up(lines: dict[str, set[str]]) -> None:
    sites = {
        n: Site(Zone.LGWAN, tuple(Line(t, "lgwan") for t in sorted(e))) for n, e in lines.items()
    }
    start, end = min(sites), max(sites)
    try:
        hops = route(sites, start, end)
    except NoWay:
        return
    assert hops[0].from_site == start
    assert hops[-1].to_site == end
    for before, after in pairwise(hops):
        assert before.to_site == after.from_site
    if start != end:
        assert all(
            hop.to_site in {c.site for c in sites[hop.from_site].connects_to} for hop in hops
        )
        assert len({hop.to_site for hop in hops}) == len(hops)
