"""RSA keys of a kind that can be taken apart: made by the library of CVE-2017-15361 (ROCA).

Its primes are a power of 65537 modulo the product of the first primes, so a modulus is one too,
modulo each of them. A key that was made otherwise is so by chance once in 2^60.

>>> has_known_primes(65537**7), has_known_primes(65537**7 + 2)
(True, False)
"""

from typing import Final

_PRIMES: Final = (
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
)  # fmt: skip
_GENERATOR: Final = 65537


def _powers(prime: int) -> frozenset[int]:
    found, power = set(), 1
    while power not in found:
        found.add(power)
        power = power * _GENERATOR % prime
    return frozenset(found)


_MARKS: Final = {prime: _powers(prime) for prime in _PRIMES}


def has_known_primes(modulus: int) -> bool:
    """Whether a modulus looks the same as those of that library."""
    return all(modulus % prime in powers for prime, powers in _MARKS.items())
