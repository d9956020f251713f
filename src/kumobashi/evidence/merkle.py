"""The Merkle tree of RFC 9162, 2.1 (the same as RFC 6962): roots, proofs and how to check them.

A leaf is hashed with 0x00 before it, a node with 0x01, so that neither passes for the other. Proofs
are made from hashes of whole subtrees, which whoever keeps the log hands over by level and index.

>>> leaves = [leaf_hash(name) for name in (b"a", b"b", b"c")]
>>> edge = Frontier()
>>> for leaf in leaves:
...     edge.add(leaf)
>>> proof = inclusion(2, 3, lambda level, index: subtree(leaves, level, index))
>>> root_of_inclusion(leaves[2], 2, 3, proof) == edge.root()
True
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

from kumobashi.evidence.errors import ProofWrong

Node = Callable[[int, int], bytes]  # level and index of a whole subtree → its hash
HASH_BYTES = 32
EMPTY = sha256(b"").digest()


def leaf_hash(body: bytes) -> bytes:
    """Return the hash of one leaf."""
    return sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees, the left one whole."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: the hashes of its whole subtrees, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Add the hash of one leaf."""
        size = self.size
        edge = self._edge
        while size & 1:
            leaf = sha256(b"\x01" + edge.pop() + leaf).digest()
            size >>= 1
        edge.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of all leaves so far."""
        if not self._edge:
            return EMPTY
        found = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            found = node_hash(left, found)
        return found

    def copy(self) -> "Frontier":
        """Return an edge that grows on its own from here."""
        other = Frontier()
        other.size, other._edge = self.size, list(self._edge)
        return other


def subtree(leaves: Sequence[bytes], level: int, index: int) -> bytes:
    """Return the hash of a whole subtree of ``2**level`` leaf hashes."""
    row = list(leaves[index << level : (index + 1) << level])
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def root(size: int, node: Node) -> bytes:
    """Return the root of the first ``size`` leaves."""
    return _range(0, size, node) if size else EMPTY


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """Return the proof that leaf ``index`` is in the tree of ``size`` leaves (2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range(middle, high, node))
            high = middle
        else:
            path.append(_range(low, middle, node))
            low = middle
    return path[::-1]


def consistency(old: int, new: int, node: Node) -> list[bytes]:
    """Return the proof that the tree of ``new`` leaves begins with that of ``old`` (2.1.4.1)."""
    if not 0 < old <= new:
        raise ValueError(f"no proof from {old} to {new}")
    path: list[bytes] = []
    low, high, is_whole = 0, new, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_range(middle, high, node))
            high = middle
        else:
            path.append(_range(low, middle, node))
            low, is_whole = middle, False
    if not is_whole:
        path.append(_range(low, high, node))
    return path[::-1]


def root_of_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that a leaf and its proof lead to (2.1.3.2).

    Raises:
        ProofWrong: too long, too short, or of another index.
    """
    if not 0 <= index < size:
        raise ProofWrong(number=index, size=size)
    found, place, last = leaf, index, size - 1
    for other in proof:
        if last == 0:
            raise ProofWrong(number=index, size=size)
        if place & 1 or place == last:
            found = node_hash(other, found)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            found = node_hash(found, other)
        place >>= 1
        last >>= 1
    if last:
        raise ProofWrong(number=index, size=size)
    return found


def is_consistent(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether ``proof`` shows that the new tree begins with the old one (2.1.4.2)."""
    if old == new:
        return old_root == new_root and not proof
    if not 0 < old < new or not proof:
        return False
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    place, last = old - 1, new - 1
    while place & 1:
        place >>= 1
        last >>= 1
    before = after = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(other, before), node_hash(other, after)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            after = node_hash(after, other)
        place >>= 1
        last >>= 1
    return last == 0 and before == old_root and after == new_root


def _range(low: int, high: int, node: Node) -> bytes:
    """Return the hash over leaves ``low`` to ``high``, from whole subtrees."""
    width = high - low
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return node(level, low >> level)
    middle = low + _split(width)
    return node_hash(_range(low, middle, node), _range(middle, high, node))


def _split(width: int) -> int:
    """Return the largest power of two below ``width``."""
    return 1 << (width - 1).bit_length() - 1
