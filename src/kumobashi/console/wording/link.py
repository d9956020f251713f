"""The page of one link: its transfer, counts, receipts, findings and days."""

from kumobashi.console.wording.pairs import both

TEXT = {
    "findings_json": both("JSONで保存", "Save as JSON"),
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
    "rows_unit": both("件", "rows"),
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
    "left_to_people": both(
        "ほかに支援措置の対象者 {count}人を送っていません。担当課が一人ずつ対応します：",
        "Besides, {count} protected persons were not sent; their section sees to each:",
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
    "history": both("これまでの転送", "Earlier transfers"),
    "history_none": both("これより前の転送はありません。", "There are no earlier transfers."),
    "col_day": both("対象日", "Business date"),
    "json": both("この連携をJSONで保存", "Save this link as JSON"),
}
