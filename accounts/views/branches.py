"""The tree of branches."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from accounts import services
from accounts.errors import AccountError, FieldsInvalid
from accounts.forms import BranchForm
from accounts.models import Branch, BranchMembership, Right
from accounts.report import branches_of
from accounts.views.access import actor_of, needs_right, origin_of, superadmins_only


@require_GET
@needs_right(Right.VIEW)
def show(request: HttpRequest) -> HttpResponse:
    """All branches with the number of people in each; a power user sees those assigned to them."""
    branches = branches_of(actor_of(request))
    members = BranchMembership.objects.filter(branch__in=branches)
    counted = members.values_list("branch").annotate(people=Count("pk")).order_by()
    return render(request, "accounts/branches.html", {"branches": branches, "people": dict(counted)})


@superadmins_only
def create(request: HttpRequest) -> HttpResponse:
    form = BranchForm(request.POST or None, initial={"parent": request.GET.get("parent")})
    return _page(request, form, None)


@superadmins_only
def edit(request: HttpRequest, branch_id: int) -> HttpResponse:
    branch = get_object_or_404(Branch, pk=branch_id)
    initial = {"name": branch.name, "parent": branch.parent_id}
    return _page(request, BranchForm(request.POST or None, exclude=branch, initial=initial), branch)


def _page(request: HttpRequest, form: BranchForm, branch: Branch | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid() and _save(request, form, branch):
        messages.success(request, f"{form.cleaned_data['name']} is saved.")
        return redirect("accounts:branches")
    return render(request, "accounts/branch.html", {"form": form, "branch": branch})


def _save(request: HttpRequest, form: BranchForm, branch: Branch | None) -> bool:
    """Whether it is done; what stood in the way is on the form."""
    parent = form.cleaned_data["parent"]
    parent_id = parent.pk if parent else None
    actor, name, origin = actor_of(request), form.cleaned_data["name"], origin_of(request)
    try:
        if branch is None:
            services.create_branch(actor=actor, name=name, parent_id=parent_id, origin=origin)
        else:
            services.change_branch(actor=actor, branch_id=branch.pk, name=name, parent_id=parent_id, origin=origin)
    except FieldsInvalid as error:
        for one in error.errors:
            form.add_error(one["field"] if one["field"] in form.fields else None, one["detail"])
        return False
    except AccountError as error:
        form.add_error(None, error.detail)
        return False
    return True
