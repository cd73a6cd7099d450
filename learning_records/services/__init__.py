"""What can be done with learning records, enrollments and external training.

Every act is one transaction: the account's row first (FOR KEY SHARE; a merged, inactive account's data goes to its
survivor), then the rows themselves, then audit and events. Nothing is enqueued here: after a commit, doors send the
hint "linking.tasks.issue_owed".
"""

from learning_records.services.enrollments import (
    enroll,
    restore_enrollment,
    update_enrollment,
    void_enrollment,
)
from learning_records.services.external import add_external_training
from learning_records.services.many import add_external_trainings, enroll_many
from learning_records.services.receiving import BY_COURSE, NewRecord, expiry_of, receive
from learning_records.services.validity import change_expiry, restore_record, void_record

__all__ = [
    "BY_COURSE",
    "NewRecord",
    "add_external_training",
    "add_external_trainings",
    "change_expiry",
    "enroll",
    "enroll_many",
    "expiry_of",
    "receive",
    "restore_enrollment",
    "restore_record",
    "update_enrollment",
    "void_enrollment",
    "void_record",
]
