"""How keys, signatures and seals fail.

KumobashiError
└── CryptoFailed
    ├── KeyFailed
    │   ├── KeyTooOpen
    │   ├── KeyUnreadable
    │   ├── KeyExists
    │   ├── KeyUnfit
    │   └── CertificateUnfit  ours for TLS: no PEM, or the key of another certificate
    ├── NotCanonical
    ├── SignatureRefused
    │   ├── SignatureMissing
    │   ├── SignatureInvalid
    │   ├── UnknownKey
    │   ├── SignatureExpired
    │   ├── SignatureReplayed
    │   ├── BodyAltered
    │   └── NoncesFull
    ├── TokenUnfit            a token of others: its form, its key, its algorithm
    └── SealFailed
        ├── NotForUs
        ├── SealedTruncated
        ├── SealedDamaged
        ├── KeyUnlike         the identity of a transfer is not the one its manifest names
        └── KeyGone           the identity of a transfer is not here: destroyed, or never came
"""

from kumobashi.kernel import KumobashiError


class CryptoFailed(KumobashiError):
    """Something about keys, signatures or seals is not as it must be."""

    code = "crypto.failed"


class KeyFailed(CryptoFailed):
    """A key cannot be used."""

    code = "crypto.key_failed"
    status = 500


class KeyTooOpen(KeyFailed):
    """Others than the owner may read a private file, so it may no longer be secret."""

    code = "crypto.key_too_open"
    ja = "秘密の鍵ファイル {path} を他の利用者も読める状態です（権限 {mode}）。使用を中止しました。"
    en = "Others can read the private file {path} (mode {mode}); it was not used."
    remedy_ja = "chmod 600 {path} を実行し、読まれたおそれがあれば鍵を交換してください。"
    remedy_en = "Run chmod 600 {path}, and replace the key if somebody may have read it."


class KeyUnreadable(KeyFailed):
    """The file holds no key of the kind that is needed, or is not there."""

    code = "crypto.key_unreadable"
    ja = "鍵ファイル {path} を読めません（{expected} が必要です）。"
    en = "{path} cannot be read as {expected}."
    remedy_ja = "控えから戻すか、新しい鍵を作って登録簿を更新してください。"
    remedy_en = "Restore it from the safe copy, or make a new key and publish the directory again."


class KeyExists(KeyFailed):
    """A key is never written over another one."""

    code = "crypto.key_exists"
    status = 409
    ja = "{path} には既にファイルがあります。鍵は上書きしません。"
    en = "{path} exists already; keys are never written over."
    remedy_ja = "古い鍵を別の場所へ移してから、もう一度実行してください。"
    remedy_en = "Move the old key elsewhere and run the command again."


class KeyUnfit(KeyFailed):
    """A public key or a recipient that others gave is malformed, private, or of a foreign kind."""

    code = "crypto.key_unfit"
    status = 422
    ja = "公開鍵として使えません（{reason}）。"
    en = "Not usable as a public key: {reason}."
    remedy_ja = "相手の拠点の担当者に、鍵の登録内容を確かめてもらってください。"
    remedy_en = "Ask the people of that site to check the key they registered."


class CertificateUnfit(KeyFailed):
    """The certificate that we show in TLS, or the authorities that we believe, cannot be used."""

    code = "crypto.certificate_unfit"
    ja = "TLS の証明書 {path} を使えません（PEM の形でないか、鍵と組になっていません）。"
    en = "The TLS certificate {path} cannot be used: no PEM, or the key is of another one."
    remedy_ja = "証明書（client.crt）と鍵（client.key）を、組で置き直してください。"
    remedy_en = "Put certificate (client.crt) and key (client.key) there again, as a pair."


class NotCanonical(CryptoFailed):
    """Bytes that are no strict JSON, or a value that has no canonical form (RFC 8785)."""

    code = "crypto.not_canonical"
    status = 422
    ja = "決められた形の JSON ではありません（{reason}）。"
    en = "Not JSON in the agreed form: {reason}."
    remedy_ja = "送り側のソフトウェアの版を確かめてください。"
    remedy_en = "Check the version of the sending software."


class SignatureRefused(CryptoFailed):
    """A signature does not prove what it should."""

    code = "crypto.signature_refused"
    status = 401
    remedy_ja = "相手の拠点の担当者に連絡し、鍵と登録簿の版、途中の装置を確かめてください。"
    remedy_en = "Call the sending site; check its keys, the directory and what stands in between."


class SignatureMissing(SignatureRefused):
    """The request carries no signature of ours; unsigned requests are never served."""

    code = "crypto.signature_missing"
    ja = "署名がありません（{field}）。"
    en = "No signature: {field} is missing."


class SignatureInvalid(SignatureRefused):
    """The signature is malformed, uses another algorithm, or does not fit the bytes."""

    code = "crypto.signature_invalid"
    ja = "署名が正しくありません（{reason}）。改ざんか、鍵の取り違えです。"
    en = "The signature is not valid: {reason}."


class TokenUnfit(CryptoFailed):
    """A token that others made is not in the form, not by the key, or not as was permitted."""

    code = "crypto.token_unfit"
    status = 401
    ja = "トークンを信じられません（{reason}）。"
    en = "The token cannot be believed: {reason}."
    remedy_ja = "発行元の設定（アルゴリズム、鍵、有効期限）を確かめてください。"
    remedy_en = "Look at who issued it: the algorithm, the key, the time."


