"""Pages that ask for the password again come back with everything that was typed into them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.typed import MOST
from bulk import services as bulk
from consolidation import services as consolidation
from merging import services as merging
from merging.models import Merge
from tests.factories import SuperadminFactory, UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-enough-password"
REASON = 'Hired again, see "HR-7" & <file>'


@pytest.fixture
def boss(client: Client) -> User:
    boss = SuperadminFactory.create(username="boss")
    boss.set_password(PASSWORD)
    boss.save()
    client.force_login(boss)
    return boss


@pytest.fixture
def come_back(client: Client, boss: User, settings: Settings) -> Callable[..., str]:
    """Press the button too late, confirm the password; the page that one comes back to."""

    def run(address: str, typed: dict[str, Any]) -> str:
        settings.RECENT_SIGN_IN_MINUTES = -1
        asked = client.post(address, typed)
        assert asked["Location"].startswith("/confirm-password/?next="), asked.content
        settings.RECENT_SIGN_IN_MINUTES = 30
        back = client.post(asked["Location"], {"password": PASSWORD}, follow=True)
        assert back.status_code == 200
        return str(back.content.decode())

    return run


def _pair() -> dict[str, int]:
    return {"source": UserFactory.create().pk, "destination": UserFactory.create().pk}


def _review() -> str:
    return "/merges/new/?source={source}&destination={destination}&policy=best_record&step=4".format(**_pair())


def test_a_merge_keeps_its_reason_and_the_wish_to_tell(come_back: Any) -> None:
    html = come_back(_review(), {"reason": REASON, "notify": "on", "digest": "of-before"})
    assert "Hired again, see &quot;HR-7&quot; &amp; &lt;file&gt;</textarea>" in html
    assert 'name="notify" checked' in html
    assert "of-before" not in html
    assert not Merge.objects.exists()


def test_a_wish_not_to_tell_is_kept_too(come_back: Any) -> None:
    html = come_back(_review().replace("best_record&step=4", "keep_primary"), {"reason": "", "digest": "x"})
    assert 'name="notify">' in html


def test_the_merge_then_takes_place_and_nothing_is_kept_any_more(come_back: Any, client: Client) -> None:
    address = _review()
    html = come_back(address, {"reason": REASON})
    digest = html.split('name="digest" value="')[1].split('"')[0]
    done = client.post(address, {"reason": REASON, "digest": digest})
    assert done["Location"] == f"/merges/{Merge.objects.get(reason=REASON).pk}/"
    assert "typed" not in client.session


def test_another_page_knows_nothing_of_it(come_back: Any, client: Client) -> None:
    come_back(_review(), {"reason": REASON})
    assert "HR-7" not in client.get(_review()).content.decode()


def test_an_undo_keeps_its_reason(come_back: Any, boss: User) -> None:
    pair = _pair()
    source, destination = pair["source"], pair["destination"]
    merge = merging.request_merge(actor=boss, source_id=source, destination_id=destination, policy="best_record")
    html = come_back(f"/merges/{merge.pk}/undo/", {"reason": "two people after all"})
    assert "two people after all" in html


def test_a_token_keeps_what_it_is_for(come_back: Any) -> None:
    typed = {"name": "HR feed", "scopes": ["merge", "undo"], "days": "17"}
    html = come_back("/preferences/api-tokens/", typed)
    assert 'value="HR feed"' in html
    assert 'value="17"' in html
    for scope, is_ticked in {"read": False, "write": False, "merge": True, "undo": True}.items():
        box = next(part for part in html.split("<input ") if f'name="scopes" value="{scope}"' in part)
        assert ("checked" in box.partition(">")[0]) == is_ticked


def test_a_deletion_keeps_its_tick(come_back: Any) -> None:
    user = UserFactory.create()
    assert "checked" in come_back(f"/users/{user.pk}/delete/", {"understood": "1"})
    user.refresh_from_db()
    assert user.status == "active"


def test_a_consolidation_keeps_its_answers(come_back: Any, boss: User) -> None:
    one, other = UserFactory.create(), UserFactory.create()
    found = consolidation.start(actor=boss, account=one, other=other)
    consolidation.choose_primary(actor=boss, consolidation_id=found.pk, account_id=one.pk)
    html = come_back(
        f"/consolidations/{found.pk}/remove/",
        {"losses_checked": "on", "removal": "deactivated", "notify": "on"},
    )
    for name in ("losses_checked", "notify"):
        box = next(part for part in html.split("<input ") if f'name="{name}"' in part)
        assert "checked" in box.partition(">")[0]
    box = next(part for part in html.split("<input ") if 'value="deactivated"' in part)
    assert "checked" in box.partition(">")[0]


def test_a_csv_file_is_shown_again_with_its_button(come_back: Any, boss: User) -> None:
    file = bulk.upload(actor=boss, kind="users", file=io.BytesIO(b"username\nx\n"), name="x.csv", size=11)
    assert "x.csv" in come_back(f"/imports/{file.pk}/confirm/", {})


def test_a_merge_in_the_admin_site_keeps_what_was_typed(come_back: Any) -> None:
    html = come_back("/admin/merging/merge/add/", {**_pair(), "reason": "by hand", "policy": "keep_primary"})
    assert "by hand" in html
    assert '<option value="keep_primary" selected>' in html


def test_no_password_and_no_flood_is_kept(come_back: Any, client: Client) -> None:
    come_back(_review(), {"reason": "x", "password": "secret", "new_password2": "secret"})
    assert "secret" not in str(dict(client.session))
    come_back(_review(), {"reason": "y" * (MOST + 1)})
    assert "yyy" not in str(dict(client.session))
