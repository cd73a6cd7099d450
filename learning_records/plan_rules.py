"""The status of a learning plan enrollment follows from the plan's courses."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

_REFRESH = """
    WITH progress AS (
        SELECT pe.id, count(*) AS steps, count(*) FILTER (WHERE e.status = 'completed') AS completed,
               count(*) FILTER (WHERE e.status IN ('completed', 'in_progress')) AS begun
        FROM learning_records_learningplanenrollment pe
        JOIN learning_records_learningplancourse pc ON pc.learning_plan_id = pe.learning_plan_id
        LEFT JOIN learning_records_enrollment e
            ON e.user_id = pe.user_id AND e.course_id = pc.course_id AND NOT e.is_historical AND e.voided_at IS NULL
        WHERE pe.user_id = ANY(%s) GROUP BY pe.id
    )
    UPDATE learning_records_learningplanenrollment pe SET status = p.status
    FROM (SELECT id, CASE WHEN completed = steps THEN 'completed' WHEN begun > 0 THEN 'in_progress' ELSE 'enrolled' END
          AS status FROM progress) p
    WHERE pe.id = p.id AND pe.status IS DISTINCT FROM p.status
"""


def refresh_plans(account_ids: Sequence[int]) -> None:
    """Work the accounts' plans out anew; only rows whose status differs are written."""
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH, [list(account_ids)])
