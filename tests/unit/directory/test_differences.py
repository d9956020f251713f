"""Two versions of the directory, compared: what one adds the other retires."""

from hypothesis import given
from hypothesis import strategies as st

from kumobashi.directory.differences import KINDS, compared

FACTS = st.dictionaries(
    st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from("abcdef")),
    st.dictionaries(st.sampled_from(["name", "site"]), st.sampled_from(["甲", "乙"]), max_size=2),
    max_size=8,
)
OTHER_WAY = {"added": "retired", "retired": "added", "changed": "changed"}


@given(FACTS, FACTS)
def test_the_other_way_round_everything_is_the_other_way_round(old: dict, new: dict) -> None:  # type: ignore[type-arg]
    there = {(one.kind, one.name): one for one in compared(old, new)}
    back = {(one.kind, one.name): one for one in compared(new, old)}

    assert there.keys() == back.keys()
    for key, one in there.items():
        assert back[key].what == OTHER_WAY[one.what]
        assert back[key].facts == {name: (now, was) for name, (was, now) in one.facts.items()}
    assert {key for key in {**old, **new} if key not in there} == {
        key for key in old if old.get(key) == new.get(key)
    }


@given(FACTS)
def test_nothing_differs_from_itself(facts: dict) -> None:  # type: ignore[type-arg]
    assert list(compared(facts, facts)) == []
