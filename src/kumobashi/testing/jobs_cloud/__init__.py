"""A public cloud that takes and gives rows by jobs, run as a process of its own on loopback.

It keeps what it is told in SQLite, so it may be killed and started again; it has limits, works in
its own time, judges every row by itself, and has faults when asked to (``/-/faults``). It follows
the shape of the bulk interfaces that large public clouds publish, with a prefix of its own
(``Sky-``, ``sky__``) where vendors have theirs. It is fictional, and nothing of it leaves this
machine.
"""
