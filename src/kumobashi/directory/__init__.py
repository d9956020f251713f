"""Who and what exists, where, and with which keys.

In go the files of a workspace (``kumobashi.yaml``, ``sites/``, ``systems/``) and the public halves
of the sites' keys; out comes the directory: one signed, versioned, expiring document that every
gateway keeps a good copy of, so that exchange survives the loss of the centre.
"""
