"""A password proves an account at the moment of linking, not before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from accounts.services import change_own_password
from linking import services
from linking.errors import CallerMayNotLink, CredentialsRefused, LinkRefused
from linking.models import Link
from linking.tests.cast import person
from tests.concurrency import apart, before_commit, wait_until_blocked
from tests.factories import PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P.12")]


@pytest.mark.parametrize(("who", "refusal"), [("smith", CredentialsRefused), ("doe", CallerMayNotLink)])
def test_a_password_that_is_changed_meanwhile_proves_nothing(who: str, refusal: type[LinkRefused]) -> None:
    doe, smith = person("doe", password=PASSWORD), person("smith", password=PASSWORD)
    changing = {"doe": doe, "smith": smith}[who]

    def link() -> object:
        return services.prove_and_link(caller=doe, username="smith", password=PASSWORD, generate_equivalencies=False)

    with ThreadPoolExecutor(1) as pool:
        with before_commit(lambda: change_own_password(actor=changing, password="quite another 7 words")):
            late = pool.submit(apart(link))
            wait_until_blocked(late)
        with pytest.raises(refusal):
            late.result(20)
    assert not Link.objects.exists()
