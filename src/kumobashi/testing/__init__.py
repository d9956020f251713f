"""What proves that kumobashi works: a small fictional city, and servers that tests start and stop.

Production imports nothing from here; only ``cli`` does, for the demo and the benchmark. What goes
in is a size and a seed, what comes out are tables of people who do not exist.
"""
