"""Sending and receiving in bulk, with receipts: the main path.

Start reading at ``sending.py``; ``receiving.py`` is its mirror and ``relaying.py`` stands between
them. What goes in is a link and a business date; what comes out is rows applied once at the
receiver and four signed receipts at the sender.
"""
