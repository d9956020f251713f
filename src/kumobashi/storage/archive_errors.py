"""How reading an archive fails: nothing of it is taken out.

KumobashiError
└── StorageFailed
    └── ArchiveUnfit
        ├── ArchiveDamaged    it ends too early or too late, or its header is none
        ├── ArchiveName       a name that climbs or that no file may have
        ├── ArchiveKind       something other than a file
        ├── ArchiveTwice      two of one name
        ├── ArchiveTooMany
        └── ArchiveTooLarge
"""

from kumobashi.storage.errors import StorageFailed


class ArchiveUnfit(StorageFailed):
    """A container that is refused before anything in it is used."""

    code = "storage.archive_unfit"
    ja = "ファイルの入れ物の形が正しくありません（{reason}）。何も取り出していません。"
    en = "The container has another form ({reason}). Nothing was taken from it."
    remedy_ja = "書き出した側から、もう一度受け取ってください。"
    remedy_en = "Get the file again from whoever wrote it."


class ArchiveDamaged(ArchiveUnfit):
    """A header that is none, or a file that ends too early or too late."""

    code = "storage.archive_damaged"
    ja = "ファイルが壊れているか、途中で切れています（{reason}）。"
    en = "The file is damaged or cut off ({reason})."


class ArchiveName(ArchiveUnfit):
    """A name that climbs, is absolute, or holds what no name of ours holds."""

    code = "storage.archive_name"
    ja = "入れ物の {number} 番目の名前は許されていません（上の階層・絶対パス・制御文字など）。"
    en = "The name of member {number} is not allowed (climbs, is absolute, has other characters)."


class ArchiveKind(ArchiveUnfit):
    """A link, a device, a folder: anything but a plain file."""

    code = "storage.archive_kind"
    ja = "入れ物の {number} 番目は、ふつうのファイルではありません（リンク・デバイスなど）。"
    en = "Member {number} is no plain file (a link, a device, a folder)."


class ArchiveTwice(ArchiveUnfit):
    """Two members of one name."""

    code = "storage.archive_twice"
    ja = "入れ物に同じ名前が2つあります（{number} 番目）。"
    en = "Member {number} has the name of another."


class ArchiveTooMany(ArchiveUnfit):
    """More members than such a container ever has."""

    code = "storage.archive_too_many"
    status = 413
    ja = "入れ物の中のファイルが多すぎます（{limit} 個まで）。"
    en = "The container has more than {limit} members."


class ArchiveTooLarge(ArchiveUnfit):
    """A member that says it is larger than it may be."""

    code = "storage.archive_too_large"
    status = 413
    ja = "入れ物の {number} 番目が大きすぎます（{bytes} バイト、{limit} バイトまで）。"
    en = "Member {number} says it has {bytes} bytes; at most {limit} are allowed."
