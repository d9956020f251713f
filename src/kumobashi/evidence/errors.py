"""How the evidence log fails, and what verification finds.

KumobashiError
└── EvidenceFailed
    ├── EntryUnfit          a fault of ours: something that is no identifier, digest or count
    ├── NothingSigned       no checkpoint yet
    ├── SizeBeyond          asked for more records than there are
    ├── ExportUnreadable    no evidence file, or of another version
    ├── ProofWrong
    ├── RecordNotFound      nothing matches the selection
    └── Touched             somebody changed what was written; verification returns these
        ├── RecordAltered
        ├── RecordRemoved
        ├── RecordInserted
        ├── RecordsSwapped
        ├── ChainAltered    not a record, only the value that finds a touched one
        ├── RangeAltered    records, and what would have named the first of them
        ├── LogTruncated
        ├── LogRolledBack
        ├── LogForked
        ├── CheckpointAltered
        ├── CheckpointForeign
        ├── ReceiptAltered
        └── ReceiptMissing
"""

from kumobashi.kernel import KumobashiError


class EvidenceFailed(KumobashiError):
    """The evidence log could not do what was asked."""

    code = "evidence.failed"


class EntryUnfit(EvidenceFailed):
    """A record may hold identifiers, digests and counts only."""

    code = "evidence.entry_unfit"
    status = 500
    ja = "証跡に書けない項目です（{field}）。"
    en = "The field {field} may not stand in a record of evidence."
    remedy_ja = "ソフトウェアの不具合です。保守の担当に知らせてください。"
    remedy_en = "A fault of this software; please report it."


class NothingSigned(EvidenceFailed):
    """No checkpoint yet."""

    code = "evidence.nothing_signed"
    status = 404
    ja = "{site} の証跡には、署名した区切り（チェックポイント）がまだありません。"
    en = "The evidence log of {site} has no signed checkpoint yet."
    remedy_ja = "ゲートウェイを動かして何か送受信してから、もう一度行ってください。"
    remedy_en = "Run the gateway and let something happen first."


class SizeBeyond(EvidenceFailed):
    """More records were asked for than there are."""

    code = "evidence.size_beyond"
    status = 409
    ja = "この証跡は {size} 件で、{wished} 件目までの証明は作れません。"
    en = "The log holds {size} records; there is no proof up to {wished}."
    remedy_ja = "古いバックアップに戻した覚えがなければ、両方の拠点の担当で確かめてください。"
    remedy_en = "Unless a backup was restored, both sides must find out why."


class ExportUnreadable(EvidenceFailed):
    """The file is no evidence file that this version reads."""

    code = "evidence.export_unreadable"
    ja = "証跡のファイルとして読めません（{reason}）。"
    en = "This is no readable evidence file ({reason})."
    remedy_ja = "書き出した拠点から、もう一度受け取ってください。"
    remedy_en = "Get the file again from the site that wrote it."


class ProofWrong(EvidenceFailed):
    """A proof does not lead to the signed root."""

    code = "evidence.proof_wrong"
    ja = "記録 {number} は、署名された証跡（{size} 件）に入っていると証明できません。"
    en = "Record {number} is not proved to be in the signed log of {size} records."
    remedy_ja = "書き出した拠点に、全件の書き出し（選択なし）を求めてください。"
    remedy_en = "Ask the site for an export of everything."


class RecordNotFound(EvidenceFailed):
    """Nothing matches what was selected."""

    code = "evidence.record_not_found"
    status = 404
    ja = "条件に合う記録がありません。"
    en = "No record matches."
    remedy_ja = "期間・連携・転送の指定を確かめてください。"
    remedy_en = "Check the dates, the link and the transfer."


class Touched(EvidenceFailed):
    """Somebody changed what was written."""

    code = "evidence.touched"


class RecordAltered(Touched):
    """The bytes of a record are not those that were written."""

    code = "evidence.record_altered"
    ja = "記録 {number} の中身が、書かれたあとで変えられています。"
    en = "Record {number} was changed after it was written."
    remedy_ja = "この記録より前は正しいままです。原本と控えを保全し、監査の担当に知らせてください。"
    remedy_en = "What stands before it is sound. Secure the original and tell the auditor."


class RecordRemoved(Touched):
    """A record is missing, with others behind it."""

    code = "evidence.record_removed"
    ja = "記録 {number} が取り除かれています。"
    en = "Record {number} was removed."
    remedy_ja = "この記録より前は正しいままです。原本と控えを保全し、監査の担当に知らせてください。"
    remedy_en = "What stands before it is sound. Secure the original and tell the auditor."


class RecordInserted(Touched):
    """A record stands where none was written."""

    code = "evidence.record_inserted"
    ja = "記録 {number} は、あとから差し込まれたものです。"
    en = "Record {number} was put in afterwards."
    remedy_ja = "この記録より前は正しいままです。原本と控えを保全し、監査の担当に知らせてください。"
    remedy_en = "What stands before it is sound. Secure the original and tell the auditor."


