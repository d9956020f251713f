"""The papers that are always asked for, drawn up from what the platform knows.

In come incidents that people note, transfers, holdings, plans and the workspace's files; out come
papers (漏えい等報告, a draft of 個人情報ファイル簿, facts for 特定個人情報保護評価, and what of a
change is important), each with its blanks marked ``【要記入: …】`` and counted: what nobody has
told the platform is asked for, never guessed. Rules of law are dated rows in ``tables``, each with
its source and whether somebody held it against the text.
"""

from kumobashi.papers.incidents import Incident, Kind
from kumobashi.papers.sheet import Paper

__all__ = ["Incident", "Kind", "Paper"]
