"""``kumobashi risk``: what the rows of a file reveal, and how coarse they must be."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kumobashi.cli.command import command, option
from kumobashi.cli.errors import Usage
from kumobashi.cli.exits import Exit
from kumobashi.cli.progress import bar
from kumobashi.cli.terminal import Terminal

if TYPE_CHECKING:
    import duckdb

    from kumobashi.risk.identifying import Identifying
    from kumobashi.risk.losses import Objective
    from kumobashi.risk.measures import Measures
    from kumobashi.risk.measuring import Population, Sensitive
    from kumobashi.risk.searching import Found, NothingFound

OBJECTIVES: "tuple[Objective, ...]" = (
    "precomputed_entropy",
    "discernibility",
    "average_class_size",
    "loss",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options, read."""

    path: Path
    columns: list[str]
    sensitive: list[str]
    ordered: list[str]
    categorical: list[str]
    population: Path | None
    delimiter: str | None
    mark: str
    hierarchies: Path | None
    target_k: int
    suppression: float
    objectives: list["Objective"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was measured and searched."""

    measures: "Measures"
    identifying: "Sequence[Identifying]"
    searched: "dict[Objective, Found | NothingFound]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Where the rows are, once read."""

    relation: str
    sensitive: "Sequence[Sensitive]"
    population: "Population | None"


@command(
    "risk",
    ja="名簿の行から誰のことか分かってしまう度合いを測り、必要な粗さを探します（CSV・Parquet）。\n"
    "準識別子（--qi）は近所の人が知っていそうな列、--sensitive は知られては困る列です。",
    en="Measure what the rows of a CSV or Parquet file reveal; search how coarse they must be.\n"
    "--qi names what a neighbour could know, --sensitive what nobody should learn.",
    example="kumobashi risk list.csv --qi birth_ym,sex,town --sensitive benefit --json",
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@option(
    "--qi", multiple=True, required=True, metavar="A,B", ja="準識別子の列", en="What others know"
)
@option("--sensitive", multiple=True, metavar="X,Y", ja="機微な列", en="What nobody should learn")
@option(
    "--population",
    type=click.Path(path_type=Path),
    metavar="FILE",
    ja="母集団（全住民。同じ列・同じ粗さ）",
    en="All residents, in the same columns, equally coarse",
)
@option("--delimiter", metavar="C", ja="区切りの文字（既定: 見て決める）", en="Default: found out")
@option(
    "--ordered", multiple=True, metavar="X", ja="順序のある数として測る列", en="Measure as numbers"
)
@option(
    "--categorical",
    multiple=True,
    metavar="X",
    ja="数に見えても区分として測る列",
    en="Measure as categories, even if they look like numbers",
)
@option(
    "--suppressed",
    default="*",
    show_default=True,
    metavar="TEXT",
    ja="準識別子がすべてこれの行は、伏せた行（どの組にも数えない）",
    en="Rows with this in every quasi-identifier were suppressed: in no class",
)
@option(
    "--hierarchies",
    type=click.Path(path_type=Path),
    metavar="DIR",
    ja="階層（<列>.csv か *_hierarchy_<列>.csv）のフォルダ",
    en="Folder of hierarchies: <column>.csv or *_hierarchy_<column>.csv",
)
@option("--target-k", type=click.IntRange(min=1), metavar="N", ja="目標の k", en="The k to reach")
@option(
    "--suppression",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    metavar="S",
    ja="伏せてよい行の割合",
    en="Share of rows that may be suppressed",
)
@option(
    "--objective",
    multiple=True,
    type=click.Choice(OBJECTIVES),
    ja="何の損失を最小にするか（既定: 初めの3つを、それぞれ）",
    en="The loss to be least (default: each of the first three)",
)
def risk(  # noqa: PLR0913 - one for each option
    terminal: Terminal,
    *,
    path: Path,
    qi: tuple[str, ...],
    sensitive: tuple[str, ...],
    population: Path | None,
    delimiter: str | None,
    ordered: tuple[str, ...],
    categorical: tuple[str, ...],
    suppressed: str,
    hierarchies: Path | None,
    target_k: int | None,
    suppression: float,
    objective: "tuple[Objective, ...]",
) -> Exit:
    """Measure one file."""
    if (hierarchies is None) != (target_k is None):
        raise Usage(
            what="--hierarchies と --target-k は、いっしょに指定します。",
            what_en="--hierarchies and --target-k go together.",
            command="kumobashi risk",
        )
    asked = Asked(
        path=path,
        columns=_listed(qi),
        sensitive=_listed(sensitive),
        ordered=_listed(ordered),
        categorical=_listed(categorical),
        population=population,
        delimiter=_character(delimiter),
        mark=suppressed,
        hierarchies=hierarchies,
        target_k=target_k or 1,
        suppression=suppression,
        objectives=list(objective) or list(OBJECTIVES[:3]),
    )
    _require_known(asked)
    answer = _answer(terminal, asked)
    if terminal.as_json:
        from kumobashi.cli.risk_json import as_json

        terminal.emit(as_json(asked, answer))
    else:
        from kumobashi.cli.risk_tables import show

        show(terminal, asked, answer)
    nothing = any(not hasattr(found, "levels") for found in answer.searched.values())
    return Exit.RED if nothing else Exit.OK


def _listed(given: Sequence[str]) -> list[str]:
    return [name for one in given for name in (part.strip() for part in one.split(",")) if name]


def _character(delimiter: str | None) -> str | None:
    r"""Return the delimiter; a tab may be written ``\t``.

    >>> _character(r"\t"), _character(";")
    ('\t', ';')
    """
    if delimiter is None:
        return None
    meant = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
    if len(meant) != 1 or meant in '"\r\n':
        raise Usage(
            what="--delimiter は1文字です（タブは \\t）。",
            what_en="--delimiter is one character (\\t for a tab).",
            command="kumobashi risk",
        )
    return meant


def _require_known(asked: Asked) -> None:
    """Raise unless what is said about sensitive columns is said about such."""
    for name in (*asked.ordered, *asked.categorical):
        if name not in asked.sensitive or (name in asked.ordered and name in asked.categorical):
            raise Usage(
                what=f"--ordered と --categorical には、機微な列をどちらかに書きます: {name}",
                what_en=f"--ordered and --categorical take sensitive columns, one of them: {name}",
                command="kumobashi risk",
            )


def _answer(terminal: Terminal, asked: Asked) -> Answer:
    """Read, measure and search."""
    from kumobashi.cli.risk_files import bounded_memory, open_rows, sensitive_columns
    from kumobashi.risk.identifying import identifying
    from kumobashi.risk.measuring import Population, measure

    with bounded_memory() as work:
        reading = terminal.t(f"{asked.path.name} を読んでいます…", f"Reading {asked.path.name} …")
        with terminal.err.status(reading) as shown:
            columns = [*asked.columns, *asked.sensitive]
            opened = open_rows(work, asked.path, "read_rows", columns, asked.delimiter)
            population = None
            if asked.population:
                everybody = open_rows(
                    work, asked.population, "everybody", asked.columns, asked.delimiter
                )
                population = Population(relation=everybody.relation)
            shown.update(terminal.t("測っています…", "Measuring …"))
            relation, sensitive = sensitive_columns(
                work,
                opened,
                asked.sensitive,
                ordered=asked.ordered,
                categorical=asked.categorical,
            )
            measured = measure(
                work,
                relation,
                asked.columns,
                sensitive,
                population=population,
                suppressed=_suppressed(work, opened.relation, asked),
            )
            each = [[column] for column in asked.columns]
            both = [asked.columns] if len(asked.columns) > 1 else []
            told = identifying(work, opened.relation, [*each, *both])
        searched = {}
        if asked.hierarchies:
            rows = Rows(relation=relation, sensitive=sensitive, population=population)
            searched = _searched(terminal, work, asked, rows, opened.line)
    return Answer(measures=measured, identifying=told, searched=searched)


def _suppressed(work: "duckdb.DuckDBPyConnection", relation: str, asked: Asked) -> str | None:
    """Return the predicate of rows that were suppressed; where all look so, none were."""
    from kumobashi.storage.counting import count
    from kumobashi.storage.tables import literal, quoted

    if not asked.mark:
        return None
    is_marked = " and ".join(
        f"{quoted(column)}::varchar = {literal(asked.mark)}" for column in asked.columns
    )
    others = count(work, f"select count(*) from {relation} where ({is_marked}) is not true")  # noqa: S608
    return is_marked if others else None


def _searched(
    terminal: Terminal,
    work: "duckdb.DuckDBPyConnection",
    asked: Asked,
    rows: Rows,
    line: str,
) -> "dict[Objective, Found | NothingFound]":
    """Search the hierarchies' levels, once for each loss."""
    from kumobashi.cli.risk_files import open_hierarchy
    from kumobashi.risk.counting import read_base
    from kumobashi.risk.lattice import Ladder
    from kumobashi.risk.searching import search_each
    from kumobashi.risk.thresholds import Thresholds
    from kumobashi.storage.tables import quoted

    folder = asked.hierarchies or Path()
    ladders = [
        Ladder(
            column=column,
            levels=(quoted(column),),
            hierarchy=open_hierarchy(folder, column, asked.delimiter),
        )
        for column in asked.columns
    ]
    base = read_base(
        work,
        rows.relation,
        ladders,
        rows.sensitive,
        population=rows.population,
        line=line,
    )
    limits = Thresholds(k=asked.target_k, max_suppressed=asked.suppression)
    with bar(terminal, "粗さを探しています", "Searching levels") as told:
        return search_each(base, limits, asked.objectives, tell=told)
