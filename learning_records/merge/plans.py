"""Learning plans: who is in them is the policy's question; their state follows from the courses."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import Case as Switch
from django.db.models import CharField, Exists, OuterRef, Value, When

from learning_records.merge.enrollments import EnrollmentHandler
from learning_records.models import LearningPlanEnrollment
from merging.handlers import Case, Change, Claim, MergeHandler, Move, Outcome, moves, register, stays

HAS_PLANS = "SELECT FROM learning_records_learningplanenrollment WHERE user_id = %s LIMIT 1"
REACHED = """
    WITH current AS ({current}),
    reached AS (
        SELECT pe.id, pe.status, pe.learning_plan_id,
               CASE WHEN bool_and(coalesce(c.status = 'completed' AND c.voided_at IS NULL, FALSE)) THEN 'completed'
                    WHEN bool_or(c.status IN ('in_progress', 'completed') AND c.voided_at IS NULL) THEN 'in_progress'
                    ELSE 'enrolled' END AS state
        FROM learning_records_learningplanenrollment pe
        JOIN learning_records_learningplancourse step ON step.learning_plan_id = pe.learning_plan_id
        LEFT JOIN current c ON c.course_id = step.course_id
        WHERE pe.user_id = %s
        GROUP BY pe.id, pe.status, pe.learning_plan_id
        HAVING bool_or(c.user_id = %s)
    )
    SELECT r.id, r.status, r.state, p.title
    FROM reached r JOIN learning_records_learningplan p ON p.id = r.learning_plan_id
    WHERE array_position(ARRAY['enrolled', 'in_progress', 'completed'], r.state)
        > array_position(ARRAY['enrolled', 'in_progress', 'completed'], r.status::text)
    ORDER BY r.id
"""


@register
class LearningPlanHandler(MergeHandler):
    """Moves where the destination lacks the plan, or stays, as the policy says; the destination's get ahead."""

    key = section = "learning_plans"
    claims = (Claim(LearningPlanEnrollment, "user"),)
    related = ("learning_plan",)
    only_moves = False  # the destination's may get ahead

    def plan(self, case: Case) -> Iterator[Change | Move]:
        s, d = case.source.pk, case.destination.pk
        if case.policy.moves_learning_plans:
            twins = LearningPlanEnrollment.objects.filter(user=d, learning_plan=OuterRef("learning_plan"))
            verdict = Switch(When(Exists(twins), then=Value("twin")), default=Value("moves"), output_field=CharField())
            rows = LearningPlanEnrollment.objects.filter(user=s).annotate(verdict=verdict)
            yield Move(rows, {"moves": moves(s, d), "twin": stays(s, "the destination is already in this plan")})
        else:
            yield self.move_all(case, self.claims[0], stays(s, "learning plans aren't merged; enroll the destination"))
        if self.claims[0] not in case.empty:
            yield from _advanced(case)

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        return str(row.learning_plan), {"id": row.pk, "learning_plan": row.learning_plan_id, "status": row.status}


def _advanced(case: Case) -> Iterator[Change]:
    """The destination's plans whose state rises because of a course that the merge brings."""
    with connection.cursor() as cursor:
        cursor.execute(HAS_PLANS, [case.destination.pk])
        if not cursor.fetchall():
            return  # the common case, without the ranking
        current, params = EnrollmentHandler().current_after(case)
        cursor.execute(REACHED.format(current=current), [*params, case.destination.pk, case.source.pk])
        found = cursor.fetchall()
    for pk, before, after, title in found:
        yield Change(
            LearningPlanEnrollment,
            pk,
            {"status": before},
            {"status": after},
            Outcome.CHANGED,
            "its courses are further now",
            what=title,
            detail={"id": pk, "before": before, "after": after},
        )
