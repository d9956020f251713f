"""Papers on A4 from templates that the staff may edit.

In go the templates of a domain, the folder with what the staff changed, and placeholders
(差込項目); out comes one HTML file without scripts, or an error with file and line. What a paper
says belongs to the domain that prints it.
"""

from kumobashi.sheets.rendering import Sheets, day_of

__all__ = ["Sheets", "day_of"]
