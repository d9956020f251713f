"""How the terminal fails.

KumobashiError
└── TerminalFailed
    ├── Usage               the command line cannot be read
    ├── NoWorkspace         no kumobashi.yaml here or above
    ├── GatewayRefused      the gateway answered no; its own code counts
    ├── NothingRuns         there is no transfer that the command could speak of
    ├── ProgramsMissing
    ├── PartnerUnknown      no system and no site of this name
    ├── PartnerUnreachable  a partner with a database of its own is not faked
    ├── PartnerThere        the place holds what is not of a fake partner
    ├── FolderTaken         the folder of demo or training holds what is not theirs
    ├── PortTaken           another program has the port of the training
    ├── ChildDied           a gateway that the demo started has ended
    └── Unexpected          what nobody foresaw
"""

from collections.abc import Mapping

from kumobashi.kernel import KumobashiError


class TerminalFailed(KumobashiError):
    """A command could not be carried out."""

    code = "cli.failed"


class Usage(TerminalFailed):
    """The command line cannot be read."""

    code = "cli.usage"
    ja = "{what}"
    en = "{what_en}"
    remedy_ja = "使い方: {command} --help"
    remedy_en = "See: {command} --help"


class NoWorkspace(TerminalFailed):
    """No workspace here."""

    code = "cli.no_workspace"
    ja = "{folder} にも、その上のフォルダにも連携設定（kumobashi.yaml）がありません。"
    en = "Neither {folder} nor a folder above holds a kumobashi.yaml."
    remedy_ja = "--workspace で場所を示すか、見本を作ってください: kumobashi init --sample city"
    remedy_en = "Name it with --workspace, or make a sample: kumobashi init --sample city"


class GatewayRefused(TerminalFailed):
    """The gateway answered with a problem document."""

    code = "cli.gateway_refused"
    ja = "{detail}"
    en = "{title}"
    remedy_ja = "{remedy}"
    remedy_en = "{remedy}"

    def __init__(self, problem: Mapping[str, object]) -> None:
        self.said = str(problem.get("code") or self.code)
        missing = problem.get("missing")
        self.missing = list(missing) if isinstance(missing, list) else []  # digests of parts
        super().__init__(
            detail=problem.get("detail") or problem.get("title") or self.said,
            title=problem.get("title") or self.said,
            remedy=problem.get("remedy") or "",
        )


class NothingRuns(TerminalFailed):
    """There is no transfer to speak of."""

    code = "cli.nothing_runs"
    ja = "連携「{link}」には {wanted} がありません。"
    en = "The link {link!r} has no {wanted_en}."
    remedy_ja = "いまの状態を見てください: kumobashi link show {link}"
    remedy_en = "See how it stands: kumobashi link show {link}"


class ProgramsMissing(TerminalFailed):
    """Programs or packages that the command needs are not installed."""

    code = "cli.programs_missing"
    ja = "必要なものが入っていません: {names}"
    en = "These are missing: {names}"
    remedy_ja = "入れてください: {how}"
    remedy_en = "Install them: {how}"


class PartnerUnknown(TerminalFailed):
    """No system and no site of this name."""

    code = "cli.partner_unknown"
    ja = "「{name}」というシステムもサイトもありません。あるもの: {known}。"
    en = "There is no system and no site {name!r}; there are: {known}."
    remedy_ja = "systems/ か sites/ にある名前を書いてください。"
    remedy_en = "Name one of systems/ or sites/."


class PartnerUnreachable(TerminalFailed):
    """A partner whose tables are in PostgreSQL."""

    code = "cli.partner_unreachable"
    ja = "{system} は PostgreSQL を使うので、代わりを立てられません。"
    en = "{system} uses PostgreSQL; no fake stands in for that."
    remedy_ja = "試す間だけ systems/{system}.yaml を store: {{kind: duckdb}} にしてください。"
    remedy_en = "While testing, let systems/{system}.yaml say store: {{kind: duckdb}}."


class PartnerThere(TerminalFailed):
    """What lies at the place was not put there by a fake partner."""

    code = "cli.partner_there"
    ja = "{place} にはすでに代わりの相手のものでないデータがあります。何も変えていません。"
    en = "{place} holds data that are not a fake partner's; nothing was changed."
    remedy_ja = "本物の相手があるなら代わりは要りません。試すなら別の連携設定フォルダで。"
    remedy_en = "A real partner needs no fake; to try things, use another workspace."


class FolderTaken(TerminalFailed):
    """The demo and the training only work in folders of their own."""

    code = "cli.folder_taken"
    ja = "{folder} にはデモや訓練のものでないファイルがあります。何も変えていません。"
    en = "{folder} holds files that are not the demo's or training's; nothing was changed."
    remedy_ja = "空のフォルダを --folder で指定してください。"
    remedy_en = "Name an empty folder with --folder."


class PortTaken(TerminalFailed):
    """Another program listens where a gateway of the training would."""

    code = "cli.port_taken"
    ja = "別のプログラムがポートを使っています: {url}"
    en = "Another program has the port: {url}"
    remedy_ja = "そのプログラムを終えるか、作り直して別のポートにしてください（--reset）。"
    remedy_en = "End that program, or make the training anew with other ports (--reset)."


class ChildDied(TerminalFailed):
    """A gateway that the demo started has ended."""

    code = "cli.child_died"
    ja = "{site} のゲートウェイが終わってしまいました（終了コード {exit_code}）。"
    en = "The gateway of {site} ended with {exit_code}."
    remedy_ja = "記録を見てください: {log}"
    remedy_en = "See its log: {log}"


class StoryStuck(TerminalFailed):
    """Nobody answered in a story of the demo."""

    code = "cli.story_stuck"
    ja = "デモの照会に {seconds:.0f} 秒たっても答えがありません。"
    en = "Nobody answered the demo's calls for {seconds:.0f} seconds."
    remedy_ja = "作業フォルダの city/var/log の記録を見てください。"
    remedy_en = "See the logs in city/var/log of the demo's folder."


class NoFilesElsewhere(TerminalFailed):
    """The system is not there, or its files do not lie elsewhere."""

    code = "cli.no_files_elsewhere"
    status = 404
    ja = "「{system}」は、ファイルをほかの置き場所（s3・sftp）に置くシステムではありません。"
    en = "{system!r} is no system whose files lie elsewhere (s3, sftp)."
    remedy_ja = "あるのは次のシステムです: {known}"
    remedy_en = "There are: {known}"


class Unexpected(TerminalFailed):
    """What nobody foresaw."""

    code = "cli.unexpected"
    ja = "予期しない失敗です（{kind}）。"
    en = "An unforeseen failure ({kind})."
    remedy_ja = "次の場所を添えて知らせてください: {where}"
    remedy_en = "Please report it with this place: {where}"
