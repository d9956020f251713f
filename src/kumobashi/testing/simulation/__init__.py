"""The exchange in a world of one seed: its clock, its disks and its network are simulated.

Sender, relays, inbox, receiver and ledger are the real ones; they run in one thread, on an event
loop whose time jumps from one event to the next. At every step that touches disk or network a die
decides: go on, wait, lose the request or its answer, bring it twice or late, or kill the process
there. Thousands of such lives are lived in a minute, and each can be lived again.

    python -m kumobashi.testing.simulation --lives 1000 --seed 1
"""
