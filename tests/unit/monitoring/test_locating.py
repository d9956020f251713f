"""Which parts have failed: the fewest that explain everything, and never one that is known well."""

from hypothesis import given
from hypothesis import strategies as st

from kumobashi.directory.monitor_models import PartKind
from kumobashi.monitoring.locating import Seen, failed_parts
from kumobashi.monitoring.points import Pattern, pattern_of
from kumobashi.testing.network_parts import BROKEN, PARTS, PATHS

PART = st.sampled_from(["a", "b", "c", "d", "e", "f"])
PATHS_OF = st.lists(st.lists(PART, min_size=1, max_size=4, unique=True), min_size=1, max_size=8)


@given(paths=PATHS_OF, broken=st.sets(PART))
def test_what_is_blamed_explains_every_failure_and_contradicts_no_success(
    paths: list[list[str]], broken: set[str]
) -> None:
    seen = [Seen(over=tuple(path), reached=not broken & set(path)) for path in paths]

    blamed = failed_parts(seen)

    for one in seen:
        if one.reached:
            assert not blamed & set(one.over)
        else:
            assert blamed & set(one.over)
    assert len(blamed) <= len(broken)


def test_every_pattern_is_told_from_its_probes() -> None:
    for pattern, broken in BROKEN.items():
        seen = [Seen(over=path, reached=not broken & set(path)) for path in PATHS.values()]
        kinds = {PartKind(PARTS[part][0]) for part in failed_parts(seen)}
        assert pattern_of(kinds) is pattern


def test_a_probe_whose_parts_are_all_well_blames_nothing() -> None:
    seen = [Seen(over=("a", "b"), reached=True), Seen(over=("a",), reached=False)]
    assert failed_parts(seen) == frozenset()


def test_many_parts_at_once_are_explained_too() -> None:
    seen = [Seen(over=(f"p{number}",), reached=False) for number in range(30)]
    assert len(failed_parts(seen)) == 30


def test_parts_of_cloud_and_line_together_are_no_pattern() -> None:
    assert pattern_of({PartKind.ACCESS, PartKind.HARDWARE}) is None
    assert pattern_of(set()) is None
    assert pattern_of({PartKind.TERMINAL}) is Pattern.HALL_TERMINAL
