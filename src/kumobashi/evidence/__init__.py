"""The evidence log (証跡): what happened at a gateway, in a tree that shows later changes.

In go entries, written in the very transaction whose change they speak of. Out come signed
checkpoints, proofs, and files that an auditor checks elsewhere with public keys alone:
``merkle`` is the tree, ``checkpoints`` the signed form of its root, ``entries`` what is said,
``log`` how it is kept, ``walking`` how the first touched record is found, ``files`` the file.
"""
