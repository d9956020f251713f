"""The dry runs, who approved them, the record of changes, and the workspace."""

from kumobashi.console.wording.pairs import both

TEXT = {
    "workspace_intro": both(
        "環境、領域、業務システムと、その間の連携です。発行済みのディレクトリは第{version}版です。",
        "Sites, zones, systems and the links between them; version {version} of the directory.",
    ),
    "picture": both("図", "Picture"),
    "picture_alt": both(
        "環境と業務システムと連携の図。同じことを下の表にも書いています。",
        "Sites, systems and links as a picture; the table below says the same.",
    ),
    "open_picture": both(
        "図だけを開く（A4で印刷できます）", "Open the picture alone (prints on A4)"
    ),
    "from_system": both("送り元", "From"),
    "to_system": both("送り先", "To"),
    "not_counted": both(
        "件数と容量は、承認を依頼するときに数えます。",
        "Rows and size are counted when somebody asks for approval.",
    ),
    "left_out": both("出さない項目：", "Not sent:"),
    "open_plan": both("この連携の事前点検", "The plan of this link"),
    "plans_intro": both(
        "送る前の点検です。ここでは何も送りません。承認には、依頼した人とは別の人が必要です。",
        "The dry run of each link; nothing is sent here. Approval takes a second person.",
    ),
    "decision_number": both("判定番号", "Decision"),
    "base_date": both("基準日 {on}", "base date {on}"),
    "approved_by": both("承認した人", "Approved by"),
    "proposed_by": both("承認の依頼", "Approval asked for by"),
    "nobody_yet": both("まだ承認されていません", "not approved yet"),
    "standing_approved": both("承認済み", "approved"),
    "standing_unapproved": both("承認が必要", "needs approval"),
    "standing_refused": both("送れません", "not permitted"),
    "standing_drifted": both("承認後に変更", "changed since"),
    "stands_approved": both(
        "承認されたとおりです。このまま送れます。", "As it was approved; it may run."
    ),
    "stands_unapproved": both(
        "送れますが、まだ承認されていません。", "It may be sent once somebody approves it."
    ),
    "stands_refused": both(
        "このままでは送れません。理由と直し方は次のとおりです。", "Not as it is."
    ),
    "stands_drifted": both(
        "承認のあとで内容が変わりました。承認し直すまで送りません。",
        "The decision has changed since the approval; nothing is sent until it is approved anew.",
    ),
    "verdict_approved": both("送れます", "May be sent"),
    "verdict_unapproved": both("送れます（承認が必要です）", "May be sent, once approved"),
    "verdict_refused": both("送れません", "May not be sent"),
    "verdict_drifted": both("送れません（承認のあとで変わりました）", "Not sent: changed since"),
    "plan_sends_nothing": both("この点検は何も送りません。", "This dry run sends nothing."),
    "article": both("根拠：", "Source:"),
    "at_place": both("場所：", "Place:"),
    "example": both("例：", "Example:"),
    "cautions": both("気をつけること", "Mind"),
    "plan_rows": both("送る件数", "Rows to be sent"),
    "plan_size": both("容量・分割", "Size and parts"),
    "plan_seconds": both("見込み時間", "Expected time"),
    "what_becomes": both("何が、どう変わって出るか", "What becomes of each item"),
    "before": both("元の値", "Before"),
    "after": both("出る値", "After"),
    "how": both("扱い", "How"),
    "invented": both("例は架空の住民です。", "The example is an invented resident."),
    "approval": both("根拠と承認", "Basis and approval"),
    "since_approval": both("前回の承認から", "Since the approval"),
    "approve": both("判定 {number} を承認する", "Approve decision {number}"),
    "propose": both("承認を依頼する", "Ask for approval"),
    "approve_needs_account": both(
        "承認には利用者の登録が必要です（運用と承認の二人）：",
        "Approval takes two accounts, an operator's and an approver's:",
    ),
    "approve_by_another": both(
        "依頼は運用の人が、承認は別の承認者が行います。",
        "An operator asks; another person, an approver, approves.",
    ),
    "record_intro": both(
        "承認の依頼、承認、ディレクトリの発行を新しい順に並べています。",
        "Approvals asked for and given, and the directory's publication, the newest first.",
    ),
    "record_none": both("まだ記録はありません。", "There is no record yet."),
    "col_who": both("だれが", "Who"),
    "whole": both("全体", "all"),
    "search_plans": both("連携・判定番号・承認者で検索", "Search by link, number or approver"),
    "search_changes": both("連携・操作・人で検索", "Search by link, deed or person"),
    "pages_plans": both("事前点検のページ", "Pages of plans"),
    "pages_changes": both("変更履歴のページ", "Pages of changes"),
    "fig_k": both("k（最も小さい組）", "k (smallest class)"),
}
