"""Where a resident is reached (連絡先), and the round trip that proves it is hers.

An address comes in, is kept under a key of its own that can be destroyed, and a code goes out to
it; whoever brings the code back has read what was sent there. What comes out is an address that a
sender may open, counted each time; nothing else here gives an address away.
"""
