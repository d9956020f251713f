"""People at a browser: the morning, 連携状況一覧, a page per link, and pages for what went wrong.

In go the plain values of ``exchange.views``, asked for through ``ports``; out come HTML pages, CSV
and JSON. Pages are made on the server and work without JavaScript; htmx only refreshes them while
something runs. No resident's data is ever here: the views hold none. The floors above mount
:func:`console_routes` and hand :func:`error_pages` to their application.
"""

from kumobashi.console.asking import error_pages
from kumobashi.console.pages import console_routes

__all__ = ["console_routes", "error_pages"]
