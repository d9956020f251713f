"""The tree against a naive reading of RFC 6962, and against its well-known test tree."""

from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumobashi.evidence.errors import ProofWrong
from kumobashi.evidence.merkle import (
    EMPTY,
    Frontier,
    Node,
    consistency,
    inclusion,
    is_consistent,
    leaf_hash,
    root,
    root_of_inclusion,
    subtree,
)

# The eight leaves that implementations of RFC 6962 share, and the roots of their first n.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
bodies = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = naive_split(len(leaves))
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = naive_split(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_proof(m: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """PROOF and SUBPROOF of RFC 6962, 2.1.2."""
    n = len(leaves)
    if m == n:
        return [] if whole else [naive_root(leaves)]
    k = naive_split(n)
    if m <= k:
        return [*naive_proof(m, leaves[:k], whole=whole), naive_root(leaves[k:])]
    return [*naive_proof(m - k, leaves[k:], whole=False), naive_root(leaves[:k])]


def naive_split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def nodes(leaves: list[bytes]) -> Node:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    return lambda level, index: subtree(hashes, level, index)


@pytest.mark.parametrize("size", range(9))
def test_the_well_known_tree_has_its_well_known_roots(size: int) -> None:
    edge = Frontier()
    for leaf in LEAVES[:size]:
        edge.add(leaf_hash(leaf))

    assert edge.root().hex() == ROOTS[size]
    assert root(size, nodes(LEAVES[:size])).hex() == ROOTS[size]
    assert EMPTY.hex() == ROOTS[0]


def test_the_well_known_tree_has_its_well_known_proofs() -> None:
    path = inclusion(0, 8, nodes(LEAVES))
    proof = consistency(6, 8, nodes(LEAVES))

    assert [part.hex()[:16] for part in path] == [
        "96a296d224f285c6",
        "5f083f0a1a33ca07",
        "6b47aaf29ee3c2af",
    ]
    assert [part.hex()[:16] for part in proof] == [
        "0ebc5d3437fbe2db",
        "ca854ea128ed050b",
        "d37ee418976dd957",
    ]


@given(bodies)
def test_roots_and_proofs_are_those_of_the_naive_reading(leaves: list[bytes]) -> None:
    size, node = len(leaves), nodes(leaves)

    assert root(size, node) == naive_root(leaves)
    for index in range(size):
        assert inclusion(index, size, node) == naive_path(index, leaves)
    for old in range(1, size + 1):
        assert consistency(old, size, node) == naive_proof(old, leaves)


@given(bodies, st.data())
def test_a_proof_holds_and_only_for_its_own_leaf_place_and_tree(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size, node = len(leaves), nodes(leaves)
    index = data.draw(st.integers(0, size - 1))
    leaf, path = leaf_hash(leaves[index]), inclusion(index, size, node)
    whole = root(size, node)

    assert root_of_inclusion(leaf, index, size, path) == whole
    assert root_of_inclusion(leaf_hash(b"another leaf"), index, size, path) != whole
    for wrong in ([*path, whole], path[:-1]):
        if wrong != path:
            with suppress(ProofWrong):
                assert root_of_inclusion(leaf, index, size, wrong) != whole
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        bent = [bytes(32) if place == at else part for place, part in enumerate(path)]
        assert root_of_inclusion(leaf, index, size, bent) != whole


@given(bodies, st.data())
def test_a_tree_is_consistent_with_its_beginnings_and_with_nothing_else(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size = len(leaves)
    old = data.draw(st.integers(1, size))
    proof = consistency(old, size, nodes(leaves))
    before, after = naive_root(leaves[:old]), naive_root(leaves)

    assert is_consistent(old, before, size, after, proof)
    assert not is_consistent(old, bytes(32), size, after, proof)
    assert not is_consistent(old, before, size, bytes(32), proof)
    assert not is_consistent(old, before, size, after, [*proof, before])
    if proof:
        assert not is_consistent(old, before, size, after, proof[:-1])
        at = data.draw(st.integers(0, len(proof) - 1))
        bent = [bytes(32) if place == at else part for place, part in enumerate(proof)]
        assert not is_consistent(old, before, size, after, bent)


def test_what_cannot_be_proved_is_refused() -> None:
    node = nodes(LEAVES)
    for index, size in ((8, 8), (-1, 8), (0, 0)):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion(index, size, node)
    for old, new in ((0, 8), (9, 8)):
        with pytest.raises(ValueError, match="no proof"):
            consistency(old, new, node)
    with pytest.raises(ProofWrong):
        root_of_inclusion(bytes(32), 8, 8, [])
