"""The factories themselves: each makes a row that the database accepts."""

import pytest
from django.db.models import Model

from tests import factories

MAKERS = [
    maker
    for name, maker in vars(factories).items()
    if isinstance(maker, type) and issubclass(maker, factories.Maker) and maker is not factories.Maker
]


@pytest.mark.django_db
@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_it_makes_a_row(maker: type[factories.Maker[Model]]) -> None:
    first, second = maker.create(), maker.create()
    assert first.pk != second.pk
