"""What goes wrong with files that lie elsewhere.

KumobashiError
└── RemoteFailed
    ├── ConditionIgnored  the storage overwrites what it was told not to
    ├── NameTaken         another file has the name already
    └── PackageMissing    what speaks to such a storage is not installed
"""

from kumobashi.kernel import KumobashiError


class RemoteFailed(KumobashiError):
    """A file cannot be put or taken elsewhere."""

    code = "remote.failed"


class ConditionIgnored(RemoteFailed):
    """The storage took a second file under a name although it was told to take one only."""

    code = "remote.condition_ignored"
    status = 409
    ja = "{name}のオブジェクトストレージ（{place}）は、上書きするなという指定を守りません。"
    en = "The object storage of {system} ({place}) ignores If-None-Match: it overwrites."
    remedy_ja = (
        "この置き場所には書きません。指定を守る製品か設定に替えてください。読むだけなら使えます。"
    )
    remedy_en = "Nothing is written there. Use one that honours it; for reading it will do."


class NameTaken(RemoteFailed):
    """Another file lies under the name that a transfer's file has."""

    code = "remote.name_taken"
    status = 409
    ja = "{name}の置き場所（{place}）に、同じ名前で中身の違うファイル「{file}」があります。"
    en = "Another file {file} lies in {place} of {system} already."
    remedy_ja = (
        "そのファイルを片付けるか、file の名前に {{sequence}} を入れてください。上書きはしません。"
    )
    remedy_en = "Move it away, or write {{sequence}} into the name; nothing is overwritten."


class PackageMissing(RemoteFailed):
    """The library for such a storage is not installed."""

    code = "remote.package_missing"
    ja = "{kind} を使うためのパッケージがありません。"
    en = "The package for {kind} is not installed."
    remedy_ja = "kumobashi[{extra}] を入れてください。"
    remedy_en = "Install kumobashi[{extra}]."
