"""How the exchange fails.

KumobashiError
└── ExchangeFailed
    ├── IllegalMove          a fault of ours: no such move between states
    ├── Fenced               another process has taken this work over
    ├── PeerUnreachable      the next hop does not answer; try again
    ├── PeerRefused          the next hop answered no, with a code
    ├── ReceiverRestored     the receiver's state is older than what it has signed
    ├── Drifted              the decision has changed since it was approved
    ├── OutsideBounds        counts outside the approved bounds; a person decides
    ├── BundleUnlike         what was opened is not what the manifest says
    ├── RowsRefused          the receiver's validation found too much
    ├── StrangeCaller        the calling site may not hand bundles to this one
    ├── BytesUndecodable
    ├── Unforeseen           a fault of ours; tried again
    └── NoSuchTransfer
"""

from kumobashi.kernel import KumobashiError


class ExchangeFailed(KumobashiError):
    """The exchange could not go on."""

    code = "exchange.failed"


class IllegalMove(ExchangeFailed):
    """No such move between states."""

    code = "exchange.illegal_move"
    status = 409
    ja = "状態「{now}」から「{then}」へは進めません。"
    en = "A transfer cannot go from {now} to {then}."


class Fenced(ExchangeFailed):
    """A commit under a lease that another process has taken over meanwhile."""

    code = "exchange.fenced"
    status = 409
    ja = "この転送（{transfer}）は別の処理が引き継いでいます。古い処理の記録は受け付けません。"
    en = "Another process has taken {transfer} over; nothing of the old one is recorded."
    remedy_ja = "対応は要りません。引き継いだ処理が続けます。"
    remedy_en = "Nothing needs doing: the process that took over goes on."


class PeerUnreachable(ExchangeFailed):
    """The next hop does not answer."""

    code = "exchange.peer_unreachable"
    retryable = True
    status = 502
    ja = "{site_name}が応答していません（{reason_ja}）。"
    en = "{site} does not answer ({reason})."
    remedy_ja = "{site_name} の担当に連絡してください。復旧すると続きから自動で再開します。"
    remedy_en = "Call whoever runs {site}; work resumes by itself where it stopped."


class CourierAwaited(PeerUnreachable):
    """No line leads there, only media."""

    code = "exchange.courier_awaited"
    ja = "{site_name}へは回線がありません。媒体での持ち運びを待っています。"
    en = "No line leads to {site}; it waits to be carried on media."
    remedy_ja = "持出しを願い出てください: kumobashi courier ask --help"
    remedy_en = "Ask for a permit: kumobashi courier ask --help"


class PeerRefused(ExchangeFailed):
    """The next hop said no."""

    code = "exchange.peer_refused"
    status = 502
    ja = "{site_name} が受け取りを断りました（{peer_code}）。{peer_says}"
    en = "{site} refused ({peer_code})."
    remedy_ja = "{site_name} の担当に、この符号を伝えてください。"
    remedy_en = "Tell whoever runs {site} this code."


class ReceiverRestored(ExchangeFailed):
    """The receiver does not know any more what it has signed."""

    code = "exchange.receiver_restored"
    status = 409
    ja = "{site_name}の記録が、署名済みの到達確認より古くなっています（バックアップからの復元）。"
    en = "The records of {site} are older than receipts that it has signed: restored from a backup."
    remedy_ja = (
        "失われた分は新しい転送として全件で送り直します。"
        "{site_name} の担当に、いつの時点に復元したかを確かめてください。"
    )
    remedy_en = "What was lost is sent again in full; ask whoever runs {site} when it was restored."


class Drifted(ExchangeFailed):
    """The decision is not the one that was approved."""

    code = "exchange.drifted"
    status = 409
    ja = "承認のあとで内容が変わりました（{changes}）。送っていません。"
    en = "The decision has changed since it was approved ({changes}). Nothing was sent."
    remedy_ja = (
        "kumobashi plan {link} で変わった点を確かめ、よければ --approve で承認し直してください。"
    )
    remedy_en = "Look at kumobashi plan {link}; approve it anew with --approve if it is right."


class OutsideBounds(ExchangeFailed):
    """More or fewer rows than were approved."""

    code = "exchange.outside_bounds"
    status = 409
    ja = "{what}が承認の範囲の外です（承認 {low}〜{high}、今回 {got}）。送らずに待ちます。"
    en = "{what_en} is outside the approved bounds ({low} to {high}, now {got}). Nothing was sent."
    remedy_ja = "理由を確かめてから kumobashi link accept {link} で送るか、取りやめてください。"
    remedy_en = "Find out why, then kumobashi link accept {link}, or cancel it."


class BundleUnlike(ExchangeFailed):
    """What was opened is not what the manifest says."""

    code = "exchange.bundle_unlike"
    ja = "中身が送り側の記載と合いません（{what}: {expected} のはずが {got}）。取り込みません。"
    en = "The content is not what the manifest says ({what}: expected {expected}, got {got})."
    remedy_ja = "送り側に送り直してもらってください。"
    remedy_en = "Ask the sender to send it again."


class RowsRefused(ExchangeFailed):
    """Validation at the receiver."""

    code = "exchange.rows_refused"
    ja = "{rows} 件に指摘があるため取り込みませんでした（{first}）。"
    en = "Not applied: {rows} rows have findings ({first})."
    remedy_ja = "指摘の一覧を送り側の担当に渡し、直してから送り直してもらってください。"
    remedy_en = "Give the findings to the sender and have it sent again."


class StrangeCaller(ExchangeFailed):
    """The caller has no connection to this site in the directory."""

    code = "exchange.strange_caller"
    status = 403
    ja = "{site} からこのサイトへの接続は許されていません。"
    en = "{site} has no connection to this site."
    remedy_ja = "sites/{site}.yaml の connects_to とディレクトリの版を確かめてください。"
    remedy_en = "Check connects_to in sites/{site}.yaml and the version of the directory."


class Unforeseen(ExchangeFailed):
    """A fault of this software; the log of the gateway has the place."""

    code = "exchange.unforeseen"
    retryable = True
    status = 500
    ja = "ソフトウェアの不具合です（{kind}）。"
    en = "A fault of this software ({kind})."
    remedy_ja = "ゲートウェイのログを保守の担当に渡してください。間をおいて自動でやり直します。"
    remedy_en = "Give the gateway's log to whoever maintains it; it is tried again by itself."


class NoSuchTransfer(ExchangeFailed):
    """Nothing of that id."""

    code = "exchange.no_such_transfer"
    status = 404
    ja = "転送「{transfer}」はありません。"
    en = "There is no transfer {transfer}."


class BytesUndecodable(ExchangeFailed):
    """Bytes that are no characters of the charset they are said to be in."""

    code = "exchange.bytes_undecodable"
    ja = "{line} 行目に {charset} の文字でないバイトがあります。取り込みません。"
    en = "Line {line} has bytes that are not {charset}. Nothing was applied."
    remedy_ja = "送り側の文字コードの設定（characters.charset）を確かめてもらってください。"
    remedy_en = "Ask the sender to check characters.charset."
