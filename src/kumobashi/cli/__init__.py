"""People at a terminal: the ``kumobashi`` command.

In go arguments; out come Japanese or English sentences, JSON for machines, and an exit code from
one table (``exits``). Commands import what they need when they are called, so that ``--help``
answers at once. Only ``demo`` and ``bench`` know the fictional city of ``kumobashi.testing``.
"""

from kumobashi.cli.entry import main

__all__ = ["main"]