class RecordsSwapped(Touched):
    """Two records stand in each other's place."""

    code = "evidence.records_swapped"
    ja = "記録 {number} と {other} が入れ替えられています。"
    en = "Records {number} and {other} have changed places."
    remedy_ja = (
        "{number} より前は正しいままです。原本と控えを保全し、監査の担当に知らせてください。"
    )
    remedy_en = "What stands before {number} is sound. Secure the original and tell the auditor."


class ChainAltered(Touched):
    """The value beside a record, not the record."""

    code = "evidence.chain_altered"
    ja = "記録 {number} は正しいままですが、その横の控え値が変えられています。"
    en = "Record {number} is sound, but the value kept beside it was changed."
    remedy_ja = "記録そのものは使えます。元のファイルを受け取り直してください。"
    remedy_en = "The records can be relied on; get the file again all the same."


class RangeAltered(Touched):
    """Records were changed together with what would name the first of them."""

    code = "evidence.range_altered"
    ja = (
        "記録 {number} から {last} までのどれかが変えられています"
        "（件数 {size} の署名と合いません）。"
    )
    en = "Some record from {number} to {last} was changed: the root signed at {size} differs."
    remedy_ja = "記録とその控え値が一緒に変えられています。別の拠点の証跡と突き合わせてください。"
    remedy_en = "The hashes beside the records were changed too: compare with another site's log."


class LogTruncated(Touched):
    """The end is missing."""

    code = "evidence.truncated"
    ja = "記録 {number} から後がありません（{size} 件に署名されています）。"
    en = "The records from {number} on are missing; {size} were signed."
    remedy_ja = "末尾が切り取られています。元のファイルを受け取り直すか、控えと比べてください。"
    remedy_en = "The end was cut off: get the file again, or compare with a copy."


class LogRolledBack(Touched):
    """The log is shorter than what its site has signed before."""

    code = "evidence.rolled_back"
    status = 409
    ja = (
        "{site} の証跡が過去の状態に戻されています"
        "（{seen} 件に署名したのに、いまは {size} 件です）。"
    )
    en = "The log of {site} went back: it signed {seen} records and now has {size}."
    remedy_ja = "バックアップから戻したかを {site} の担当に確かめ、そうでなければ監査に回します。"
    remedy_en = "Ask whoever runs {site} whether a backup was restored; if not, have it audited."


class LogForked(Touched):
    """Two signed states that cannot both be of one growing log."""

    code = "evidence.forked"
    status = 409
    ja = (
        "{site} の証跡が書き換えられています"
        "（{seen} 件のときの署名と、{size} 件の署名が両立しません）。"
    )
    en = "The log of {site} was rewritten: what it signed at {seen} and at {size} cannot both be."
    remedy_ja = "両方の署名を残してあります。{site} の担当と監査の担当に知らせてください。"
    remedy_en = "Both signatures are kept. Tell whoever runs {site}, and the auditor."


class CheckpointAltered(Touched):
    """A checkpoint's signature does not fit, or it is malformed."""

    code = "evidence.checkpoint_altered"
    ja = "署名した区切り（チェックポイント、{size} 件）が変えられています（{reason}）。"
    en = "The checkpoint at {size} was changed ({reason})."
    remedy_ja = "元のファイルを受け取り直し、続くときは監査の担当に知らせてください。"
    remedy_en = "Get the file again; if it stays, tell the auditor."


class CheckpointForeign(Touched):
    """A checkpoint of another log, or signed with a key that is not the site's."""

    code = "evidence.checkpoint_foreign"
    ja = "署名した区切り（チェックポイント、{size} 件）が {site} の鍵によるものではありません。"
    en = "The checkpoint at {size} is not signed with a key of {site}."
    remedy_ja = "別の鍵で署名し直されたおそれがあります。ディレクトリの鍵と照らしてください。"
    remedy_en = "It may have been signed anew by somebody else: compare with the directory's keys."


class ReceiptAltered(Touched):
    """A receipt is not the one that a record names, or its signature does not hold."""

    code = "evidence.receipt_altered"
    ja = "記録 {number} の到達確認（{stage}）が、受け取ったときのものではありません。"
    en = "The receipt ({stage}) of record {number} is not the one that was taken."
    remedy_ja = "到達確認を署名した拠点に、同じものを求めて比べてください。"
    remedy_en = "Ask the site that signed it for the same receipt and compare."


class ReceiptMissing(Touched):
    """A record names a receipt that is not there."""

    code = "evidence.receipt_missing"
    ja = "記録 {number} の到達確認（{stage}）がありません。"
    en = "The receipt ({stage}) of record {number} is missing."
    remedy_ja = "到達確認を署名した拠点に、同じものを求めてください。"
    remedy_en = "Ask the site that signed it for the same receipt."
