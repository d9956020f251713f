"""What a command's exit code means: one table, for the program, its pages and its tests.

>>> exit_of("exchange.drifted").name, exit_of("exchange.rows_refused").name
('DRIFTED', 'REFUSED')
"""

from collections.abc import Mapping
from enum import IntEnum

from kumobashi.exchange.views import Light, Words


class Exit(IntEnum):
    """The exit codes of every command."""

    OK = 0
    RED = 1
    REFUSED = 2
    DRIFTED = 3
    GATEWAY_DOWN = 4
    HELD = 5
    USAGE = 64  # EX_USAGE of sysexits.h
    UNEXPECTED = 70  # EX_SOFTWARE


MEANINGS: Mapping[Exit, Words] = {
    Exit.OK: Words(ja="できました。", en="Done."),
    Exit.RED: Words(
        ja="対応が必要です（赤い連携、期限を過ぎた消去、doctor の ×、時間内に終わらない転送）。",
        en="Somebody must act: a red link, an overdue deletion, doctor's ×, a transfer not over.",
    ),
    Exit.REFUSED: Words(
        ja="断りました（事前点検で送れない、承認がない、設定の間違いなど）。何も送っていません。",
        en="Refused: by the plan, unapproved, or for a mistake in a file. Nothing was sent.",
    ),
    Exit.DRIFTED: Words(
        ja="承認のあとで内容が変わりました（ディレクトリの2つの版が違うときも）。"
        "または、必要なプログラムがありません。",
        en="The decision has changed since it was approved, two versions of the directory differ,"
        " or a program is missing.",
    ),
    Exit.GATEWAY_DOWN: Words(ja="ゲートウェイが応答しません。", en="A gateway does not answer."),
    Exit.HELD: Words(
        ja="人の判断を待っています（承認の範囲を外れた件数や容量、法令で保存するものの消去）。",
        en="A person decides: counts outside the bounds, the deletion of what a law keeps.",
    ),
    Exit.USAGE: Words(
        ja="コマンドの書き方か、指定した名前が違います。",
        en="The command line is wrong, or it names something that is not there.",
    ),
    Exit.UNEXPECTED: Words(
        ja="予期しない失敗です。記録を添えて知らせてください。",
        en="An unforeseen failure; please report it with the log.",
    ),
}

_BY_CODE = {
    "agreement.plan_drifted": Exit.DRIFTED,
    "agreement.unknown": Exit.USAGE,
    "catalogue.item_unknown": Exit.USAGE,
    "catalogue.layout_unknown": Exit.USAGE,
    "cli.usage": Exit.USAGE,
    "directory.system_unknown": Exit.USAGE,
    "directory.version_unknown": Exit.USAGE,
    "cli.no_workspace": Exit.USAGE,
    "cli.programs_missing": Exit.DRIFTED,
    "cli.unexpected": Exit.UNEXPECTED,
    "evidence.nothing_signed": Exit.USAGE,
    "evidence.record_not_found": Exit.USAGE,
    "exchange.drifted": Exit.DRIFTED,
    "exchange.no_such_transfer": Exit.USAGE,
    "exchange.nothing_held": Exit.USAGE,
    "exchange.outside_bounds": Exit.HELD,
    "incident.unknown": Exit.USAGE,
    "kumobashi.failed": Exit.UNEXPECTED,
    "planning.campaign_unknown": Exit.USAGE,
    "planning.entry_unfit": Exit.USAGE,
    "planning.link_unknown": Exit.USAGE,
    "planning.not_registered": Exit.USAGE,
    "risk.column_twice": Exit.USAGE,
    "risk.column_unknown": Exit.USAGE,
    "risk.no_columns": Exit.USAGE,
    "service.gateway_down": Exit.GATEWAY_DOWN,
    "service.site_missing": Exit.USAGE,
}
_BY_LIGHT = {
    Light.REFUSED: Exit.REFUSED,
    Light.BLOCKED: Exit.REFUSED,
    Light.NEVER: Exit.REFUSED,  # cancelled before anything was sent
    Light.HELD: Exit.HELD,
    Light.STOPPED: Exit.RED,
    Light.WAITING: Exit.RED,
    Light.RUNNING: Exit.RED,
    Light.APPLIED: Exit.OK,
}


def exit_of(code: str) -> Exit:
    """Return the exit code for an error's code; what nobody put here is a refusal."""
    return _BY_CODE.get(code, Exit.REFUSED)


def exit_of_transfer(light: Light) -> Exit:
    """Return the exit code for a transfer that is no longer watched."""
    return _BY_LIGHT[light]
