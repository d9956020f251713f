"""How messages between gateways fail.

KumobashiError
└── MessageFailed
    ├── FormatUnknown
    ├── FieldWrong
    ├── PartsMissing
    ├── KeyMissing            the wrapped key of the transfer has not come
    ├── PartAltered
    ├── PartTooLarge
    ├── PartNotAnnounced
    ├── MessageExpired
    ├── DataExpired
    ├── MessageReplayed
    ├── MessageForeign
    ├── AttemptSuperseded
    ├── TransferUnknown
    ├── ReceiptOutOfOrder
    ├── ReceiptForeign
    └── BundleUnreadable
"""

from kumobashi.kernel import KumobashiError


class MessageFailed(KumobashiError):
    """A message of a peer cannot be taken as it is."""

    code = "message.failed"


class FormatUnknown(MessageFailed):
    """A major version that this software does not know; it never guesses."""

    code = "message.format_unknown"
    status = 415
    ja = "{document} の形式番号 {format} には対応していません。"
    en = "Format {format} of the {document} is not known here."
    remedy_ja = "両方の拠点の kumobashi の版を合わせてください。"
    remedy_en = "Bring kumobashi at both sites to the same version."


class FieldWrong(MessageFailed):
    """A field is missing or of another type or shape. Its value is never quoted."""

    code = "message.field_wrong"
    status = 422
    ja = "{document} の項目 {field} が正しくありません（{expected} が必要です）。"
    en = "Field {field} of the {document} is wrong: expected {expected}."
    remedy_ja = "送り側のソフトウェアの版と設定を確かめてください。"
    remedy_en = "Check the version and the settings of the sending software."


class PartsMissing(MessageFailed):
    """Some parts have yet to arrive; the sender puts them and closes again."""

    code = "message.parts_missing"
    retryable = True
    status = 409
    ja = "分割片が {count} 個届いていません（番号 {numbers}）。"
    en = "{count} parts have not arrived (numbers {numbers})."
    remedy_ja = "不足分は自動で送り直されます。"
    remedy_en = "They are sent again by themselves."


class KeyMissing(MessageFailed):
    """The wrapped key has yet to arrive; the sender puts it and closes again."""

    code = "message.key_missing"
    retryable = True
    status = 409
    ja = "転送 {transfer} の鍵が届いていません。"
    en = "The key of transfer {transfer} has not arrived."
    remedy_ja = "自動で送り直されます。"
    remedy_en = "It is sent again by itself."


class PartAltered(MessageFailed):
    """Parts, or the whole they make, are not the bytes that the manifest names."""

    code = "message.part_altered"
    retryable = True
    status = 422
    ja = "分割片が壊れているか、書き換えられています（番号 {numbers}）。"
    en = "Parts are damaged or altered (numbers {numbers})."
    remedy_ja = "自動で送り直します。続く場合は途中の装置と記憶装置を確かめてください。"
    remedy_en = "They are sent again; if this goes on, check the disks and what stands in between."


class PartTooLarge(MessageFailed):
    """A part is larger than this site takes."""

    code = "message.part_too_large"
    status = 413
    ja = "分割片が大きすぎます（{bytes} バイト、上限 {limit} バイト）。"
    en = "A part of {bytes} bytes is larger than the {limit} that this site takes."
    remedy_ja = "サイトの設定 largest_part_bytes と、送り側の登録簿の版を確かめてください。"
    remedy_en = "Check largest_part_bytes of the site and the directory at the sender."


class PartNotAnnounced(MessageFailed):
    """A part that the announcement does not list."""

    code = "message.part_not_announced"
    status = 409
    ja = "予告にない分割片です。"
    en = "The announcement does not list this part."
    remedy_ja = "もう一度、予告から送り直してください。"
    remedy_en = "Announce the attempt again."


class MessageExpired(MessageFailed):
    """The time until which the bundle may be taken has passed."""

    code = "message.expired"
    status = 410
    ja = "有効期限（{expires}）を過ぎた封緘データです。取り込みません。"
    en = "The bundle expired at {expires}; it is not taken in."
    remedy_ja = "送り側で連携をもう一度実行してください。"
    remedy_en = "Run the link again at the sender."


class DataExpired(MessageFailed):
    """The rows are older than the campaigns that they are for allow."""

    code = "message.data_too_old"
    status = 410
    ja = (
        "データが古すぎます（業務システムの {core_at} 時点。{usable_until} まで使えました）。"
        "取り込みません。"
    )
    en = "The data are of {core_at} and were usable until {usable_until}; they are not applied."
    remedy_ja = "送り側で新しいデータを取り込み、連携をもう一度実行してください。"
    remedy_en = "Take newer data in at the sender and run the link again."


class MessageReplayed(MessageFailed):
    """A closed attempt with another manifest, or a transfer that was applied before."""

    code = "message.replayed"
    status = 409
    ja = "転送 {transfer} は既に処理済みです。二度は取り込みません。"
    en = "Transfer {transfer} was dealt with before; it is not taken in twice."
    remedy_ja = "もう一度送る必要があれば、新しい転送として実行してください。"
    remedy_en = "If it must be sent again, run it as a new transfer."


class MessageForeign(MessageFailed):
    """The message is meant for, or comes from, somebody else."""

    code = "message.foreign"
    status = 403
    ja = "この拠点あてではないか、送ることを許されていない拠点からです（{field}）。"
    en = "Not meant for this site, or not from one that may send it: {field}."
    remedy_ja = "両方の拠点の登録簿の版を確かめてください。"
    remedy_en = "Check the version of the directory at both sites."


class AttemptSuperseded(MessageFailed):
    """A newer attempt of the same transfer has taken its place."""

    code = "message.superseded"
    status = 409
    ja = "転送 {transfer} の {attempt} 回目は、新しい送信に置き換えられました。"
    en = "Attempt {attempt} of transfer {transfer} gave way to a newer one."


class TransferUnknown(MessageFailed):
    """No such transfer or attempt was announced here."""

    code = "message.transfer_unknown"
    status = 404
    ja = "転送 {transfer} の {attempt} 回目は、この拠点に予告されていません。"
    en = "Attempt {attempt} of transfer {transfer} was not announced here."
    remedy_ja = "予告から送り直してください。自動で行われます。"
    remedy_en = "Announce it again; the sender does so by itself."


class ReceiptOutOfOrder(MessageFailed):
    """A receipt that may not follow the one before it, or whose chain is broken."""

    code = "message.receipt_out_of_order"
    status = 422
    ja = "到達確認の順序が正しくありません（{previous} の次に {stage}）。"
    en = "A receipt out of order: {stage} after {previous}."
    remedy_ja = "受け側の担当者に連絡し、証跡を確かめてください。"
    remedy_en = "Call the receiving site and check its evidence."


class ReceiptForeign(MessageFailed):
    """A receipt about another bundle, or of another site."""

    code = "message.receipt_foreign"
    status = 422
    ja = "別の封緘データの到達確認です（{field} が違います）。"
    en = "A receipt about something else: {field} differs."
    remedy_ja = "受け側の担当者に連絡し、証跡を確かめてください。"
    remedy_en = "Call the receiving site and check its evidence."


class BundleUnreadable(MessageFailed):
    """A file that is no bundle file, or whose members are not those it must have."""

    code = "message.bundle_unreadable"
    status = 422
    ja = "封緘データのファイルとして読めません（{reason}）。"
    en = "This is no readable bundle file ({reason})."
    remedy_ja = "書き出した側から、もう一度受け取ってください。"
    remedy_en = "Get the file again from whoever wrote it."
