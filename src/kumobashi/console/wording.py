"""Every sentence of the console, in Japanese and in English, by a key.

Facts fill ``{braces}``; escaping is the template's work. Labels of closed sets stand in ``labels``.
"""

from kumobashi.exchange.views import Words
from kumobashi.kernel import Language


def both(ja: str, en: str) -> Words:
    """Return one sentence in both languages."""
    return Words(ja=ja, en=en)


TEXT = {
    "product": both("雲橋", "Kumobashi"),
    "overview": both("連携状況一覧", "State of links"),
    "morning": both("朝の確認", "This morning"),
    "plans": both("事前点検", "Plans"),
    "campaigns": both("通知の誤差", "Notices"),
    "campaigns_intro": both(
        "粗くしたデータで宛先を選ぶと、だれに余分に届き、だれに届かないかを、通知ごとに数えました。"
        "何も送っていません。",
        "For each notice: who would be told wrongly and who missed, were recipients chosen from"
        " coarsened data. Nothing was sent.",
    ),
    "campaigns_people": both("全住民 {people} 人で数えました。", "Counted over {people} people."),
    "campaigns_counted": both("数えた時刻", "Counted"),
    "campaigns_failed": both("数えられませんでした", "It could not be counted"),
    "campaigns_table": both("通知ごとの誤差", "Errors by notice"),
    "campaigns_none": both(
        "通知の定義（campaigns/）はありません。", "There are no campaigns (campaigns/)."
    ),
    "campaigns_note": both(
        "ピンポイント可: その人への通知に使えます。制度案内のみ可: 制度の案内だけにしてください。"
        "不可: 粗いデータでは送らず、庁内判定で送るか、広報で知らせてください。",
        "Fit for single persons; or for general notices only; or unfit: let the hall choose"
        " (predicate-only), or announce it publicly.",
    ),
    "campaigns_tells": both("通知のコードが語ること", "What the codes tell"),
    "campaigns_tells_intro": both(
        "庁内判定で送るときに出るのは、符号とこのコードだけです。それでも、コードから"
        "わかることがあります。",
        "In a predicate-only link a token and this code are all that leaves. The code still tells"
        " something.",
    ),
    "col_verdict": both("判定", "Verdict"),
    "col_campaign": both("通知", "Notice"),
    "col_meant": both("対象", "Meant"),
    "col_told": both("届く", "Told"),
    "col_wrong": both("余分", "Wrong"),
    "col_missed": both("漏れ", "Missed"),
    "col_precision": both("適合率", "Precision"),
    "col_recall": both("再現率", "Recall"),
    "of_consenting": both("同意者では {count}", "{count} consenting"),
    "record": both("変更履歴", "Record of changes"),
    "sign_in": both("サインイン", "Sign in"),
    "sign_out": both("サインアウト", "Sign out"),
    "account_name": both("利用者名", "Name"),
    "password": both("パスワード", "Password"),
    "code": both("確認コード（6桁）", "Code (six digits)"),
    "code_hint": both(
        "認証アプリに表示される数字です。30秒ごとに変わり、一度だけ使えます。",
        "The number in your authenticator; it changes every 30 seconds and is taken once.",
    ),
    "workspace": both("連携設定", "Workspace"),
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
    "error_409": both("何も変えていません", "Nothing was changed"),
    "error_403": both("この操作はできません", "This may not be done"),
    "in_training": both("訓練中", "In training"),
    "in_training_why": both(
        "架空の市です。ここから何も送られません。",
        "A fictional city; nothing leaves from here.",
    ),
    "training": both("訓練（架空の市）", "Training (a fictional city)"),
    "training_why": both(
        "人も数字も架空です。だれにも届きません。",
        "People and figures are invented; nobody is reached.",
    ),
    "switches": both("表示の切り替え", "Display"),
    "dates_western": both("西暦で表示", "Dates without era"),
    "dates_era": both("和暦で表示", "Dates with era"),
    "footer_keys": both(
        "キー：/ 検索、j・k 次・前の連携。", "Keys: / search, j and k next and previous link."
    ),
    "and_more": both("ほか {count}件", "and {count} more"),
    "alike": both("同じ原因：", "For the same reason:"),
    "others": both("ほか {count}件", "{count} more"),
    "more_calls": both(
        "このほか {count}件が対応を待っています。", "{count} more links need somebody."
    ),
    "first_links": both("連携状況", "Links"),
    "rest": both("残りは {count}件です。", "{count} more."),
    "rest_alike": both("残り {count}件はすべて {label} です。", "All {count} others: {label}."),
    "show_all": both("{total}件すべて表示", "Show all {total}"),
    "filter_site": both("環境（経路上）", "Site on the way"),
    "filter_system": both("業務システム", "System"),
    "filter_contact": both("連絡先", "Contact"),
    "sort": both("並び順", "Order"),
    "sort_urgent": both("対応が必要な順", "most urgent first"),
    "sort_name": both("名前の順", "by name"),
    "sort_newest": both("新しい順", "newest first"),
    "sort_rows": both("件数の多い順", "most rows first"),
    "sort_slowest": both("時間のかかった順", "slowest first"),
    "found_range": both(
        "{total}件のうち {first}〜{last}件目です。", "{first} to {last} of {total}."
    ),
    "pages_links": both("連携のページ", "Pages of links"),
    "pages_plans": both("事前点検のページ", "Pages of plans"),
    "pages_changes": both("変更履歴のページ", "Pages of changes"),
    "col_days": both("これまで", "Before"),
    "days_key": both("{count}日間、右端が今日", "{count} days, today at the right"),
    "days_label": both("{count}日間：", "{count} days: "),
    "days_none": both("実行なし", "nothing ran"),
    "days_legend": both(
        "四角ひとつが1日です。緑は取込済み、赤く高いもの（×）は停止・拒否、"
        "黄は承認待ち、青は処理中、細い線は実行なし。",
        "One square a day: green applied, tall red (×) stopped or refused, yellow held, "
        "blue under way, a thin line when nothing ran.",
    ),
    "findings_json": both("JSONで保存", "Save as JSON"),
    "skip": both("本文へ移動", "Skip to the content"),
    "menu": both("メニュー", "Menu"),
    "other_language": both("English", "日本語"),
    "answer_none": both("連携はまだありません", "No links yet"),
    "answer_one": both("{total}件すべて {label}", "All {total} {label}"),
    "answer_some": both("{total}件中 {list}", "Of {total}: {list}"),
    "answer_item": both("{count}件 {label}", "{count} {label}"),
    "answer_comma": both("、", ", "),
    "as_of": both("{at} 現在", "As of {at} JST"),
    "target_one": both("対象 {day}分", "for {day}"),
    "target_many": both("対象 {first}〜{last}分", "for {first} to {last}"),
    "undeleted": both("消去の証拠がないもの", "Deletions without proof"),
    "undeleted_title": both("消去の期限を過ぎています：", "Deletion is overdue: "),
    "undeleted_what": both(
        "{site}が、{day}の分（{rows}件）を消去した証拠を返していません。期限は {due} でした。",
        "{site} has not proved that it deleted the {rows} rows of {day}; that was due on {due}.",
    ),
    "undeleted_how": both(
        "電話して消去を確かめてください。証拠は自動で届きます。一覧: kumobashi deletion list",
        "Call and have it deleted; the proof comes by itself. All: kumobashi deletion list",
    ),
    "overdue_media": both("返却期日を過ぎた媒体", "Media that should be back"),
    "overdue_medium": both(
        "媒体 {labels} ― 期日 {day}、あて先 {site}。戻ったら消去し、"
        "kumobashi courier returned {permit} で記録します。",
        "{labels}: due on {day}, to {site}. Erase them when they are back and note it:"
        " kumobashi courier returned {permit}",
    ),
    "calls": both("対応が必要な連携", "Links that need somebody"),
    "stopped_title": both("止まっています：", "Stopped: "),
    "refused_title": both("拒否されました：", "Refused: "),
    "held_title": both("承認を待っています：", "Waiting for approval: "),
    "way": both("経路", "Way"),
    "way_stop": both("{parts}部分", "parts: {parts}"),
    "cause": both("原因", "Cause"),
    "cause_at": both("（{side}、{since} から）", " ({side}, since {since})"),
    "reached": both("{place}までは届いています。", "It has reached {place}."),
    "cause_unknown": both("原因の報告はまだ届いていません。", "No cause has been reported yet."),
    "remedy": both("対応", "What to do"),
    "effect": both("影響", "Effect"),
    "effect_old": both(
        "{to}では、{rows}のデータが {day}分のままです。",
        "{to}: data of {rows} are still as of {day}.",
    ),
    "effect_old_bare": both(
        "{to}のデータは {day}分のままです。", "{to}: data are still as of {day}."
    ),
    "effect_never": both(
        "{to}には、{rows}のデータがまだ届いていません。", "{to}: data of {rows} have never arrived."
    ),
    "effect_never_bare": both(
        "{to}にはデータがまだ届いていません。", "{to}: no data have arrived yet."
    ),
    "people": both("{count}人分", "{count} people"),
    "changes": both("{count}件の異動", "{count} changes"),
    "overdue": both(
        "期限 {deadline} を {span} 過ぎています。", "{span} past the deadline {deadline}."
    ),
    "contact": both("連絡先", "Whom to call"),
    "contact_none": both("連絡先が登録されていません。", "No contact is on file."),
    "next": both("これから", "What happens by itself"),
    "tried": both("これまで {tries}回 試しました。", "Tried {tries} times so far."),
    "behind": both(
        "同じ相手を待つ転送は {count} 件です。",
        "{count} transfers wait for the same neighbour.",
    ),
    "next_try": both("次は {at} に自動で試します。", "The next try is at {at}, by itself."),
    "then_parts": both(
        "応答があれば、残り {left}部分から再開します。",
        "Once answered, it resumes with the {left} parts left.",
    ),
    "then_resume": both(
        "応答があれば、途中から再開します。", "Once answered, it resumes where it was."
    ),
    "next_refused": both(
        "自動では再開しません。原因を直してから、もう一度実行してください。",
        "It does not resume by itself. Mend the cause, then run it again.",
    ),
    "next_held": both("承認されるまで何も送りません。", "Nothing is sent until somebody approves."),
    "next_none": both("自動の再試行は予定されていません。", "No further try is planned."),
    "open_link": both("この連携を開く", "Open this link"),
    "all_links": both("すべての連携", "All links"),
    "filter": both("絞り込み", "Filter"),
    "all": both("すべて", "All"),
    "search": both("連携・システム名で検索", "Search by link or system"),
    "search_plans": both("連携・判定番号・承認者で検索", "Search by link, number or approver"),
    "search_changes": both("連携・操作・人で検索", "Search by link, deed or person"),
    "search_go": both("検索", "Search"),
    "search_clear": both("条件を消す", "Clear"),
    "found": both("{total}件中 {count}件を表示しています。", "Showing {count} of {total}."),
    "found_none": both("条件に合う連携はありません。", "No link matches."),
    "col_state": both("状態", "State"),
    "col_link": both("連携", "Link"),
    "col_receipts": both("到達確認", "Receipts"),
    "col_rows": both("件数", "Rows"),
    "col_seconds": both("所要", "Time"),
    "col_findings": both("指摘", "Findings"),
    "dots": both("4段階中 {count}段階", "{count} of 4"),
    "dots_key": both("到達・復号・検証・取込", "delivered, opened, validated, applied"),
    "daily": both("毎日 {at}", "daily at {at}"),
    "by_hand": both("随時", "on demand"),
    "deadline": both("期限 {at}", "due {at}"),
    "day_of": both("{day}分", "for {day}"),
    "parts_of": both("部分 {done}／{total}", "parts {done}/{total}"),
    "findings_count": both("{count}件", "{count}"),
    "nothing": both("なし", "none"),
    "unknown_yet": both("まだわかりません", "not known yet"),
    "breadcrumb": both("現在の位置", "You are here"),
    "says_applied": both(
        "{day}分を {at} に取り込みました。", "Data for {day} were applied at {at}."
    ),
    "says_running": both("{day}分を処理しています。", "Data for {day} are on their way."),
    "says_waiting": both(
        "{day}分は相手の応答を待っています。応答があれば自動で再開します。",
        "Data for {day} wait for the other side; they resume by themselves.",
    ),
    "says_held": both(
        "{day}分は件数が承認範囲の外です。人の判断を待っています。",
        "Counts for {day} are outside the approved bounds; a person decides.",
    ),
    "says_stopped": both(
        "{day}分は止まっています。まだ取り込まれていません。",
        "Data for {day} are stopped; not applied.",
    ),
    "says_refused": both(
        "{day}分は拒否されました。何も取り込まれていません。",
        "Data for {day} were refused; nothing was applied.",
    ),
    "says_blocked": both(
        "事前点検で許可されないため、送れません。何も送っていません。",
        "The plan does not permit it; nothing was sent.",
    ),
    "says_never": both("まだ一度も実行していません。", "It has never run."),
    "says_past": both("これは過去の転送です。", "This is an earlier transfer."),
    "newest": both("最新の転送を見る", "See the newest transfer"),
    "about": both("この連携について", "About this link"),
    "link_id": both("連携ID", "Link id"),
    "from_to": both("送り元 → 送り先", "From → to"),
    "basis": both("法的根拠", "Legal basis"),
    "mode": both("方式", "Mode"),
    "schedule": both("予定", "Schedule"),
    "blocked_why": both("送れない理由", "Why it cannot be sent"),
    "figures": both("主な数字", "Main figures"),
    "fig_rows": both("取込", "Applied"),
    "fig_seconds": both("所要", "Time"),
    "fig_bytes": both("封緘後の大きさ", "Sealed size"),
    "fig_k": both("k（最も小さい組）", "k (smallest class)"),
    "rows_unit": both("件", "rows"),
    "people_unit": both("人", "people"),
    "stages": both("段階ごとの経過", "Stages"),
    "stage": both("段階", "Stage"),
    "bytes": both("大きさ", "Size"),
    "share": both("時間の内訳", "Share of time"),
    "started": both("開始 {at}", "started {at}"),
    "transfer_id": both("転送ID", "Transfer id"),
    "attempt": both(
        "{sequence}回目の転送、封緘 {attempt}回目", "run {sequence}, sealing {attempt}"
    ),
    "balance": both("件数の突合", "Reconciliation"),
    "balance_intro": both(
        "各地点の件数と部分の数を突き合わせた結果です。",
        "Counts of rows and parts, compared at every place on the way.",
    ),
    "off_by": both("差 {count}", "off by {count}"),
    "k_title": both("k：見分けにくさ", "k: how hard to single out"),
    "k_good": both(
        "どの人にも、提供する全項目の値が同じ人が、"
        "本人を含めて {k}人以上います（目安 {wanted}人）。",
        "Everybody shares the values of all released columns with at least {k} people, "
        "oneself included (wanted: {wanted}).",
    ),
    "k_low": both(
        "提供する全項目の値が同じ人が、"
        "本人を含めて {k}人しかいない組があります（目安 {wanted}人）。",
        "Some share the values of all released columns with only {k} people, "
        "oneself included (wanted: {wanted}).",
    ),
    "k_below": both(
        "{wanted}人未満の組に入る行は {rows}件です。",
        "Rows in classes smaller than {wanted}: {rows}.",
    ),
    "k_note": both(
        "抽象化済の個人情報です。k が大きくても、個人情報としての扱いは変わりません。",
        "These are coarsened personal data; a large k does not change how they must be handled.",
    ),
    "k_none": both("この転送では k を数えていません。", "k was not counted for this transfer."),
    "receipts": both("到達確認（署名つき）", "Signed receipts"),
    "receipts_none": both("到達確認はまだ届いていません。", "No receipt has arrived yet."),
    "col_site": both("発行した環境", "Issued by"),
    "col_time": both("時刻", "Time"),
    "col_digest": both("要約値（SHA-256）", "Digest (SHA-256)"),
    "col_code": both("理由コード", "Code"),
    "findings": both("指摘", "Findings"),
    "findings_none": both("指摘はありません。", "There are no findings."),
    "findings_some": both(
        "{total}件のうち {first}〜{last}件目です。", "{first} to {last} of {total}."
    ),
    "findings_cut": both(
        "ここに保存されているのは先頭の {held}件です。", "Only the first {held} are kept here."
    ),
    "findings_csv": both("指摘をCSVで保存（Excel用）", "Save findings as CSV (for Excel)"),
    "col_line": both("行", "Line"),
    "col_item": both("項目", "Item"),
    "col_what": both("内容", "What"),
    "col_expected": both("期待", "Expected"),
    "col_got": both("実際", "Got"),
    "col_same": both("同じ指摘の行数", "Rows alike"),
    "whole_file": both("全体", "whole"),
    "pages": both("指摘のページ", "Pages of findings"),
    "page_before": both("前のページ", "Previous page"),
    "page_after": both("次のページ", "Next page"),
    "page_of": both("{page}／{pages}ページ", "Page {page} of {pages}"),
    "history": both("これまでの転送", "Earlier transfers"),
    "history_none": both("これより前の転送はありません。", "There are no earlier transfers."),
    "col_day": both("対象日", "Business date"),
    "json": both("この連携をJSONで保存", "Save this link as JSON"),
    "error_404": both("ページが見つかりません", "There is no such page"),
    "error_404_why": both(
        "連携の名前が変わったか、アドレスが違います。",
        "The link was renamed, or the address is wrong.",
    ),
    "error_405": both("この操作はできません", "This cannot be done here"),
    "error_405_why": both(
        "この画面は見るだけです。何も変更していません。",
        "These pages only show; nothing was changed.",
    ),
    "error_500": both("画面を表示できませんでした", "The page could not be shown"),
    "error_500_why": both(
        "表示だけの失敗で、連携そのものの状態は変わっていません。少し待って開き直すか、"
        "端末で kumobashi link status を実行してください。",
        "Only showing failed; the links are as they were. "
        "Wait a little and reload, or run kumobashi link status.",
    ),
    "error_code": both("コード", "Code"),
    "back": both("連携状況一覧へ戻る", "Back to the state of links"),
    "footer": both("この画面に住民の情報は表示されません。", "No resident's data are shown here."),
    "footer_same": both("端末では {command}", "At a terminal: {command}"),
    "reload": both("最新の状態にする", "Refresh"),
    "live": both("実行中のため自動で更新しています", "Refreshing by itself while something runs"),
}


def say(key: str, lang: Language, **facts: object) -> str:
    """Return the sentence called ``key``, filled.

    >>> say("answer_item", "ja", count=3, label="取込済み")
    '3件 取込済み'
    """
    return pick(TEXT[key], lang).format_map(facts)


def pick(words: Words, lang: Language) -> str:
    """Return the sentence in this language."""
    return words.ja if lang == "ja" else words.en
