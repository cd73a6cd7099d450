"""The wizard: GET alone until Merge Users. Each page is computed from its address; nothing is remembered."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods

from merging import review, services, tasks
from merging.access import actor_of, asks_for_password, merger_required, origin_of, typed_before, visible_account
from merging.errors import ChoicesInvalid, MergeError, MergeIsBusy, PlanIsStale
from merging.forms import PARTS, Address, ConfirmForm
from merging.handlers import Case
from merging.models import Merge
from merging.policies import Choices, parse_choices
from merging.turns import in_turn
from merging.views import pages
from rest_contract.outages import come_back

if TYPE_CHECKING:
    from accounts.models import User

CANDIDATES = 10


@dataclass(frozen=True)
class Question:
    """One request to the wizard: who asks, the address, and the accounts that it names."""

    actor: User
    address: Address
    source: User | None
    destination: User | None

    @classmethod
    def of(cls, request: HttpRequest) -> Question:
        """Read the request; accounts that the actor may not know of don't exist."""
        actor, address = actor_of(request), Address.read(request.GET)
        source, destination = (
            visible_account(actor, account) if account else None for account in (address.source, address.destination)
        )
        if source is not None and source == destination:
            address = address.moved_to(step=1)
        return cls(actor, address, source, destination)

    @property
    def is_same(self) -> bool:
        return self.source is not None and self.source == self.destination

    def case(self) -> Case | None:
        """The merge in question, once both accounts are known and differ; forged choices count as none here."""
        if self.source is None or self.destination is None or self.is_same:
            return None
        try:
            choices = parse_choices(self.address.choices(), self.address.policy)
        except ChoicesInvalid:
            choices = Choices()
        return Case(self.source, self.destination, self.address.policy, choices)


@asks_for_password
@merger_required
@require_http_methods(["GET", "HEAD", "POST"])
def wizard(request: HttpRequest) -> HttpResponse:
    """`/merges/new/`: GET shows the step that the address names, POST merges what the review showed."""
    question = Question.of(request)
    if request.method == "POST":
        return _merge(request, question)
    address = question.address
    case = question.case()
    if address.sent and case:
        with _turn(question):
            settled = address.settled(review.choice_rows(case, address.sent))
        if settled.is_too_long:
            return _overflow(request, question)
        address = settled
    if dict(request.GET.items()) != address.parameters() and "HX-Request" not in request.headers:
        return redirect(request.path + address.query())
    question = Question(question.actor, address, question.source, question.destination)
    return _page(request, question, given=typed_before(request))


def found(question: Question) -> list[User]:
    """Accounts that match the typed words, for browsers that don't offer them while one types."""
    if not question.address.q:
        return []
    return list(get_user_model().objects.matching(question.actor, question.address.q, CANDIDATES))


def _page(request: HttpRequest, question: Question, *, status: int = 200, **more: Any) -> HttpResponse:
    with _turn(question):
        context = pages.frame(question, found(question)) | _step(question) | more
        response = render(request, "merging/wizard.html", context, status=status)
    response["HX-Push-Url"] = request.path + question.address.query()
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["HX-Request"])
    return response


def _turn(question: Question) -> AbstractContextManager[None]:
    """Pages that look at the rows of two accounts wait for a place; those that ask for an account don't."""
    return in_turn(question.actor.pk) if question.case() else nullcontext()


def _overflow(request: HttpRequest, question: Question) -> HttpResponse:
    """More choices than an address holds: those of this page aren't taken, and the page says what to do."""
    address = question.address
    here = address.moved_to(step=PARTS[address.sent], page=address.page)
    return _page(request, Question(question.actor, here, question.source, question.destination), is_full=True)


def _step(question: Question) -> dict[str, Any]:
    case = question.case()
    if case is None or question.address.step == 1:
        return pages.destination(question, case)
    if question.address.step in (2, 3):
        return pages.boxes(question.address, case)
    return _review(question)


def _review(question: Question) -> dict[str, Any]:
    address = question.address
    try:
        plan = services.preview(
            actor=question.actor,
            source_id=address.source or 0,
            destination_id=address.destination or 0,
            policy=address.policy.name,
            choices=address.choices(),
        )
    except ChoicesInvalid as error:
        return pages.impossible(address, error)
    return pages.reviewed(address, plan)


def _merge(request: HttpRequest, question: Question) -> HttpResponse:
    """Confirm a review. Sent twice it gives one merge; what isn't what was reviewed gives the new review."""
    address, form = question.address.moved_to(step=4), ConfirmForm(request.POST)
    question = Question(question.actor, address, question.source, question.destination)
    if question.source is None or question.destination is None:
        return redirect(request.path + address.query())
    given = form.cleaned_data if form.is_valid() else {}
    if not given.get("digest"):
        return _refused(request, question, {"digest": "", **given}, PlanIsStale())
    done = _twin(address, given["digest"])
    try:
        merge = done or services.request_merge(
            actor=question.actor,
            source_id=question.source.pk,
            destination_id=question.destination.pk,
            policy=address.policy.name,
            choices=address.choices(),
            origin=origin_of(request),
            **given,
        )
    except MergeError as error:
        return _refused(request, question, given, error)
    if done is None:
        tasks.follow_up(merge)
        _say(request, merge)
    return redirect("merging:merge", merge.pk)


def _twin(address: Address, digest: str) -> Merge | None:
    """The merge that this very review already became, by a second click."""
    if not digest:
        return None
    live = (Merge.Status.QUEUED, Merge.Status.DONE)
    merges = Merge.objects.filter(source=address.source, destination=address.destination, digest=digest)
    return merges.filter(status__in=live).first()


def _refused(request: HttpRequest, question: Question, given: dict[str, Any], error: MergeError) -> HttpResponse:
    """A click that lost against its twin leads to the twin's merge; anything else shows the review as it is now."""
    done = _twin(question.address, given["digest"])
    if done:
        return redirect("merging:merge", done.pk)
    changed = error.facts.get("sections", ()) if isinstance(error, PlanIsStale) else ()
    page = _page(request, question, status=409, refusal=error, changed=changed, given=given)
    return come_back(page) if isinstance(error, MergeIsBusy) else page


def _say(request: HttpRequest, merge: Merge) -> None:
    if merge.status == Merge.Status.DONE:
        messages.success(request, f"{merge.source.username} was merged into {merge.destination.username}.")
    else:
        messages.info(request, "The merge is large, so it is carried out in the background. This page follows it.")
