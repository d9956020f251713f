"""How the directory fails.

KumobashiError
└── DirectoryFailed
    ├── DirectoryMissing      there is none yet
    ├── DirectoryAltered      the signature does not hold, or the key is not the trusted one
    ├── DirectoryUnreadable   signed, but not in a form that we know
    ├── DirectoryExpired
    ├── DirectoryOld          older than what is known already: a replay
    ├── DirectoryForeign      of another municipality
    ├── DirectoryForked       two documents of one version
    ├── TooManySubscribers
    ├── DirectoryUnreachable  nobody answers where it is subscribed to
    ├── SiteUnknown
    ├── SystemUnknown
    ├── VersionUnknown        no such version was kept
    └── SiteKeysMissing
"""

from kumobashi.kernel import KumobashiError

_REPUBLISH_JA = "発行し直してください: kumobashi directory publish"
_REPUBLISH_EN = "Publish it again: kumobashi directory publish"


class DirectoryFailed(KumobashiError):
    """The directory could not be used."""

    code = "directory.failed"


class DirectoryMissing(DirectoryFailed):
    """There is no directory."""

    code = "directory.missing"
    status = 503
    ja = "署名付きディレクトリ（{file}）がありません。"
    en = "There is no signed directory ({file})."
    remedy_ja = _REPUBLISH_JA
    remedy_en = _REPUBLISH_EN


class DirectoryAltered(DirectoryFailed):
    """Somebody changed it, or signed it with another key."""

    code = "directory.altered"
    status = 403
    ja = "ディレクトリ（{file}）の署名が合いません（{reason}）。使いません。"
    en = "The signature of the directory ({file}) does not hold: {reason}. It is not used."
    remedy_ja = (
        "手で直したか、差し替えられています。正しい鍵で発行し直してください。"
        "心当たりがなければ情報セキュリティ担当へ知らせてください。"
    )
    remedy_en = (
        "It was edited or exchanged. Publish it with the right key, and tell security if"
        " nobody did so."
    )


class DirectoryUnreadable(DirectoryFailed):
    """Signed, but in a form that this program does not know."""

    code = "directory.unreadable"
    ja = "ディレクトリ（{file}）の形式を読めません（{reason}）。"
    en = "The directory ({file}) has a form that cannot be read: {reason}."
    remedy_ja = "雲橋を新しくするか、同じ版の雲橋で発行し直してください。"
    remedy_en = "Update this program, or publish with the release in use here."


class DirectoryExpired(DirectoryFailed):
    """Its time is over."""

    code = "directory.expired"
    status = 403
    ja = "ディレクトリ第{version}版は {expires} で期限が切れました。"
    en = "Version {version} of the directory expired at {expires}."
    remedy_ja = _REPUBLISH_JA
    remedy_en = _REPUBLISH_EN


class DirectoryOld(DirectoryFailed):
    """Older than one that was seen before."""

    code = "directory.old"
    status = 409
    ja = "ディレクトリ第{version}版は古いものです（第{known}版を受け取り済み）。使いません。"
    en = "Version {version} of the directory is older than version {known}, which is known."
    remedy_ja = "最新のものを配り直してください。古い版をわざと使うことはできません。"
    remedy_en = "Hand out the newest; an older one is never taken back."


class DirectoryForeign(DirectoryFailed):
    """Of another municipality."""

    code = "directory.foreign"
    status = 403
    ja = "このディレクトリは別の団体（{got}）のものです（こちらは {expected}）。"
    en = "This directory belongs to municipality {got}, not to {expected}."
    remedy_ja = "自団体のディレクトリを置いてください。"
    remedy_en = "Put your own municipality's directory there."


class DirectoryForked(DirectoryFailed):
    """Two documents, both signed, say that they are the same version."""

    code = "directory.forked"
    status = 409
    ja = "ディレクトリ第{version}版が2通りあります（署名はどちらも合います）。使いません。"
    en = "There are two documents of version {version} of the directory, both signed."
    remedy_ja = (
        "署名の鍵が2か所で使われています。情報セキュリティ担当へ知らせ、次の版を発行してください。"
    )
    remedy_en = "The key is used in two places. Tell security, and publish a next version."


class TooManySubscribers(DirectoryFailed):
    """As many wait for a change as may."""

    code = "directory.too_many_subscribers"
    status = 503
    retryable = True
    ja = "ディレクトリの変更を待っているプログラムが多すぎます（上限 {most}）。"
    en = "Too many programs wait for a change of the directory (at most {most})."
    remedy_ja = "少し待ってからやり直してください。wait を付けなければ、いつでも答えます。"
    remedy_en = "Try again in a while. Without wait it is answered at any time."


class DirectoryUnreachable(DirectoryFailed):
    """Nobody answers there, or with something else."""

    code = "directory.unreachable"
    status = 503
    retryable = True
    ja = "{url} からディレクトリを受け取れません（{reason}）。"
    en = "The directory cannot be had from {url}: {reason}."
    remedy_ja = "ゲートウェイが動いているか、URL が正しいかを確かめてください。"
    remedy_en = "See that the gateway runs, and that the address is right."


class SiteUnknown(DirectoryFailed):
    """No such site."""

    code = "directory.site_unknown"
    status = 404
    ja = "サイト「{site}」はディレクトリにありません。"
    en = "The directory has no site {site!r}."
    remedy_ja = _REPUBLISH_JA
    remedy_en = _REPUBLISH_EN


class SystemUnknown(DirectoryFailed):
    """No such system or dataset."""

    code = "directory.system_unknown"
    status = 404
    ja = "「{system}」はディレクトリにありません。"
    en = "The directory has no {system!r}."
    remedy_ja = _REPUBLISH_JA
    remedy_en = _REPUBLISH_EN


class VersionUnknown(DirectoryFailed):
    """No such version was kept."""

    code = "directory.version_unknown"
    status = 404
    ja = "ディレクトリの版「{version}」はありません。"
    en = "There is no version {version!r} of the directory."
    remedy_ja = "残っている版: {known}。ほかはファイルの名前で指してください。"
    remedy_en = "Kept are: {known}. Name another as a file."


class SiteKeysMissing(DirectoryFailed):
    """A site has no keys to publish."""

    code = "directory.keys_missing"
    ja = "サイト「{site}」の鍵（{folder}）がありません。"
    en = "The keys of site {site!r} are missing ({folder})."
    remedy_ja = "鍵を作ってください: kumobashi init （見本は kumobashi init --sample）"
    remedy_en = "Make them: kumobashi init (or init --sample)."
