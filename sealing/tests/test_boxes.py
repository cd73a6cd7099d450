"""What is sealed opens with the portal's keys alone."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from sealing import CannotUnseal, is_sealed, reseal, seal, unseal


@pytest.mark.parametrize("text", ["whsec_abc", "", "ä" * 1000, "sealed:no"])
def test_it_opens_what_it_sealed(text: str) -> None:
    sealed = seal(text)
    assert unseal(sealed) == text
    assert is_sealed(sealed)
    assert not text or text not in sealed
    assert seal(text) != sealed


def test_an_older_key_still_opens_and_rotation_ends_its_need(settings: Settings) -> None:
    settings.FIELD_KEYS = ["old"]
    sealed = seal("secret")
    settings.FIELD_KEYS = ["new", "old"]
    assert unseal(sealed) == "secret"
    again = reseal(sealed)
    settings.FIELD_KEYS = ["new"]
    assert unseal(again) == "secret"
    for act in (unseal, reseal):
        with pytest.raises(CannotUnseal):
            act(sealed)


@pytest.mark.parametrize("text", ["", "whsec_plain", "sealed:", "sealed:xyz"])
def test_what_was_not_sealed_does_not_open(text: str) -> None:
    with pytest.raises(CannotUnseal):
        unseal(text)


def test_a_changed_text_does_not_open() -> None:
    sealed = seal("secret")
    changed = sealed[:-10] + ("A" if sealed[-10] != "A" else "B") + sealed[-9:]
    with pytest.raises(CannotUnseal):
        unseal(changed)
