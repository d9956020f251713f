"""The first page: how things stand, what failed and why, whom to call."""

from kumobashi.console.wording.pairs import both

TEXT = {
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
    "answer_none": both("連携はまだありません", "No links yet"),
    "answer_one": both("{total}件すべて {label}", "All {total} {label}"),
    "answer_some": both("{total}件中 {list}", "Of {total}: {list}"),
    "answer_item": both("{count}件 {label}", "{count} {label}"),
    "answer_comma": both("、", ", "),
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
    "overdue_requests": both("期限を過ぎた開示等の請求", "Overdue requests of residents"),
    "overdue_request": both(
        "{kind} ― 決定の期限 {day}。kumobashi request show {request}",
        "{kind}: due on {day}; kumobashi request show {request}",
    ),
    "overdue_receivers": both(
        "{kind} ― 提供先の確認の期限 {day}。kumobashi request show {request}",
        "{kind}: receivers should have confirmed by {day}; kumobashi request show {request}",
    ),
    "incidents": both("漏えい等の事案", "Incidents"),
    "incident": both(
        "事案 {incident}（{link}）。kumobashi incident show {incident}",
        "Incident {incident} ({link}); kumobashi incident show {incident}",
    ),
    "incident_touched": both(
        "事案 {incident} の記録が、書いたときのままではありません。kumobashi incident list",
        "The record of incident {incident} is not as it was written; kumobashi incident list",
    ),
    "report_prompt": both("速報", "Prompt report"),
    "report_final": both("確報", "Final report"),
    "clock_done": both("{report}: 済", "{report}: filed"),
    "clock_calm": both(
        "{report}: {day} まで（あと {days} 日）", "{report}: by {day} ({days} days)"
    ),
    "clock_soon": both(
        "{report}: {day} まで（あと {days} 日）― 期限が近づいています",
        "{report}: by {day} ({days} days); it is near",
    ),
    "clock_overdue": both(
        "{report}: 期限 {day} を {days} 日過ぎています",
        "{report}: due on {day}, {days} days late",
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
}
