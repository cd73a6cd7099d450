"""Making accounts and changing them."""

import pytest

from accounts.errors import FieldsInvalid
from accounts.models import Branch, Role
from accounts.services import create_user
from accounts.tests.people import person, superadmin
from audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def problems(error: pytest.ExceptionInfo[FieldsInvalid]) -> list[tuple[str, str]]:
    return [(one["field"], one["code"]) for one in error.value.errors]


def test_it_makes_a_learner_with_everything() -> None:
    branch = Branch.objects.create(name="Sales")
    boss = person("boss")
    data = {
        "username": "jane",
        "email": "jane@example.com",
        "first_name": " Jane ",
        "branches": [branch.pk],
        "managers": [boss.pk],
    }
    account = create_user(actor=superadmin(), data=data)
    account.refresh_from_db()
    assert (account.first_name, account.role, account.has_usable_password()) == ("Jane", Role.LEARNER, False)
    assert list(account.branch_memberships.values_list("branch", flat=True)) == [branch.pk]
    assert AuditEntry.objects.get(action="user.created").subject_id == account.pk
