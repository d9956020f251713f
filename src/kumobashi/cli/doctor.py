"""``kumobashi doctor``: find what is wrong with this installation, before the night does."""

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.text import Text

from kumobashi.cli.checkup import Check, State, examine
from kumobashi.cli.command import command
from kumobashi.cli.errors import NoWorkspace
from kumobashi.cli.exits import Exit
from kumobashi.cli.terminal import Terminal
from kumobashi.cli.wording import hung, pad
from kumobashi.kernel import SystemClock

_NAME_WIDTH = 22  # columns
_STYLES = {State.GOOD: "green", State.CAUTION: "yellow", State.WRONG: "bold red"}


@command(
    "doctor",
    ja="導入・連携設定・鍵・相手のゲートウェイ・時計・空き容量・ポートを点検します。\n"
    "✓ よい、△ 注意（終了コード 0）、× 対応が必要（終了コード 1）。",
    en="Check installation, workspace, keys, peers, clocks, disk and ports.\n"
    "✓ good, △ with caution (exit 0), × somebody must act (exit 1).",
    example="kumobashi doctor",
)
def doctor(terminal: Terminal) -> Exit:
    """Check everything, and say what to do."""
    try:
        folder = terminal.folder
    except NoWorkspace:
        if terminal.wish:
            raise
        folder = None
    found = examine(folder, SystemClock())
    checks = list(found if terminal.as_json else _shown(terminal, found))
    if terminal.as_json:
        terminal.emit([check.plain(terminal.lang) for check in checks])
    counts = Counter(check.state for check in checks)
    if not terminal.as_json:
        told = "  ".join(f"{state.sign} {counts[state]}" for state in State)
        terminal.out.print(Text(f"\n{told}", "bold"))
    return Exit.RED if counts[State.WRONG] else Exit.OK


def _shown(terminal: Terminal, checks: Iterable[Check]) -> Iterator[Check]:
    """Print each as soon as it is known."""
    for check in checks:
        for line in _lines(terminal, check):
            terminal.out.print(line, soft_wrap=True)
        yield check


def _lines(terminal: Terminal, check: Check) -> Iterator[Text]:
    sign = (f"{check.state.sign} ", _STYLES[check.state])
    head = Text.assemble(sign, pad(terminal.say(check.name), _NAME_WIDTH), " ")
    yield from hung(head, terminal.say(check.said), terminal.width)
    if check.state is State.GOOD:
        return
    rest = (
        (terminal.t("場所", "where"), check.where),
        (terminal.t("期待", "expected"), terminal.say(check.expected)),
        (terminal.t("対応", "to do"), terminal.say(check.remedy)),
    )
    for label, text in rest:
        for number, part in enumerate(text.split("\n")):
            if part:
                word = label if number == 0 else ""
                lead = Text(" " * (_NAME_WIDTH + 3) + pad(word, 9), "dim")
                # Paths and commands are copied: they are never folded.
                yield Text.assemble(lead, part)
