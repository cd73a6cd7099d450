"""An administrator ends every session and token of an account that stays active."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.errors import AccountError, NotAllowed, OwnAccount, UnknownAccount
from accounts.models import User
from accounts.services import create_token, find_token, sign_out_everywhere
from audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_it_ends_sessions_and_tokens_and_lets_the_person_in_again(
    client: Client, learner: User, power_user: User
) -> None:
    theirs = Client()
    theirs.force_login(learner)
    key, _ = create_token(owner=learner)
    client.force_login(power_user)
    page = reverse("accounts:sign_out_everywhere", args=[learner.pk])
    assert "Every open session" in client.get(page).content.decode()
    assert find_token(key) is not None
    assert client.post(page).status_code == 302
    assert theirs.get(reverse("accounts:preferences")).status_code == 302
    assert find_token(key) is None
    learner.refresh_from_db()
    assert learner.is_active
    assert AuditEntry.objects.filter(action="user.signed_out", subject=learner, actor=power_user).count() == 1


def test_the_menu_offers_it_for_others_who_are_active(client: Client, learner: User, superadmin: User) -> None:
    client.force_login(superadmin)
    for account, is_offered in ((learner, True), (superadmin, False)):
        page = client.get(reverse("accounts:user", args=[account.pk])).content.decode()
        assert (reverse("accounts:sign_out_everywhere", args=[account.pk]) in page) is is_offered


@pytest.mark.parametrize(
    ("who", "whom", "error"),
    [
        ("power_user", "stranger", UnknownAccount),
        ("learner", "learner", NotAllowed),
        ("superadmin", "superadmin", OwnAccount),
    ],
)
def test_nobody_does_it_to_others_out_of_reach_or_to_themselves(
    request: pytest.FixtureRequest, who: str, whom: str, error: type[AccountError]
) -> None:
    actor, account = request.getfixturevalue(who), request.getfixturevalue(whom)
    with pytest.raises(error):
        sign_out_everywhere(actor=actor, account_id=account.pk)
