"""How planning fails.

KumobashiError
└── PlanningFailed
    ├── WorkspaceBroken      files have mistakes; all of them are listed
    ├── WorkspaceExists      a sample is never written over a workspace
    ├── LinkUnknown
    ├── CampaignUnknown
    ├── CampaignUncounted    no release rule to count it with
    ├── PlanRefused          the plan does not permit the link
    ├── StillUsed, RegisteredAlready, NotRegistered, EntryUnfit, NothingToUndo
    └── ApprovalMissing
"""

from collections.abc import Sequence

from kumobashi.kernel import KumobashiError, Language
from kumobashi.storage.mistakes import Mistake


class PlanningFailed(KumobashiError):
    """The dry run could not be made."""

    code = "planning.failed"


class WorkspaceBroken(PlanningFailed):
    """Files of the workspace have mistakes."""

    code = "planning.workspace_broken"
    retryable = True  # what waits for a workspace goes on when it is right again
    ja = "連携設定に {count} 個の間違いがあります。"
    en = "The workspace has {count} mistakes."
    remedy_ja = "下の行を直してください。直すまで何も送りません。"
    remedy_en = "Correct these lines; nothing is sent until then."

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(count=len(self.mistakes))

    def lines(self, lang: Language = "ja") -> list[str]:
        """Return one line for each mistake."""
        return [mistake.say(lang) for mistake in self.mistakes]


class WorkspaceExists(PlanningFailed):
    """There is a workspace in the folder already."""

    code = "planning.workspace_exists"
    status = 409
    ja = "{folder} にはすでに連携設定があります。上書きしません。"
    en = "{folder} holds a workspace already; it is not overwritten."
    remedy_ja = "別のフォルダを指定してください。"
    remedy_en = "Name another folder."


class LinkUnknown(PlanningFailed):
    """No such link."""

    code = "planning.link_unknown"
    status = 404
    ja = "連携「{link}」はありません。"
    en = "There is no link {link!r}."
    remedy_ja = "あるのは次の連携です: {known}"
    remedy_en = "There are: {known}"


class CampaignUnknown(PlanningFailed):
    """No such campaign."""

    code = "planning.campaign_unknown"
    status = 404
    ja = "通知の定義「{campaign}」はありません。"
    en = "There is no campaign {campaign!r}."
    remedy_ja = "あるのは次の通知です: {known}"
    remedy_en = "There are: {known}"


class CampaignUncounted(PlanningFailed):
    """A campaign without coarsened condition that no predicate-only rule names."""

    code = "planning.campaign_uncounted"
    status = 409
    ja = "通知の定義「{campaign}」は、粗い条件もなく、庁内判定の提供ルールにも書かれていません。"
    en = (
        "The campaign {campaign!r} has no coarsened condition, and no predicate-only rule names it."
    )
    remedy_ja = "coarsened を書くか、predicate_only の提供ルールの campaigns に加えてください。"
    remedy_en = "Write coarsened, or name it under campaigns of a predicate-only rule."


class ApprovalMissing(PlanningFailed):
    """Nobody has approved the plan yet."""

    code = "planning.not_approved"
    status = 409
    ja = "連携「{link}」はまだ承認されていません。"
    en = "The link {link!r} has not been approved yet."
    remedy_ja = "事前点検を確かめて承認してください: kumobashi plan {link} --approve"
    remedy_en = "Read the plan and approve it: kumobashi plan {link} --approve"


class PlanRefused(PlanningFailed):
    """The plan does not permit the link."""

    code = "planning.refused"
    status = 403
    ja = "連携「{link}」は送れません（{reason}）。"
    en = "The link {link!r} may not run: {reason_en}."
    remedy_ja = "直し方を見てください: kumobashi plan {link}"
    remedy_en = "See what to do: kumobashi plan {link}"


class MoveRefused(PlanningFailed):
    """A system cannot move to that site."""

    code = "planning.move_refused"
    status = 409
    ja = "システム「{system}」を {site} へは移せません（いまの {line}）。"
    en = "The system {system!r} cannot move to {site!r} (it says {line})."
    remedy_ja = "中継ではなく、いまと違うサイトを --to に書いてください。"
    remedy_en = "Name another site than the one it is at, and no relay."


