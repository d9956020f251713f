"""Agreements between offices (利用協議): their states, acts, and what each act will do."""

from kumobashi.agreements.states import Act, State
from kumobashi.console.wording.pairs import both

_STATES_EN = {
    State.DRAFT: "draft",
    State.APPLIED: "waits for review",
    State.OWNER_REVIEW: "waits for concurrence",
    State.GENERAL_AFFAIRS_CONCUR: "waits for decision",
    State.DECIDED: "decided",
    State.REFUSED: "refused",
    State.IN_FORCE: "in force",
    State.EXPIRED: "expired",
    State.WITHDRAWN: "withdrawn",
}
_STATES_JA = {
    State.APPLIED: "審査待ち",
    State.OWNER_REVIEW: "合議待ち",
    State.GENERAL_AFFAIRS_CONCUR: "決定待ち",
    State.DECIDED: "開始待ち",
}
_ACTS_EN = {
    Act.CREATE: "draft",
    Act.EDIT: "edit",
    Act.SUBMIT: "apply",
    Act.REVIEW: "review",
    Act.CONCUR: "concur",
    Act.APPROVE: "approve",
    Act.REFUSE: "refuse",
    Act.RETURN: "send back",
    Act.WITHDRAW: "withdraw",
    Act.REGISTER: "register processors",
    Act.BEGIN: "in force",
    Act.EXPIRE: "expired",
    Act.SUPERSEDE: "replaced",
}
TEXT = {
    "agreements": both("利用協議", "Agreements"),
    "agreements_intro": both(
        "連携は、効力のある利用協議のある間だけ送ります。申請・審査・合議・決定を、別々の人が行います。",
        "A link is sent only while an agreement is in force; different people apply, review, concur"
        " and decide.",
    ),
    "agreements_all": both("利用協議の一覧", "All agreements"),
    "agreements_search": both("文書番号・連携・目的で探す", "Search number, link, purpose"),
    "agreements_none": both("当てはまる利用協議はありません。", "There are no such agreements."),
    "agreements_pages": both("ページ", "Pages"),
    "agreements_newest": both("新しいものへ", "Newest"),
    "agreements_older": both("古いものへ", "Older"),
    "agreements_waiting": both("手続を待っている利用協議", "Agreements that wait for an office"),
    "agreements_waiting_all": both("手続待ちをすべて見る", "See all that wait"),
    "agreement_state_waiting": both("手続待ち", "waits for an office"),
    **{
        f"agreement_state_{state}": both(_STATES_JA.get(state, state.ja), _STATES_EN[state])
        for state in State
    },
    **{f"agreement_act_{act}": both(act.ja, _ACTS_EN[act]) for act in Act},
    "agreement_number": both("文書番号", "Number"),
    "agreement_sections": both("申請課 → 所管課", "Applicant → owner"),
    "agreement_last": both("期間の終わり", "Ends"),
    "agreement_needs": both("督促・お知らせ", "To be seen to"),
    "agreement_forged": both(
        "この利用協議では何も送りません。監査担当に知らせてください。",
        "Nothing is sent under it; tell the auditor.",
    ),
    "agreement_waits": both("（{who}の番です）", " (waits for {who})"),
    "agreement_steps": both("手続の進みぐあい", "How far it is"),
    "agreement_step_ahead": both("これから", "ahead"),
    "agreement_step_now": both("いまここ", "now"),
    "agreement_step_done": both("済み", "done"),
    "agreement_deputy": both("代", "deputy"),
    "agreement_gateway": both("ゲートウェイ", "gateway"),
    "agreement_need_account": both("手続には利用者の登録が必要です：", "Acting takes an account:"),
    "agreement_not_mine": both(
        "いま、あなたにできる手続はありません。", "There is nothing here that you may do now."
    ),
    "agreement_print_application": both("申請書を開く（印刷）", "Print the application"),
    "agreement_print_notice": both("決定通知書を開く（印刷）", "Print the notice"),
    "agreement_what": both("内容", "What it is about"),
    "agreement_purpose": both("利用の目的", "Purpose"),
    "agreement_basis": both("法的根拠", "Legal basis"),
    "agreement_term": both("利用の期間", "Term"),
    "agreement_items": both("項目", "Items"),
    "agreement_conditions": both("条件", "Conditions"),
    "agreement_plan": both("事前点検", "Plan"),
    "agreement_files": both("添付", "Attachments"),
    "agreement_attach": both("ファイルを添付する", "Attach a file"),
    "agreement_attach_note": both(
        "1つ 10 MiB、20個、合わせて 50 MiB まで。同じ名前なら置き換えます。",
        "Up to 10 MiB each, 20 files, 50 MiB together; one of the same name is replaced.",
    ),
    "agreement_attach_do": both("添付する", "Attach"),
    "agreement_upload_register": both("台帳のファイル（YAML）", "The register (YAML)"),
    "agreement_upload_register_note": both(
        "いまの台帳の全部を、このファイルに替えます。書き方は kumobashi agreement processors の"
        "ものと同じです。",
        "It replaces the whole register; written as for kumobashi agreement processors.",
    ),
    "agreement_upload_register_do": both("台帳を替える", "Replace the register"),
    "agreement_register": both("再委託台帳", "Processors"),
    "agreement_level": both("段階", "Level"),
    "agreement_processor": both("事業者", "Business"),
    "agreement_task": both("業務", "Task"),
    "agreement_place": both("データのある所", "Place of data"),
    "agreement_permission": both("許可番号", "Permission"),
    "agreement_until": both("許可の期限", "Until"),
    "agreement_history": both("手続の履歴", "History"),
    "agreement_when": both("日時", "When"),
    "agreement_act": both("手続", "Act"),
    "agreement_who": both("だれが", "Who"),
    "agreement_note": both("備考", "Note"),
    "agreement_clock": both("機械の時計は {at} を指していました", "the clock said {at}"),
    "agreement_signed": both(
        "手続は1つずつ署名され、前の手続につながり、証跡にも残ります。"
        "確かめるには：kumobashi agreement verify",
        "Each move is signed, chained to the one before, and kept in the evidence log."
        " To verify: kumobashi agreement verify",
    ),
    "agreement_note_field": both("備考（個人の名前は書かない）", "Note (no names of residents)"),
    "agreement_condition_field": both("決定で付ける条件", "Condition of the decision"),
    "agreement_capacity": both("どの立場で", "In which capacity"),
    "agreement_as_myself": both("自分として", "as myself"),
    "agreement_as_deputy": both("{who} の代決として", "as deputy of {who}"),
    "agreement_draft_new": both("新しい利用協議を起案する", "Draft an application"),
    "agreement_draft_edit": both("起案を直す", "Change the draft"),
    "agreement_draft_intro": both(
        "項目と粗さは、連携の事前点検から写されます。起案しただけでは、まだ申請になりません。",
        "Items and how coarse they are come from the plan of the link. A draft is not applied for"
        " yet.",
    ),
    "agreement_draft_not_mine": both(
        "起案できるのは、kumobashi.yaml の agreements: で申請（apply）を任された人だけです。",
        "Only those whom agreements: in kumobashi.yaml lets apply may draft.",
    ),
    "agreement_draft_wrong": both("まだ起案していません", "Not kept yet"),
    "agreement_draft_see_plan": both("事前点検を見る", "See its plan"),
    "agreement_draft_link_note": both(
        "連携の ID。打つと候補が出ます。", "The id of a link; typing proposes some."
    ),
    "agreement_draft_owner": both("所管課（データの持ち主）", "Section that owns the data"),
    "agreement_draft_choose": both("選んでください", "choose one"),
    "agreement_draft_purpose_note": both(
        "何のために、だれに、どう使うか。申請書と決定通知書に印刷されます（2,000字まで）。",
        "What for, for whom and how; printed on both papers (2,000 characters).",
    ),
    "agreement_draft_first": both("期間の始め", "First day"),
    "agreement_draft_last": both("期間の終わり", "Last day"),
    "agreement_draft_conditions": both("条件（1行に1つ）", "Conditions, one a line"),
    "agreement_draft_keep": both("起案する", "Keep the draft"),
    "agreement_draft_next": both(
        "次の画面で項目を確かめて、申請します。添付と再委託台帳は kumobashi agreement attach・"
        "processors で加えます。",
        "The next page shows the items and lets you apply. Attachments and processors are added by"
        " kumobashi agreement attach and processors.",
    ),
    "agreement_link_apply": both(
        "この連携の利用協議を起案する", "Draft an agreement for this link"
    ),
    "agreement_ask_submit": both("申請しますか", "Apply?"),
    "agreement_ask_review": both("審査済みとして総務課へ回しますか", "Pass the review?"),
    "agreement_ask_concur": both("合議済みとして決定へ回しますか", "Concur?"),
    "agreement_ask_approve": both("承認しますか", "Approve?"),
    "agreement_ask_refuse": both("承認しないと決定しますか", "Refuse?"),
    "agreement_ask_return": both("起案に差し戻しますか", "Send it back?"),
    "agreement_ask_withdraw": both("取り下げ・撤回しますか", "Withdraw?"),
    "agreement_what_submit": both(
        "文書番号が付き、所管課の審査を待ちます。差し戻されるまで、内容は変えられません。",
        "It gets its number and waits for review; it cannot be changed until it is sent back.",
    ),
    "agreement_what_review": both(
        "所管課として問題がないと認めます。次は総務課の合議です。審査した人は合議できません。",
        "You find it good for the section that owns the data; then another person concurs.",
    ),
    "agreement_what_concur": both(
        "総務課として同意します。次は決定です。",
        "You concur for general affairs; then it is decided.",
    ),
    "agreement_what_approve": both(
        "期間が始まっていれば、すぐ効力を持ちます。この事前点検の内容だけが認められます。",
        "In force at once when its term has begun, for the plan as it was applied for.",
    ),
    "agreement_what_refuse": both(
        "この申請は終わります。申請し直すには、新しい申請が要ります。",
        "This application ends; a new one is needed to ask again.",
    ),
    "agreement_what_return": both(
        "申請した課が直して、もう一度申請できます。直すところを備考に書いてください。",
        "The applicants can correct it and apply again; say in the note what to correct.",
    ),
    "agreement_what_withdraw": both(
        "元に戻せません。この利用協議で待っている転送と動いている転送は、数秒で取りやめになります。",
        "It cannot be undone. Transfers that wait or run under it are cancelled within seconds.",
    ),
}
