"""Training taken elsewhere."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

import audit.services
from learning_records.certification_rules import active_award, outlasts, put_aside
from learning_records.models import CertificationAward, ExternalTraining
from learning_records.services.writing import lock_account, moment


@transaction.atomic
def add_external_training(
    user_id: int,
    title: str,
    *,
    provider: str = "",
    completed_at: datetime | None = None,
    certification_id: int | None = None,
    expires_at: datetime | None = None,
    actor_id: int | None,
    origin: str = "",
) -> ExternalTraining:
    """Enter training taken elsewhere; with a certification, the account holds that from `completed_at` (now) on.

    An award that is valid for longer stays the active one; the other is kept as history. Raises StateForbids.
    """
    training = ExternalTraining.objects.create(
        user_id=lock_account(user_id, actor_id),
        title=title,
        provider=provider,
        completed_at=completed_at,
        certification_id=certification_id,
        expires_at=expires_at,
    )
    if certification_id is not None:
        _award(training, certification_id)
    detail = {"external_training": training.pk}
    subject = training.user_id
    audit.services.record(
        "external_training.added", actor_id=actor_id, subject_id=subject, detail=detail, origin=origin
    )
    return training


def _award(training: ExternalTraining, certification_id: int) -> None:
    held = active_award(training.user_id, certification_id)
    wins = held is None or outlasts(training.expires_at, held.expires_at)
    if wins:
        put_aside(held)
    CertificationAward.objects.create(
        user_id=training.user_id,
        certification_id=certification_id,
        source=CertificationAward.Source.EXTERNAL,
        external_training=training,
        issued_at=training.completed_at or moment(),
        expires_at=training.expires_at,
        is_active=wins,
    )
