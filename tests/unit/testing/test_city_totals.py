"""The city has the proportions that are published."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner

from kumobashi.cli.entry import root
from kumobashi.testing.city import build
from kumobashi.testing.city.ages import settled_ages, tilted
from kumobashi.testing.city.published import WARDS, age_shares, yearly
from kumobashi.testing.city.totals import totals
from kumobashi.testing.city.wards import deal


def test_a_city_of_forty_thousand_is_within_one_percent_of_every_published_figure() -> None:
    with build(40_000, seed=6) as town:
        found = totals(town)

    assert [total.en for total in found if not total.is_good] == []
    assert {total.group for total in found} == {
        "population", "wards", "households", "ages", "events",
    }  # fmt: skip
    assert len([total for total in found if total.group == "ages"]) == 15


def test_a_line_that_is_two_percent_off_is_not_good() -> None:
    with build(1_000) as town:
        line = totals(town)[0]

    assert line.is_good
    assert not replace(line, city=line.published * 1.02).is_good
    assert replace(line, city=line.published * 0.98).difference == pytest.approx(-0.02)


def test_age_shares_sum_to_all_residents() -> None:
    shares = age_shares()
    assert sum(share.men + share.women for share in shares) == pytest.approx(1)
    assert all(a.end == b.start for a, b in pairwise(shares))


def test_a_years_events_of_the_published_city_are_those_published() -> None:
    year = yearly(977_306)
    assert (year.births, year.deaths) == (6_119, 9_648)
    assert year.moves_in + year.ward_to_ward == 56_178
    assert year.moves_out + year.ward_to_ward == 51_048


def test_settling_keeps_the_order_of_ages() -> None:
    rng = np.random.default_rng(2)
    born = rng.random(5_000) * 100
    sex = rng.integers(1, 3, 5_000).astype(np.int8)

    settled = settled_ages(born, sex)

    for code in (1, 2):
        order = np.argsort(born[sex == code])
        assert (np.diff(settled[sex == code][order]) >= 0).all()
    assert (settled >= 0).all()


def test_a_tilt_finds_the_mean_that_is_wanted_and_needs_none_when_it_is_there() -> None:
    prior = np.array([0.5, 0.3, 0.2])
    members = np.array([[1.0], [2.0], [3.0]])

    shares = tilted(prior, members, np.array([2.2]))

    assert float(shares @ members[:, 0]) == pytest.approx(2.2, abs=0.01)
    assert tilted(prior, members, prior @ members) == pytest.approx(prior)


def test_wards_get_their_households_and_their_residents() -> None:
    rng = np.random.default_rng(4)
    sizes = rng.integers(1, 6, 20_000)

    ward = deal(sizes, rng)

    for place, known in enumerate(WARDS):
        share = known.residents / sum(w.residents for w in WARDS)
        assert sizes[ward == place].sum() / sizes.sum() == pytest.approx(share, rel=0.01)


def test_the_command_says_as_json_how_far_each_line_is_off() -> None:
    ran = CliRunner().invoke(root, ["city", "totals", "--residents", "20000", "--json"])

    said = json.loads(ran.stdout)
    assert said["ok"] is (ran.exit_code == 0)
    assert {"published", "city", "difference", "ok", "assumed"} <= said["totals"][0].keys()


def test_the_command_tells_one_story_or_all() -> None:
    every = json.loads(CliRunner().invoke(root, ["city", "golden", "--json"]).stdout)
    one = CliRunner().invoke(root, ["city", "golden", "twins"])

    assert len(every) == 17
    assert "リー ミンジュン" in one.stdout
    assert CliRunner().invoke(root, ["city", "golden", "nobody"]).exit_code == 64
