"""Carrying bundles and their receipts over an air gap on removable media.

What goes in is a transfer that is sealed and a permit (持出許可) that two persons gave; what comes
out is a folder on a medium that says nothing to a finder, and at the other side the same bundle in
the same inbox as if a line had brought it. Start reading at ``writing.py``; ``reading.py`` is its
mirror, ``permits.py`` says who may carry what, and ``codes.py`` is for where nothing travels back.
"""
