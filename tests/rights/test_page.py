"""docs/rights.md is what the matrix says."""

from tests.rights import page


def test_the_page_is_up_to_date() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.text(), "Run: python -m tests.rights"
