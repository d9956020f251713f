"""Calls that answer: a system asks another, wherever each lives today, and gets the answer.

``asking`` and ``answering`` are the two ends, ``relaying`` is what lies between. ``header`` is what
everybody on the way may read, ``binary_http`` what only the two ends do; ``signing`` proves both,
``journal`` keeps the proof. Start reading at ``asking``.
"""
