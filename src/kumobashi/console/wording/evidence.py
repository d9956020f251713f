"""証跡: the records of a site, their proofs, and days that are not an account's own."""

from kumobashi.console.wording.pairs import both

TEXT = {
    "evidence": both("証跡", "Evidence"),
    "evidence_right": both(
        "証跡は署名したときのままです", "The evidence is as it was when it was signed"
    ),
    "evidence_touched": both(
        "証跡が、署名したときと合いません", "The evidence is not what was signed"
    ),
    "evidence_peer_touched": both(
        "相手の証跡が、前に見たものと合いません: {sites}",
        "The evidence of others is not what it was: {sites}",
    ),
    "evidence_open": both(
        "確かめることがあるアクセス: {count} 件", "Unusual access to look into: {count}"
    ),
    "evidence_touched_do": both(
        "原本と控えを保全し、監査の担当に知らせてください。変わった最初の記録は次の命令が示します。",
        "Secure the original and tell the auditor. This command names the first changed record:",
    ),
    "evidence_state": both(
        "記録 {size} 件。署名済み {signed} 件（{at}）、番号待ち {waiting} 件。",
        "{size} records, {signed} signed ({at}), {waiting} waiting for a number.",
    ),
    "evidence_unsigned": both(
        "記録 {size} 件。まだ署名がありません。番号待ち {waiting} 件。",
        "{size} records, none signed yet, {waiting} waiting for a number.",
    ),
    "unusual": both("ふだんと違うアクセス", "Unusual access"),
    "unusual_none": both(
        "この30日に、ふだんと違うアクセスはありません。",
        "No unusual access within 30 days.",
    ),
    "unusual_intro": both(
        "数の決まりで選んだものです。悪いことをしたとは限りません。本人か上司に聞いて、答えを残します。"
        "自分の行には答えられません。",
        "Chosen by counting; nobody is accused. Ask the person or who leads them, and note the "
        "answer. Nobody answers for themselves.",
    ),
    "unusual_who": both("だれが", "Who"),
    "unusual_day": both("いつ", "When"),
    "unusual_what": both("何が違うか", "What is unusual"),
    "unusual_answer": both("確かめた結果", "Answer"),
    "unusual_open": both("未確認", "Open"),
    "unusual_do": both("答え", "Answer"),
    "unusual_own": both("自分の行です", "Your own row"),
    "rule_many": both(
        "1日に {count} 回、住民の情報を見た（ふだんは {usual} 回ほど）",
        "Looked at residents {count} times in a day (usually about {usual})",
    ),
    "rule_hours": both(
        "夜間か休日に {count} 回見た（その前の90日では {usual} 日だけ）",
        "Looked {count} times at night or on a weekend (on {usual} days within 90 before)",
    ),
    "rule_refused": both(
        "権限のない画面や操作を {count} 回以上求めた",
        "Asked {count} times or more for what it may not do",
    ),
    "rule_outside": both(
        "事業者側の人が、住民の情報を {count} 回求めた",
        "Somebody of a provider asked for residents' records, {count} times",
    ),
    "rule_return": both(
        "{count} 日ぶりに住民の情報を見た", "The first look at a resident in {count} days"
    ),
    "answer_duty": both("業務だった", "It was their work"),
    "answer_mistake": both("操作の誤り", "A mistake"),
    "answer_passed-on": both("個人情報の担当へ渡した", "Passed on"),
    "answer_for": both("{name} の {day} の行: {answer}", "{name}, {day}: {answer}"),
    "records": both("記録", "Records"),
    "evidence_since": both("この日から", "From"),
    "evidence_until": both("この日まで", "To"),
    "evidence_topic": both("種類", "About"),
    "evidence_by": both("だれが（利用者の名前）", "Who (account)"),
    "evidence_q": both("連携・転送・サイト・符号", "Link, transfer, site or code"),
    "evidence_any": both("すべて", "All"),
    "topic_access": both("アクセス", "Access"),
    "topic_transfer": both("転送", "Transfers"),
    "topic_decision": both("承認・協議", "Decisions"),
    "topic_person": both("住民からの求め・同意・ひも付け", "Residents"),
    "topic_incident": both("漏えい等の事案", "Incidents"),
    "topic_log": both("証跡どうしの確認", "Logs of others"),
    "evidence_none": both("条件に合う記録はありません。", "No record matches."),
    "evidence_found": both("{count} 件（新しい順）", "{count} records, the newest first"),
    "evidence_older": both("もっと古い記録", "Older records"),
    "evidence_on": both(
        "ここまで {count} 件を調べました。続きがあります。",
        "{count} records were looked at so far; there are more.",
    ),
    "evidence_newest": both("いちばん新しい記録へ", "Back to the newest"),
    "evidence_csv": both("CSVで保存（1万件まで）", "Save as CSV (up to 10,000)"),
    "evidence_csv_more": both(
        "もっと多いとき、監査人に渡すとき:", "For more of them, or to hand over to an auditor:"
    ),
    "evidence_saved": both("保存したことも記録に残ります。", "Saving is a record, too."),
    "witnesses": both("相手の証跡の確認", "Logs of others"),
    "witness_site": both("サイト", "Site"),
    "witness_size": both("見た件数", "Records seen"),
    "witness_at": both("いつ", "When"),
    "witness_verdict": both("結果", "Result"),
    "witness_sound": both("前に見たものに続いている", "Goes on from what was seen before"),
    "witness_touched": both("前に見たものと合わない", "Is not what was seen before"),
    "witness_none": both("まだ相手の証跡を見ていません。", "No log of others was seen yet."),
    "record_title": both("記録 {number}", "Record {number}"),
    "record_proved": both(
        "署名したときのままです。{size} 件までの署名に含まれることを、いま確かめました。",
        "As it was signed: just checked to be in the signature over {size} records.",
    ),
    "record_wrong": both("署名したものと合いません。", "This is not what was signed."),
    "record_unsigned": both(
        "まだ署名がありません。次の区切り（10秒ほど）で署名されます。",
        "Not signed yet; the next checkpoint, within ten seconds or so, covers it.",
    ),
    "record_raw": both("記録そのもの（1文字も変えていません）", "The record, byte for byte"),
    "record_save": both("記録と証明を保存（JSON）", "Save record and proof (JSON)"),
    "record_proof": both(
        "証明は RFC 9162 の形（{count} 個のハッシュ値）です。",
        "The proof has the shape of RFC 9162 ({count} hashes).",
    ),
    "record_before": both("1つ前の記録", "The record before"),
    "record_after": both("1つ後の記録", "The record after"),
    "record_facts": both("読み方", "What it says"),
}
