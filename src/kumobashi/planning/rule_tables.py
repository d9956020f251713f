"""The rules that a municipality adds in ``policy/``, read with ours."""

from pathlib import Path

from kumobashi.policy.errors import PolicyFailed
from kumobashi.policy.tables import OWN, Tables, load_tables, read_tables
from kumobashi.storage.mistakes import Mark, Mistake, mistake_at


def own_tables(folder: Path) -> tuple[Tables, list[Mistake]]:
    """Return the tables of a workspace, and every mistake in its own; with mistakes, ours alone."""
    tables, found = read_tables(own=folder / OWN)
    return load_tables() if found else tables, [_mistake(wrong) for wrong in found]


def _mistake(wrong: PolicyFailed) -> Mistake:
    return mistake_at(
        str(wrong.facts.get("file", OWN)),
        Mark(int(str(wrong.facts.get("row", 1))), 1),
        (str(wrong.facts["column"]),) if wrong.facts.get("column") else (),
        code=wrong.code,
        ja=f"{wrong.say('ja')}{wrong.remedy('ja')}",
        en=f"{wrong.say('en')} {wrong.remedy('en')}",
    )
