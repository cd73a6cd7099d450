"""Choices as text for an address: legible while they are few, packed when they are many.

Packed, `~` leads; then follows, for every id in order, twice its distance from the one before plus the side, as digits
of five bits with the lowest first, of which all but the last of a number are marked. Two characters a choice where ids
lie within five hundred of each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from merging.policies import Side

LETTERS: Mapping[str, Side] = {"s": "source", "d": "destination"}
BITS: Mapping[Side, int] = {"source": 0, "destination": 1}
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
MARK = 32  # more digits of this number follow
FEW = 20
LARGEST = 10**18


def read(text: str) -> dict[str, Side]:
    """`31:d,phone:s`, or the same packed; what makes no sense is as if it weren't there."""
    if text.startswith("~"):
        return dict(_unpacked(text[1:]))
    found: dict[str, Side] = {}
    for part in text.split(","):
        key, _, letter = part.rpartition(":")
        if key and letter in LETTERS:
            found[key] = LETTERS[letter]
    return found


def write(sides: Mapping[str, Side]) -> str:
    """The shortest text that `read` takes, though legible up to FEW choices; always the same for the same choices."""
    if len(sides) > FEW and all(_is_id(key) for key in sides):
        return "~" + "".join(_packed({int(key): side for key, side in sides.items()}))
    return ",".join(f"{key}:{side[0]}" for key, side in sides.items())


def _is_id(key: str) -> bool:
    return key.isascii() and key.isdigit() and str(int(key)) == key and int(key) < LARGEST


def _packed(sides: Mapping[int, Side]) -> Iterator[str]:
    before = 0
    for key in sorted(sides):
        number, before = (key - before) * 2 + BITS[sides[key]], key
        while number >= MARK:
            yield DIGITS[number % MARK + MARK]
            number //= MARK
        yield DIGITS[number]


def _unpacked(text: str) -> Iterator[tuple[str, Side]]:
    key, number, weight = 0, 0, 1
    for letter in text:
        digit = DIGITS.find(letter)
        if digit < 0 or weight > 2 * LARGEST:
            return
        number += digit % MARK * weight
        weight *= MARK
        if digit < MARK:
            key += number // 2
            if key >= LARGEST:
                return
            yield str(key), "destination" if number % 2 else "source"
            number, weight = 0, 1
