"""What ``kumobashi doctor`` looks at: one module for each thing that can be wrong.

``checks`` holds what is found; ``installation``, ``keys``, ``peers``, ``clocks``, ``room`` and
``incidents`` look.
Judging is apart from looking: what was seen goes in as values, a :class:`Check` comes out.
"""

from kumobashi.cli.checkup.checks import Check, State, examine

__all__ = ["Check", "State", "examine"]
