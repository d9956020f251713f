"""How the exchange fails.

KumobashiError
└── ExchangeFailed
    ├── IllegalMove          a fault of ours: no such move between states
    ├── Fenced               another process has taken this work over
    ├── PeerUnreachable      the next hop does not answer; try again
    │   ├── CertificateRefused   its entrance wants a client certificate, and not ours
    ├── PeerResting          the next hop is known to be down; it is not called
    ├── DoorsClosed          the next hop takes no calls at this hour
    ├── PeerRefused          the next hop answered no, with a code
    ├── ReceiverRestored     the receiver's state is older than what it has signed
    ├── Drifted              the decision has changed since it was approved
    ├── OutsideBounds        counts outside the approved bounds; a person decides
    ├── BundleUnlike         what was opened is not what the manifest says
    ├── RowsRefused          the receiver's validation found too much
    ├── StrangeCaller        the calling site may not hand bundles to this one
    ├── BytesUndecodable
    ├── PeerWithoutKeys      the next hop is of a release that knows no keys of transfers
    ├── DestinationBusy      other links are being measured for the same receiving system
    ├── HistoryLost          what a link has told cannot be read, so nothing is laid beside it
    ├── Unforeseen           a fault of ours; tried again
    ├── WaitsItsTurn         the transfer before it of the same link comes first
    ├── Paused               by a person
    ├── OrderKept            a link that keeps its order lets nothing overtake
    ├── HasLeft              what has left cannot be taken back
    ├── NothingToResend      no refused rows, or not yet applied
    ├── TooMuchUnclosed      a peer has more announced than this site keeps for it
    ├── BundleTooLarge       an announcement beyond what this site ever takes
    ├── NoIndividualList     a transfer that left no protected person to people
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


class CertificateRefused(PeerUnreachable):
    """What stands before the next hop asks for a client certificate and got no good one.

    How it refuses, with a page or by breaking TLS off, makes no difference.
    """

    code = "exchange.certificate_refused"
    ja = "{site_name} の入口が、こちらのクライアント証明書を受け付けません（{reason}）。"
    en = "The entrance of {site} does not take our client certificate ({reason_en})."
    remedy_ja = "private/<サイト>/tls/ の client.crt・client.key の有無・期限・発行者を確かめて"
    remedy_ja += "ください。置き直すと続きから自動で再開します。"
    remedy_en = "Look at client.crt and client.key in private/<site>/tls/: there, valid, of the"
    remedy_en += " issuer that they take? Work resumes by itself with better ones."


class PeerResting(ExchangeFailed):
    """The next hop is known to be down; only a probe calls it."""

    code = "exchange.peer_resting"
    retryable = True
    status = 503
    ja = "{site_name}が応答しないため、確かめの要求のほかは送っていません。"
    en = "{site} does not answer; only a probe calls it now."
    remedy_ja = "{site_name} の担当に連絡してください。復旧すると自動で再開します。"
    remedy_en = "Call whoever runs {site}; work resumes by itself."


class DoorsClosed(ExchangeFailed):
    """The next hop takes no calls at this hour."""

    code = "exchange.doors_closed"
    retryable = True
    status = 503
    ja = "{site_name}の受付時間外です。次に開くまで待っています。"
    en = "{site} takes no calls at this hour; waiting until it opens."
    remedy_ja = "開くと自動で始まります。急ぐときは {site_name} の担当に連絡してください。"
    remedy_en = "It begins by itself when {site} opens; if it is urgent, call whoever runs it."


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


class PeerWithoutKeys(ExchangeFailed):
    """The next hop does not say that it takes wrapped keys: an older release."""

    code = "exchange.peer_without_keys"
    status = 502
    ja = "{site_name} の版は転送ごとの鍵に対応していません。何も送っていません。"
    en = "{site} is of a release that knows no keys of transfers. Nothing was sent."
    remedy_ja = "{site_name} の kumobashi を新しい版にしてから、もう一度実行してください。"
    remedy_en = "Bring kumobashi at {site} to a newer release and run the link again."


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


class WaitsItsTurn(ExchangeFailed):
    """A link that keeps its order carries one transfer at a time."""

    code = "exchange.waits_its_turn"
    retryable = True
    status = 409
    ja = "順序を守る連携のため、前の転送（{before}）が終わるのを待っています。"
    en = "The link keeps its order: the transfer before it ({before}) comes first."
    remedy_ja = "前の転送が終わると自動で始まります。止まっていれば、その原因を見てください。"
    remedy_en = "It begins by itself when that one is over; if it stands still, see why."


class Paused(ExchangeFailed):
    """A person paused it."""

    code = "exchange.paused"
    retryable = True
    status = 409
    ja = "担当者が一時停止しています。"
    en = "Paused by a person."
    remedy_ja = "再開するまで送りません（kumobashi transfer resume、link resume）。"
    remedy_en = "Nothing is sent until kumobashi transfer resume, or link resume."


class OrderKept(ExchangeFailed):
    """A link that keeps its order lets nothing overtake."""

    code = "exchange.order_kept"
    status = 409
    ja = "連携「{link}」は順序を守るため、先に送ることはできません。"
    en = "Link {link} keeps its order: nothing may overtake."
    remedy_ja = "前の転送を終えるか、取りやめてください。"
    remedy_en = "Finish or cancel the transfers before it."


class HasLeft(ExchangeFailed):
    """What has left cannot be taken back."""

    code = "exchange.has_left"
    status = 409
    ja = "この転送はもう送り出しています（状態「{state}」）。取りやめも一時停止もできません。"
    en = "It has left (state {state}) and cannot be cancelled or paused."
    remedy_ja = "受け側が取り込むか断るまで待ってください。直すときは、取込のあとで送り直します。"
    remedy_en = "Wait until the receiver has applied or refused it; then send the correction."


class NothingToResend(ExchangeFailed):
    """Only what is over can be sent anew, and of rejected rows only those there are."""

    code = "exchange.nothing_to_resend"
    status = 409
    ja = "送り直すものがありません（{reason}）。"
    en = "There is nothing to send anew ({reason_en})."
    remedy_ja = "転送の状態と指摘の件数を確かめてください。"
    remedy_en = "Look at the state of the transfer and its findings."


class TooMuchUnclosed(ExchangeFailed):
    """A peer has announced more than this site keeps for it at once."""

    code = "exchange.too_much_unclosed"
    retryable = True
    status = 409
    ja = "{site} から預かっている、閉じていない封緘データが上限です（{what}: 上限 {limit}）。"
    en = "{site} has as much announced and unclosed here as this site keeps ({what}: {limit})."
    remedy_ja = "先のものが閉じると自動で受け付けます。続くときは上限と送り側を確かめてください。"
    remedy_en = (
        "It is taken when others are closed; if this goes on, check the limit and the sender."
    )


class BundleTooLarge(ExchangeFailed):
    """An announcement beyond what this site ever takes."""

    code = "exchange.bundle_too_large"
    status = 413
    ja = "予告された封緘データが、受けられる量を超えています（{what}: {got}、上限 {limit}）。"
    en = "The announced bundle is beyond what this site takes ({what}: {got}, at most {limit})."
    remedy_ja = "分けて送るか、受け側の上限（profile）を見直してもらってください。"
    remedy_en = "Send it in several, or have the receiver raise its limits (profile)."


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


class DestinationBusy(ExchangeFailed):
    """Other links to the same receiving system have been at their gates for long."""

    code = "exchange.destination_busy"
    retryable = True
    status = 409
    ja = "同じ受け取り側（{system}）への別の連携が、まだ危険度を測っています。"
    en = "Other links to {system} are still being measured."
    remedy_ja = "対応は要りません。終わりしだい自動で続けます。"
    remedy_en = "Nothing needs doing: it goes on when they are through."


class HistoryLost(ExchangeFailed):
    """What a destination was told cannot be read any more; nothing is released on a guess."""

    code = "exchange.history_lost"
    status = 409
    ja = (
        "連携 {link} が {on} の分で何を送ったかの控え（転送 {transfer}）が読めません。"
        "重ねて測れないため、何も送りませんでした。"
    )
    en = (
        "What the link {link} sent for {on} (transfer {transfer}) is no longer known here; nothing"
        " was sent, as nothing can be laid beside it."
    )
    remedy_ja = (
        "鍵の控えから戻す（kumobashi keys restore）か、その連携で送ったものの消去を確認するか、"
        "鍵の期（coding.epoch）を新しくしてください。"
    )
    remedy_en = (
        "Restore the keys from their backup (kumobashi keys restore), prove the deletion of what"
        " that link has sent, or begin a new key epoch (coding.epoch)."
    )


class NoIndividualList(ExchangeFailed):
    """Nobody was left to people, or the list is no longer kept."""

    code = "exchange.no_individual_list"
    status = 404
    ja = "転送 {transfer} の個別対応リストはありません。"
    en = "There is no list of individual cases of transfer {transfer}."
    remedy_ja = "一覧は kumobashi individual list で確かめられます。古いものは残りません。"
    remedy_en = "kumobashi individual list shows which there are; old ones are not kept."
