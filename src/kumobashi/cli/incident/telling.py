"""Draw incidents and their clocks for people."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from kumobashi.cli.plain_tables import plain_table
from kumobashi.cli.terminal import Terminal
from kumobashi.kernel import JST, from_wire

Json = Mapping[str, Any]
STATES: Final = {
    "open": ("報告前", "open"),
    "prompted": ("速報済", "prompt report filed"),
    "reported": ("確報済", "reported"),
    "closed": ("終了", "closed"),
}
_END: Final = 8  # letters of an id that commands take for the whole
_WHOLE: Final = {0, 2}
REPORTS: Final = {"prompt": ("速報", "prompt"), "final": ("確報", "final")}
_STYLES: Final = {"overdue": "bold red", "soon": "yellow", "calm": "green", "done": "dim"}
_MUST: Final = {
    "yes": ("報告の対象", "to be reported"),
    "no": ("しきい値に当たらない", "below the thresholds"),
    "unknown": ("要否を確かめる", "to be decided"),
}


def draw_incidents(terminal: Terminal, found: Sequence[Json]) -> None:
    """Draw a list, the worst first."""
    t = terminal.t
    if not found:
        terminal.out.print(t("開いている事案はありません。", "No open incident."))
        return
    table = plain_table()
    for title in (
        t("事案", "Incident"),
        t("連携", "Link"),
        t("知った日", "Noticed"),
        t("状態", "State"),
        t("本人", "Persons"),
        t("要否", "Report?"),
        t("速報", "Prompt"),
        t("確報", "Final"),
    ):
        # What is looked for stays in one piece: an end of the id, which commands take, and days.
        table.add_column(title, overflow="fold", no_wrap=len(table.columns) in _WHOLE)
    for one in found:
        table.add_row(
            one["incident"][-_END:],
            one["link"],
            local(one["noticed"])[:10],
            t(*STATES[one["state"]]),
            persons(terminal, one["persons"]),
            t(*_MUST[one["must_report"]]),
            *(clock(terminal, held, one["state"]) for held in one["clocks"]),
        )
    terminal.out.print(table)


def draw_incident(terminal: Terminal, one: Json) -> None:
    """Draw one."""
    t = terminal.t
    rows = [
        (t("事案", "Incident"), Text(one["incident"])),
        (t("連携", "Link"), Text(f"{one['link_name']} ({one['link']})")),
        (t("状態", "State"), Text(t(*STATES[one["state"]]))),
        (t("知った日時", "Noticed"), Text(local(one["noticed"]))),
        (t("対象の転送", "Transfers"), Text(str(len(one.get("transfers_exposed", ()))))),
        (t("本人の数", "Persons"), Text(persons(terminal, one["persons"]))),
        (t("報告の要否", "Report?"), Text(t(*_MUST[one["must_report"]]))),
    ]
    rows += [
        (t(*REPORTS[held["report"]]), clock(terminal, held, one["state"])) for held in one["clocks"]
    ]
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(label, text)
    terminal.out.print(table)


def clock(terminal: Terminal, held: Json, state: str) -> Text:
    """Return one clock in its colour; a closed incident has none that runs."""
    t = terminal.t
    if held["filed"]:
        late = t("（遅れ）", " (late)") if held["was_late"] else ""
        return Text(t("済 ", "filed ") + str(held["filed"])[:10] + late, "dim")
    if state == "closed":
        return Text(t("—", "-"), "dim")
    left = int(held["days_left"])
    if held["level"] == "overdue":
        said = t(f"{held['due_day']} 超過 {-left} 日", f"{held['due_day']}, {-left} days late")
    else:
        said = t(f"{held['due_day']} あと {left} 日", f"{held['due_day']}, {left} days left")
    return Text(said, _STYLES[held["level"]])


def is_overdue(one: Json) -> bool:
    """Whether a report that may have to be filed is late."""
    if one["state"] == "closed":
        return False
    return any(held["level"] == "overdue" for held in one["clocks"])


def persons(terminal: Terminal, said: Json) -> str:
    """Return the number of persons with its bounds."""
    least, most = said["at_least"], said["at_most"]
    if most is None:
        return terminal.t("不明", "unknown")
    if said["is_exact"]:
        return f"{most:,}"
    return terminal.t(f"多くとも {most:,}", f"at most {most:,}") + (
        terminal.t(f"（少なくとも {least:,}）", f" (at least {least:,})") if least else ""
    )


def local(text: str) -> str:
    """Return a time of the wire in Japanese time."""
    return f"{from_wire(text).astimezone(JST):%Y-%m-%d %H:%M}"
