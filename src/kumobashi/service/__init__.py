"""Where all is put together: settings, keys and stores become one running gateway, reached by HTTP.

In go a workspace folder and the name of a site; out comes a server with the peer API (``/peer``),
the local API (``/api``), the console (``/``), ``/health`` and ``/metrics``.
"""
