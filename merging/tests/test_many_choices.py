"""Hand-made choices about hundreds of courses fit into the address, and what doesn't fit is told before it is lost."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from learning_records.models import Course, Enrollment
from merging import forms
from merging.forms import Address
from merging.models import Merge
from merging.sides import read, write

LIMIT = 8190  # bytes of a request line that the web server takes
FIRST = 10**9  # a portal with many courses
GAP = 37

IDS = st.integers(0, 10**18 - 1).map(str)
SIDES = st.sampled_from(["source", "destination"])


@settings(max_examples=50)
@given(st.dictionaries(IDS, SIDES, max_size=40))
def test_every_set_of_choices_is_read_as_it_was_written(sides: dict[str, Any]) -> None:
    assert read(write(sides)) == sides
    assert write(read(write(sides))) == write(sides)


def test_few_choices_can_be_read_by_people() -> None:
    assert write({"31": "destination", "7": "source"}) == "31:d,7:s"


@pytest.mark.parametrize(
    "text", ["~", "~!", "~g", "~____________________", "~" + "_" * 5000, "~AA", "31:x", ":d", "~é"]
)
def test_nonsense_is_as_if_it_were_not_there(text: str) -> None:
    assert all(len(key) < 19 for key in read(text))


def test_two_thousand_choices_fit() -> None:
    courses: dict[str, Any] = {str(FIRST + GAP * i): "source" for i in range(2000)}
    address = Address.read(QueryDict(urlencode({"source": 1, "destination": 2, "policy": "best_record", "step": 3})))
    address = address.moved_to(courses=courses)
    assert len(address.query()) < forms.LONGEST
    assert Address.read(QueryDict(address.query()[1:])).courses == courses


@pytest.fixture
def shared(source: User, destination: User) -> list[Course]:
    """Seven hundred courses that both have; the destination's record is ticked beforehand in none of them."""
    courses = [Course(pk=FIRST + GAP * i, title=f"Course {i:03}") for i in range(700)]
    Course.objects.bulk_create(courses)
    for user, progress in ((source, 50), (destination, 10)):
        Enrollment.objects.bulk_create(
            Enrollment(user=user, course=course, status="in_progress", progress=progress) for course in courses
        )
    return courses


def _submitted(html: str, button: tuple[str, str], side: str) -> str:
    """The address of the wizard's form as a browser sends it, with every box set to that side."""
    form = html.partition('class="boxes"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    boxes = dict.fromkeys(re.findall(r'name="(t\.[^"]+)"', form), side)
    return "/merges/new/?" + urlencode(
        {k: unescape(v) for k, v in {**fields, **boxes}.items()} | dict([button]) | {"merge": "on"}
    )


def _get(client: Client, address: str) -> Any:
    response = client.get(address)
    assert len(f"GET {address} HTTP/1.1") < LIMIT
    while response.status_code == 302:
        assert len(f"GET {response['Location']} HTTP/1.1") < LIMIT
        response = client.get(response["Location"])
    return response


@pytest.mark.django_db
def test_seven_hundred_courses_are_decided_by_hand(
    client: Client, boss: User, source: User, destination: User, shared: list[Course]
) -> None:
    html = client.get(
        f"/merges/new/?source={source.pk}&destination={destination.pk}&policy=best_record&step=3"
    ).content.decode()
    for page in range(2, 15):
        html = _get(client, _submitted(html, ("page", str(page)), "d")).content.decode()
        assert f"Page {page} of 14" in html
    review = _get(client, _submitted(html, ("step", "4"), "d"))
    assert review.context["address"].courses == {str(course.pk): "destination" for course in shared}
    address = unescape(re.findall(r'action="([^"]+)" class="panel confirm"', review.content.decode())[0])
    done = client.post(address, {"digest": review.context["plan"].digest})
    merge = Merge.objects.get()
    assert done["Location"] == f"/merges/{merge.pk}/"
    assert len(merge.choices["enrollments"]["courses"]) == 700
    current = Enrollment.objects.filter(user=destination, is_historical=False)
    assert set(current.values_list("progress", flat=True)) == {10}


@pytest.mark.django_db
def test_more_than_fits_is_refused_in_words_and_loses_nothing_that_was_chosen_before(
    client: Client, boss: User, source: User, destination: User, shared: list[Course], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "LONGEST", 200)
    start = f"/merges/new/?source={source.pk}&destination={destination.pk}&policy=best_record&step=3"
    html = _get(client, _submitted(client.get(start).content.decode(), ("page", "2"), "d")).content.decode()
    chosen = {str(course.pk) for course in shared[:50]}
    refused = _get(client, _submitted(html, ("step", "4"), "d"))
    assert refused.status_code == 200
    assert refused.context["address"].courses.keys() == chosen
    assert refused.context["address"].step == 3
    text = refused.content.decode()
    assert "were not taken" in text
    assert "/api/v1/merges/" in text
