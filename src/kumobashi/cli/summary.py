"""What a night came to: rows, bytes, seconds per stage, receipts, and k in words."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from kumobashi.cli.picture import has_k
from kumobashi.cli.status import STYLES, dots
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung, spent
from kumobashi.console.formatting import size
from kumobashi.console.labels import MODES, SIGNS
from kumobashi.console.reading import K_WANTED
from kumobashi.exchange.views import TransferView
from kumobashi.release.gate_words import headline

_RECEIVING = ("delivered", "opened", "validated", "applied")


def draw(
    terminal: Terminal,
    done: Sequence[TransferView],
    names: Mapping[str, str],
    *,
    url: str,
    seconds: float,
) -> Iterator[RenderableType]:
    """Yield the table, the words about k, and where to look."""
    t = terminal.t
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column(t("連携", "Link"))
    for title in (
        t("件数", "Rows"),
        t("容量", "Bytes"),
        t("抽出", "Extr."),
        t("提供", "Rel."),
        t("封緘", "Seal"),
        t("送達", "Carry"),
        t("受領", "Rcv."),
        t("計（秒）", "All (s)"),
    ):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column(t("確認", "Rcpt"), no_wrap=True)
    for view in done:
        table.add_row(*_row(terminal, view, names[view.link]))
    yield table
    yield Text()
    for view in done:
        if has_k(view):
            yield from _k(terminal, view, names[view.link])
    yield Text()
    yield Text(t(f"全体 {spent(seconds)}", f"All of it took {spent(seconds)}"))
    yield Text.assemble((t("画面: ", "Console: "), "bold"), (url, "bold cyan"))


def as_json(
    done: Sequence[TransferView], *, residents: int, url: str, seconds: float
) -> dict[str, object]:
    """Return the same for machines."""
    from kumobashi.service.local_api import plain

    return {
        "residents": residents,
        "seconds": round(seconds, 3),
        "url": url,
        "transfers": [plain(view) for view in done],
    }


def _row(terminal: Terminal, view: TransferView, name: str) -> list[Text | str]:
    taken = {stage.stage: stage.seconds for stage in view.stages}
    receiving = [seconds for stage in _RECEIVING if (seconds := taken.get(stage)) is not None]
    rows = view.rows_applied if view.rows_applied is not None else view.rows_released
    below = f"\n  {view.business_date} {terminal.say(MODES[view.mode])}"
    return [
        Text.assemble((f"{SIGNS[view.light]} ", STYLES[view.light]), name, (below, "dim")),
        f"{rows:,}" if rows is not None else "",
        size(view.sealed_bytes),
        *(_short(taken.get(stage)) for stage in ("extract", "release", "seal", "carry")),
        _short(sum(receiving) if receiving else None),
        _short(view.seconds),
        dots(view),
    ]


def _short(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f}"


def _k(terminal: Terminal, view: TransferView, name: str) -> list[Text]:
    if view.gate:
        title = Text(f"{name}: ", "bold")
        return hung(title, terminal.t(*headline(view.gate)), terminal.width)
    k, few = view.smallest_class, view.rows_below_k or 0
    total = view.rows_released or 0
    share = f"{100 * few / total:.1f}%" if total else "―"
    if k is not None and k >= K_WANTED:
        said = terminal.t(
            f"どの人にも、渡す全項目が同じ人が本人を含めて {k} 人以上います。",
            f"everybody shares all released columns with at least {k} people.",
        )
    else:
        said = terminal.t(
            f"渡す全項目を合わせると {K_WANTED} 人未満に絞られる人が {few:,} 人（{share}）います。",
            f"all columns together narrow {few:,} people ({share}) down to fewer than {K_WANTED}.",
        )
    head = Text.assemble((f"k = {k}  ", "bold"))
    still = terminal.t("抽象化済でも個人情報です。", " Coarsened data are still personal.")
    return hung(head, f"{name}: {said}{still}", terminal.width)
