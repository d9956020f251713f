"""How a call fails that nobody has permitted, at either end.

CallFailed
├── NotPermitted          no online link permits it
├── OperationNotPermitted the link does not permit this method and path
├── VersionOver           the version that is asked has ended
├── ItemNotPermitted      the link does not let an item be given
├── LinkNotReady          the link's plan is refused, not approved, or no agreement covers it
│   └── LinkChanging      its files are being changed; it is worth asking again
└── PlanDiffers           the two gateways decided differently
"""

from kumobashi.calls.errors import CallFailed, Side


class NotPermitted(CallFailed):
    """No online link lets this system ask that service."""

    code = "call.not_permitted"
    side = Side.ASKER
    status = 403
    ja = "{asker} から {service} への照会を許すオンライン連携がありません。"
    en = "No online link permits {asker} to ask {service}."
    remedy_ja = "calls/ に連携を書き、事前点検と承認を受けてください: kumobashi plan"
    remedy_en = "Declare the link in calls/ and have its plan approved: kumobashi plan"


class OperationNotPermitted(CallFailed):
    """The link permits other methods and paths only."""

    code = "call.operation_not_permitted"
    side = Side.ASKER
    status = 403
    ja = "連携 {link} は、この操作（{method}）を許していません。"
    en = "The link {link} does not permit this operation ({method})."
    remedy_ja = "許された操作: {permitted}"
    remedy_en = "Permitted: {permitted}"


class VersionOver(CallFailed):
    """The version of the service may not be asked any more."""

    code = "call.version_over"
    side = Side.ASKER
    status = 410
    ja = "この版（{version}）に照会できるのは {last_day} まででした。"
    en = "Version {version} could be asked until {last_day}."
    remedy_ja = "照会する側を新しい版に移してください: {others}"
    remedy_en = "Move whoever asks to a newer version: {others}"


class ItemNotPermitted(CallFailed):
    """The request holds more than the items that were judged."""

    code = "call.item_not_permitted"
    side = Side.ASKER
    status = 403
    ja = "連携 {link} で渡せるのは、次の項目だけです: {permitted}。何も送っていません。"
    en = "The link {link} lets only these items be given: {permitted}."
    remedy_ja = (
        "本文（JSON）と URL の検索条件から、ほかの項目を除いてください。要る項目なら、サービスの"
    )
    remedy_ja += " request に書き、事前点検と承認を受けてください。"
    remedy_en = "Leave other items out of body (JSON) and query; one that is needed goes into the"
    remedy_en += " service's request, to be planned and approved."


class LinkNotReady(CallFailed):
    """The link is declared, but may not be used now."""

    code = "call.link_not_ready"
    status = 403
    ja = "連携 {link} は今は使えません: {reason}"
    en = "The link {link} may not be used now: {reason_en}"
    remedy_ja = "kumobashi plan {link} で理由を確かめてください。"
    remedy_en = "See why: kumobashi plan {link}"


class LinkChanging(LinkNotReady):
    """Its plan is not the approved one just now: a change is half done, or nobody approved it."""

    code = "call.link_changing"
    status = 503
    retryable = True


class PlanDiffers(CallFailed):
    """The two gateways have another plan of the link in force."""

    code = "call.plan_differs"
    side = Side.ANSWERING_GATEWAY
    status = 409
    retryable = True
    ja = "連携 {link} の事前点検が、照会した側と回答する側で違います。"
    en = "The asking and the answering gateway have different plans of {link}."
    remedy_ja = "両方の連携設定フォルダを同じ版にして、承認し直してください。"
    remedy_en = "Bring both workspaces to the same state and approve it again."
