"""Nothing can be forgotten: every column that points at the user table has one handler, or a reason to be left alone."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, register
from django.db.models import ForeignKey

from merging.handlers import exemptions, registered


@register("merging")
def check_claims(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Walk every column of every installed model, automatic and hidden ones included."""
    return list(find_gaps())


def find_gaps() -> Iterator[CheckMessage]:
    """One error per column that is claimed by nobody, by two, or exempted without a reason."""
    claims = [(claim.model._meta.label_lower, claim.column) for handler in registered() for claim in handler.claims]
    exempted = exemptions()
    for model, column in user_columns():
        claimed = claims.count((model, column))
        if claimed + ((model, column) in exempted) == 0:
            yield Error(
                f"No merge handler claims {model}.{column}.",
                hint="Name it in the claims of a handler in the app's merge.py, or exempt it there with a reason.",
                id="merging.E001",
            )
        elif claimed + ((model, column) in exempted) > 1:
            yield Error(f"{model}.{column} is claimed more than once.", hint="Keep one claim.", id="merging.E002")
    for (model, column), reason in exempted.items():
        if not reason.strip():
            yield Error(f"{model}.{column} is exempted without a reason.", hint="Say why.", id="merging.E003")


def user_columns() -> Iterator[tuple[str, str]]:
    """(model, column) of every foreign key to the user table."""
    user = get_user_model()
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_fields:
            if isinstance(field, ForeignKey) and field.related_model in (user, "self") and _points_at(field, user):
                yield model._meta.label_lower, field.name


def _points_at(field: Any, user: Any) -> bool:
    target = field.model if field.related_model == "self" else field.related_model
    return bool(target is user and not field.model._meta.proxy)
