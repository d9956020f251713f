"""Failures on purpose, and a judge who believes nobody.

``run`` plays rounds: a small town of real gateway processes carries several links while lines,
disks, clocks and processes fail, drawn from one seed; then all is healed and must end by itself.
``check`` is a program of its own. It imports nothing that carries data: it reads what the sender
meant to send, what stands in the receivers' tables and what was signed, and decides whether
anything was lost, applied twice, altered, or left in limbo. ``docs/reliability.md`` has results.
"""
