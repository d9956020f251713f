"""How reading people's files fails.

KumobashiError
└── ConversionFailed
    ├── FileAbsent
    ├── FileChanged
    ├── FileEmpty
    ├── CharsetUnclear
    ├── NulInFile
    ├── FieldTooLarge
    ├── HeaderUnclear
    ├── RecordsUneven
    ├── RecordsUnwritable
    ├── HostCharsetMissing
    ├── SheetTooLong
    └── WorkbookUnreadable
"""

from kumobashi.kernel import KumobashiError


class ConversionFailed(KumobashiError):
    """A file could not be turned into rows."""

    code = "conversion.failed"


class FileAbsent(ConversionFailed):
    """There is no such file."""

    code = "conversion.file_absent"
    status = 404
    ja = "ファイル「{file}」がありません。"
    en = "There is no file {file!r}."
    remedy_ja = "名前と場所を確かめてください。"
    remedy_en = "Check its name and place."


class FileChanged(ConversionFailed):
    """The file was written to while it was read."""

    code = "conversion.file_changed"
    retryable = True
    ja = "読んでいる間にファイル「{file}」が変わりました。何も取り込んでいません。"
    en = "The file {file!r} changed while it was read. Nothing was taken in."
    remedy_ja = "保存や転送が終わってから、もう一度実行してください。"
    remedy_en = "Try again when saving or copying it is over."


class FileEmpty(ConversionFailed):
    """Not even a header."""

    code = "conversion.file_empty"
    ja = "ファイル「{file}」は空です。"
    en = "The file {file!r} is empty."
    remedy_ja = "1行目に見出しを、2行目からデータを書いてください。"
    remedy_en = "Write a header into the first line and rows below it."


class CharsetUnclear(ConversionFailed):
    """Neither UTF-8 nor cp932 throughout: usually two files joined into one."""

    code = "conversion.charset_unclear"
    ja = "ファイル「{file}」の {line} 行目で文字コードが変わっています（{charset} で読めません）。"
    en = "From line {line} on, the file {file!r} is in another charset: it cannot be {charset}."
    remedy_ja = "UTF-8 か Shift_JIS（cp932）のどちらか一つで保存し直してください。"
    remedy_en = "Save the whole file in one charset, UTF-8 or cp932."


class NulInFile(ConversionFailed):
    """A NUL byte: a damaged file, or no text at all."""

    code = "conversion.nul"
    ja = "ファイル「{file}」の {line} 行目に NUL（0x00）があります。文字のファイルではありません。"
    en = "Line {line} of {file!r} holds a NUL byte: it is no text, or damaged."
    remedy_ja = "元のシステムからもう一度書き出してください。"
    remedy_en = "Export it from its system again."


class FieldTooLarge(ConversionFailed):
    """A field beyond all reason: most often a quotation mark that is never closed."""

    code = "conversion.field_too_large"
    ja = "ファイル「{file}」の {line} 行目から始まる項目が {limit} 文字を超えています。"
    en = "In {file!r}, a field that begins at line {line} is longer than {limit} characters."
    remedy_ja = '引用符（"）の閉じ忘れがないか確かめてください。'
    remedy_en = "Look for a quotation mark that is never closed."


class HeaderUnclear(ConversionFailed):
    """No item of the layout is found in the first line, whatever the delimiter."""

    code = "conversion.header_unclear"
    ja = "ファイル「{file}」の1行目に、レイアウト「{layout}」の項目名が見つかりません。"
    en = "The first line of {file!r} names no item of the layout {layout!r}."
    remedy_ja = "1行目に見出しを書いてください。例: {example}"
    remedy_en = "Write the header into the first line, for example: {example}."


class RecordsUneven(ConversionFailed):
    """A file of fixed lengths that does not end with a record."""

    code = "conversion.records_uneven"
    ja = "ファイル「{file}」は {stride} バイトの固定長レコードで割り切れません"
    ja += "（{size} バイト、{line} 件目から）。"
    en = "{file!r} is no file of records of {stride} bytes: {size} bytes, wrong from record {line}."
    remedy_ja = "レコード長と改行の有無（systems の records）を、送り元の仕様書と照らしてください。"
    remedy_en = "Compare length and ends_with under records with the sender's specification."


class RecordsUnwritable(ConversionFailed):
    """Values that have no place in a record: too long, no number, or not in the charset."""

    code = "conversion.records_unwritable"
    ja = "{rows} 行の {item} が {length} バイトの固定長（{charset}）に書けません（{got}）。"
    ja += "何も書いていません。"
    en = "{rows} rows cannot be written: {item} in {length} bytes of {charset} ({got})."
    remedy_ja = "レコードの長さか、連携の characters（文字の置き換え）を直してください。"
    remedy_en = "Correct the record's length, or the link's characters."


class HostCharsetMissing(ConversionFailed):
    """The machine's C library does not know a charset of hosts."""

    code = "conversion.host_charset_missing"
    ja = "この機械は文字コード {charset} を変換できません。"
    en = "This machine cannot convert {charset}."
    remedy_ja = "glibc の変換表（Debian では libc-bin）がある Linux で動かしてください。"
    remedy_en = "Run it on Linux with glibc's conversion tables (libc-bin on Debian)."


class SheetTooLong(ConversionFailed):
    """More rows than a sheet of a workbook holds."""

    code = "conversion.sheet_too_long"
    ja = "{rows} 行は Excel の1枚のシートに入りません（{limit} 行まで）。何も書いていません。"
    en = "{rows} rows do not fit into one sheet, which holds {limit}. Nothing was written."
    remedy_ja = "systems の file を .csv にしてください。"
    remedy_en = "Give the dataset a file that ends in .csv."


class WorkbookUnreadable(ConversionFailed):
    """Not a workbook of Excel, or one with a password."""

    code = "conversion.workbook_unreadable"
    ja = "「{file}」を Excel のブックとして読めません。"
    en = "{file!r} cannot be read as a workbook."
    remedy_ja = "パスワードを外し、.xlsx で保存し直してください。"
    remedy_en = "Remove its password and save it as .xlsx."
