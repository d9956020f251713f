"""What an operator may do about a link, and what it means before it is done."""

from kumobashi.console.wording.pairs import both

TEXT = {
    "deeds": both("操作", "What you can do"),
    "paused_since": both(
        "{since} から一時停止しています。まだ送り出していない転送は、再開するまで待ちます。",
        "Paused since {since}: what has not left waits until it is resumed.",
    ),
    "deed_pause": both("この連携を一時停止する", "Pause this link"),
    "deed_resume": both("この連携を再開する", "Resume this link"),
    "deed_cancel": both("この転送を取りやめる", "Cancel this transfer"),
    "deed_resend": both("この転送を送り直す", "Send this transfer again"),
    "deed_resend-rejected": both("直した行だけ送り直す", "Send only corrected rows again"),
    "ask_pause": both("この連携を一時停止しますか", "Pause this link?"),
    "ask_resume": both("この連携を再開しますか", "Resume this link?"),
    "ask_cancel": both("この転送を取りやめますか", "Cancel this transfer?"),
    "ask_resend": both("この転送を送り直しますか", "Send this transfer again?"),
    "ask_resend-rejected": both("直した行だけ送り直しますか", "Send only corrected rows again?"),
    "what_pause": both(
        "まだ送り出していない転送は、再開するまで待ちます。送り出した転送は止まらず、最後まで進みます。",
        "What has not left waits until the link is resumed. What has left goes on to its end.",
    ),
    "what_resume": both(
        "待っている転送を、順に送り出します。", "What waits is sent out in its turn."
    ),
    "what_cancel": both(
        "受け側では何も取り込まれません。取りやめは元に戻せませんが、あとから送り直せます。",
        "Nothing of it will be applied. It cannot be undone; it can be sent again later.",
    ),
    "what_resend": both(
        "同じ対象日の全件を、新しい転送として送ります。いまの事前点検と承認を確かめてから始めます。",
        "All rows for the same business date are sent as a new transfer, once the plan and its"
        " approval are found good.",
    ),
    "what_resend-rejected": both(
        "隔離された行のうち直したものと、前回から変わった行だけを、新しい転送として送ります。",
        "Rows that were set aside and have been corrected, and what has changed since, are sent as"
        " a new transfer.",
    ),
    "deed_target": both("対象", "What"),
    "deed_now": both("いまの状態", "Now"),
    "deed_who": both("操作する人", "Who does it"),
    "deed_noted": both(
        "だれが・いつ・何をしたかが証跡に残ります。",
        "Who did what, and when, is kept in the evidence log.",
    ),
    "deed_back": both("やめて戻る", "Leave it and go back"),
    "deed_too_late": both(
        "いまはできません。画面を開いたあとで状態が変わりました。",
        "This cannot be done now: its state has changed.",
    ),
    "deeds_need_account": both(
        "一時停止・取りやめ・送り直しには、運用の利用者の登録が必要です：",
        "Pausing, cancelling and sending again take an operator's account:",
    ),
    "deeds_by_operator": both(
        "一時停止・取りやめ・送り直しは、運用の人ができます。",
        "Operators may pause, cancel and send again.",
    ),
}