class UnknownKey(SignatureRefused):
    """No key with this thumbprint belongs to the site that is said to have signed."""

    code = "crypto.unknown_key"
    ja = "登録されていない鍵による署名です（{kid}）。"
    en = "Signed with a key that is not registered: {kid}."
    remedy_ja = "登録簿が最新か確かめてください。相手が鍵を交換した直後かもしれません。"
    remedy_en = "Check that the directory is current; the other site may have changed its key."


class SignatureExpired(SignatureRefused):
    """A request was signed too long ago or in the future: a delay, or a wrong clock."""

    code = "crypto.signature_expired"
    retryable = True
    ja = "署名の時刻が許される範囲にありません（こちらの時計との差 {seconds} 秒）。"
    en = "The time of the signature is outside its window ({seconds} s from our clock)."
    remedy_ja = "両方の拠点の時刻同期を確かめてください。直れば自動で再開します。"
    remedy_en = "Check the time synchronisation of both sites; work resumes by itself."


class SignatureReplayed(SignatureRefused):
    """The same signed request came twice; a repetition needs a new nonce and signature.

    Retryable: an HTTP library or a proxy may have repeated an honest request on its own.
    """

    code = "crypto.signature_replayed"
    retryable = True
    ja = "同じ署名の要求が二度届きました。"
    en = "The same signed request came twice."
    remedy_ja = "署名し直して自動で再開します。続く場合は途中の装置の再送を確かめてください。"
    remedy_en = (
        "It is signed anew by itself; if this goes on, see what in between repeats requests."
    )


class BodyAltered(SignatureRefused):
    """The body is not the one whose digest was signed."""

    code = "crypto.body_altered"
    status = 422
    retryable = True
    ja = "本文が署名されたものと違います。"
    en = "The body is not the one that was signed."
    remedy_ja = "自動で送り直します。続く場合は途中の装置を確かめてください。"
    remedy_en = "It is sent again by itself; if this goes on, check what stands in between."


class NoncesFull(SignatureRefused):
    """More requests within the window than can be remembered; rather refuse than forget."""

    code = "crypto.nonces_full"
    status = 503
    retryable = True
    ja = "短い時間に要求が集中しています（{limit} 件）。"
    en = "Too many requests within the window ({limit})."
    remedy_ja = "しばらくすると自動で再開します。"
    remedy_en = "Work resumes by itself after a while."


class SealFailed(CryptoFailed):
    """A seal could not be made or opened."""

    code = "crypto.seal_failed"
    status = 422
    ja = "封緘または復号ができませんでした（{reason}）。"
    en = "Sealing or opening failed: {reason}."


class NotForUs(SealFailed):
    """The file is sealed to another key than ours."""

    code = "crypto.not_for_us"
    ja = "この拠点の鍵では復号できません。別の宛先のものか、鍵が替わっています。"
    en = "It cannot be opened with the key of this site."
    remedy_ja = "送り側の登録簿が最新か確かめ、もう一度送ってもらってください。"
    remedy_en = "Check that the sender's directory is current, and have it sent again."


class SealedTruncated(SealFailed):
    """The end of the sealed file is missing."""

    code = "crypto.sealed_truncated"
    retryable = True
    ja = "封緘データが途中で切れています（{got} バイトまで）。何も取り込んでいません。"
    en = "The sealed data end too early, after {got} bytes. Nothing was taken in."
    remedy_ja = "もう一度受け取ってください。"
    remedy_en = "Receive it again."


class SealedDamaged(SealFailed):
    """The sealed file was altered, or is no age file."""

    code = "crypto.sealed_damaged"
    ja = "封緘データが壊れているか、書き換えられています（{reason}）。何も取り込んでいません。"
    en = "The sealed data are damaged or altered: {reason}. Nothing was taken in."
    remedy_ja = "送り側に知らせ、もう一度送ってもらってください。"
    remedy_en = "Tell the sender and have it sent again."


class KeyUnlike(SealFailed):
    """What was wrapped is not the identity that the manifest names."""

    code = "crypto.key_unlike"
    ja = "届いた転送の鍵が、目録に書かれた鍵と違います。復号しません。"
    en = "The key that came with the transfer is not the one its manifest names."
    remedy_ja = (
        "送り側で連携をもう一度実行してもらってください。続くときは中継の拠点に連絡してください。"
    )
    remedy_en = "Have the link run again at the sender; if it repeats, call the relays on the way."


class KeyGone(SealFailed):
    """The identity of a transfer is not in the key store."""

    code = "crypto.key_gone"
    status = 409
    ja = "転送 {transfer} の鍵がありません。消去済みか、鍵の控えが戻されていません。"
    en = "The key of transfer {transfer} is not here: it was destroyed, or not restored."
    remedy_ja = (
        "消去した転送は誰にも復号できません。"
        "必要なら kumobashi keys restore で鍵の控えを戻すか、連携をもう一度実行してください。"
    )
    remedy_en = (
        "Nobody can open a transfer whose key was destroyed. "
        "Restore the keys with kumobashi keys restore if they were lost, or run the link again."
    )
