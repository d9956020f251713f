"""What is wrong, where, on whose side, and who is told.

In go observations: what a pulse along a route brought back, receipts, notices of program logs,
probes of what lies between; out come faults, each with one cause, a side and the links it stops,
and the alerts that tell people of them. Judging is pure; the watch beside the gateways does the
talking.
"""
