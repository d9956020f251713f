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


class WorkbookUnreadable(ConversionFailed):
    """Not a workbook of Excel, or one with a password."""

    code = "conversion.workbook_unreadable"
    ja = "「{file}」を Excel のブックとして読めません。"
    en = "{file!r} cannot be read as a workbook."
    remedy_ja = "パスワードを外し、.xlsx で保存し直してください。"
    remedy_en = "Remove its password and save it as .xlsx."
