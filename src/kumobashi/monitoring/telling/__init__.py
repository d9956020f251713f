"""Alerts reach people: who is called, by which way, at what hour, and what follows if nobody comes.

In go alerts; out go letters over channels, and into the book goes what was handed over, what came
of it and who answered. "Handed over" is not "arrived": what is urgent rests only when a person has
said that she sees to it. Deciding is pure; the dispatcher does the talking.
"""