class WorkspaceMoved(PlanningFailed):
    """Somebody changed the files between the look and the change."""

    code = "planning.workspace_moved"
    status = 409
    retryable = True
    ja = "{file} かディレクトリが、確かめたあとに変わりました。何も変えていません。"
    en = "{file} or the directory changed after it was looked at; nothing was changed."
    remedy_ja = "もう一度実行してください。"
    remedy_en = "Run it again."


class StillUsed(WorkspaceBroken):
    """What is to be retired is named by others; their lines are told like mistakes."""

    code = "planning.still_used"
    status = 409
    retryable = False
    ja = "まだ {count} か所から使われているので、廃止できません。"
    en = "It cannot be retired: it is still used in {count} places."
    remedy_ja = "下の行をなくすか、ほかのものを指すようにしてから、もう一度実行してください。"
    remedy_en = "Remove these lines, or let them name another one, and run it again."


class RegisteredAlready(PlanningFailed):
    """There is one of this name."""

    code = "planning.registered_already"
    status = 409
    ja = "{kind}「{name}」はもう登録されています（{file}）。"
    en = "The {kind} {name!r} is registered already ({file})."
    remedy_ja = "変えるには: kumobashi directory change {kind} {name} KEY=VALUE"
    remedy_en = "To change it: kumobashi directory change {kind} {name} KEY=VALUE"


class NotRegistered(PlanningFailed):
    """There is none of this name, or what it belongs to is not there."""

    code = "planning.not_registered"
    status = 404
    ja = "{kind}「{name}」は登録されていません。"
    en = "No {kind} {name!r} is registered."
    remedy_ja = "登録されているものは kumobashi directory list と search で確かめてください。"
    remedy_en = "See what is: kumobashi directory list, kumobashi directory search."


class EntryUnfit(PlanningFailed):
    """What was given cannot be put into the file."""

    code = "planning.entry_unfit"
    status = 400
    ja = "{kind}「{name}」に書けません（{what}）。期待: {expected}"
    en = "It cannot be written to the {kind} {name!r} ({what}). Expected: {expected}"
    remedy_ja = "何も変えていません。kumobashi directory register --help の例を見てください。"
    remedy_en = "Nothing was changed. See the example of kumobashi directory register --help."


class NothingToUndo(PlanningFailed):
    """No change of the directory was kept."""

    code = "planning.nothing_to_undo"
    status = 409
    ja = "取り消せる変更がありません（register・change・retire で書いたものだけを取り消せます）。"
    en = "Nothing can be undone: only what register, change and retire wrote."
    remedy_ja = "ファイルを直して kumobashi directory publish で発行してください。"
    remedy_en = "Edit the files and publish them: kumobashi directory publish."


class NetworkUnknown(PlanningFailed):
    """The addresses of a site are not written down."""

    code = "planning.network_unknown"
    status = 409
    ja = "ゲートウェイの IP・MAC・機器が書かれていないので、機器の設定を作れません: {sites}"
    en = "No device can be told: network is not written for {sites}."
    remedy_ja = "sites/ のファイルに network（ip、mac、segment、device）を書いてください。"
    remedy_en = "Write network (ip, mac, segment, device) into the files in sites/."


class NetworkMixed(PlanningFailed):
    """One end of a connection has an IPv4 address, the other one IPv6: no packet has both."""

    code = "planning.network_mixed"
    status = 409
    ja = "{site} と {other} の IP アドレスの版（IPv4・IPv6）が違うので、機器の設定を作れません。"
    en = "No device can be told: of {site} and {other} one has IPv4 and the other IPv6."
    remedy_ja = "sites/ のファイルの network.ip を、両方が通信に使う版にそろえてください。"
    remedy_en = "Write both network.ip in sites/ in the version that the two use."


class DeviceUnknown(PlanningFailed):
    """No site names such a device."""

    code = "planning.device_unknown"
    status = 404
    ja = "機器「{device}」は、どのサイトの network にもありません。"
    en = "No site names the device {device!r}."
    remedy_ja = "書かれている機器: {known}"
    remedy_en = "There are: {known}"
