"""Which equivalencies are owed. The one place that says so; what issues them and what checks them build on it.

An equivalency of record r is owed to account m when r is an earned course record, a pair says that the account which
received r is one person with m, and r came after the two were paired, or came before, was valid then, and the link
generates equivalencies. An account that was merged stands for its survivor; nobody is equivalent to themselves.
"""

from __future__ import annotations

_SURVIVOR = """(CASE WHEN {u}.merged_into_id IS NULL THEN {u}.id ELSE (
    WITH RECURSIVE chain AS (
        SELECT {u}.id, {u}.merged_into_id
        UNION ALL SELECT n.id, n.merged_into_id FROM accounts_user n JOIN chain ON n.id = chain.merged_into_id)
    SELECT id FROM chain WHERE merged_into_id IS NULL) END)"""

_VALID_NOW = """(r.voided_at IS NULL OR r.voided_at > p.linked_at)
    AND (r.expires_at IS NULL OR r.expires_at > p.linked_at)"""

# A record was at a moment what its first earlier validity that lasted longer says; without one, what it is now. Few
# records have any, which one look at a hash tells.
_VALID_THEN = f"""(CASE
    WHEN EXISTS (SELECT FROM learning_records_earliervalidity v WHERE v.record_id = r.id)
    THEN coalesce(
        (SELECT v.voided_at IS NULL AND (v.expires_at IS NULL OR v.expires_at > p.linked_at)
         FROM learning_records_earliervalidity v
         WHERE v.record_id = r.id AND v.until > p.linked_at ORDER BY v.until LIMIT 1), {_VALID_NOW})
    ELSE {_VALID_NOW} END)"""  # noqa: S608 - of constants

# An account that was merged has left its group: what it receives from then on is its own.
_HAD_LEFT = """(p.merged_into_id IS NOT NULL AND r.merged_from_id IS NULL AND EXISTS (
    SELECT FROM merging_merge g
    WHERE g.source_id = p.account_id AND g.status = 'done' AND g.performed_at <= r.received_at))"""

# Pairs with all that doesn't depend on the record: what became of the account that receives it, who is owed
_PAIRS = f"""
    SELECT q.id, q.link_id, q.account_id, q.counterpart_id, q.linked_at, q.scanned_to,
           l.generates_equivalencies IS TRUE AS looks_back, o.merged_into_id, m.id AS owed_to
    FROM linking_pair q
    LEFT JOIN linking_link l ON l.id = q.link_id
    JOIN accounts_user o ON o.id = q.account_id
    JOIN accounts_user c ON c.id = q.counterpart_id
    JOIN accounts_user m ON m.id = {_SURVIVOR.format(u="c")}
    WHERE m.status <> 'deleted'"""  # noqa: S608 - of constants

_COUNTS = f"""r.origin = 'earned' AND r.kind = 'course'
      AND (CASE WHEN r.received_at >= p.linked_at THEN NOT {_HAD_LEFT} ELSE p.looks_back AND {_VALID_THEN} END)"""

# Over `r` records, `p` pairs, `h` who holds the record now
OWED = f"""
    FROM learning_records_learningrecord r
    JOIN ({_PAIRS}) p ON p.account_id = coalesce(r.merged_from_id, r.user_id)
    JOIN accounts_user h ON h.id = r.user_id
    WHERE p.owed_to <> {_SURVIVOR.format(u="h")} AND {_COUNTS}
"""

# The same for the next records of some pairs, up to one each, that their accounts hold still. OFFSET 0 makes two
# steps of it whatever the planner believes: all that concerns the pair once, then one range of an index.
_OWED_NEXT = f"""
    FROM (
        SELECT q.*, s.last, {_SURVIVOR.format(u="h")} AS holder
        FROM unnest(%s::bigint[], %s::bigint[]) s(pair, last)
        JOIN ({_PAIRS}) q ON q.id = s.pair
        JOIN accounts_user h ON h.id = q.account_id
        OFFSET 0) p
    JOIN LATERAL (
        SELECT n.* FROM learning_records_learningrecord n
        WHERE n.user_id = p.account_id AND n.merged_from_id IS NULL AND n.origin = 'earned' AND n.kind = 'course'
          AND n.id > p.scanned_to AND n.id <= p.last
        OFFSET 0) r ON TRUE
    WHERE p.owed_to <> p.holder AND {_COUNTS}
"""  # noqa: S608 - of constants

_ISSUE = """
    INSERT INTO learning_records_learningrecord
        (user_id, kind, course_id, title, completed_at, expires_at, voided_at, void_reason, origin, equivalent_of_id,
         is_superseded)
    SELECT p.owed_to, 'course', r.course_id, r.title, r.completed_at, r.expires_at, r.voided_at, r.void_reason,
           'equivalency', r.id, FALSE
    {owed}
    ORDER BY r.id, p.owed_to
    ON CONFLICT (equivalent_of_id, user_id) WHERE equivalent_of_id IS NOT NULL AND NOT is_superseded DO NOTHING
"""
ISSUE = _ISSUE.format(owed=f"{OWED} AND {{which}}")
ISSUE_NEXT = _ISSUE.format(owed=_OWED_NEXT)

# What a record's equivalencies take over from it whenever it changes; `which`: the superseded ones or the others,
# which are found by an index each
FOLLOW = """
    UPDATE learning_records_learningrecord e
    SET completed_at = r.completed_at, expires_at = r.expires_at, voided_at = r.voided_at, void_reason = r.void_reason
    FROM learning_records_learningrecord r
    WHERE r.id = e.equivalent_of_id AND e.equivalent_of_id = ANY(%s) AND {which}
      AND (e.completed_at, e.expires_at, e.voided_at, e.void_reason)
          IS DISTINCT FROM (r.completed_at, r.expires_at, r.voided_at, r.void_reason)
"""

# How many equivalencies of old records a link owes
COUNT_OF_LINK = f"SELECT count(*) {OWED} AND r.received_at < p.linked_at AND p.link_id = %s"

# How many of these are there already
ISSUED_OF_LINK = """
    SELECT count(*) FROM linking_pair p
    JOIN learning_records_learningrecord r ON r.user_id = p.account_id AND r.origin = 'earned' AND r.kind = 'course'
    JOIN learning_records_learningrecord e
        ON e.equivalent_of_id = r.id AND e.user_id = p.counterpart_id AND NOT e.is_superseded
    WHERE p.link_id = %s AND r.received_at < p.linked_at
"""

# Equivalencies that nobody owes; a deleted account keeps what it had
SURPLUS = f"""
    FROM learning_records_learningrecord e JOIN accounts_user u ON u.id = e.user_id
    WHERE e.origin = 'equivalency' AND NOT e.is_superseded AND u.status <> 'deleted'
      AND NOT EXISTS (SELECT {OWED} AND r.id = e.equivalent_of_id AND p.owed_to = e.user_id)
"""

# The undo of a merge parts accounts again; what was issued while it lasted, and isn't owed without it, ends with it.
SUPERSEDE_SURPLUS = f"""
    UPDATE learning_records_learningrecord SET is_superseded = TRUE WHERE id IN (
        SELECT e.id {SURPLUS} AND e.id IN (
            SELECT id FROM learning_records_learningrecord WHERE user_id = ANY(%s) AND origin = 'equivalency'
            UNION ALL
            SELECT q.id FROM learning_records_learningrecord h
            JOIN learning_records_learningrecord q ON q.equivalent_of_id = h.id AND NOT q.is_superseded
            WHERE h.user_id = ANY(%s) AND h.origin = 'earned' AND h.kind = 'course'))
"""  # noqa: S608 - of the constants above

_MISSING = """NOT EXISTS (SELECT FROM learning_records_learningrecord e
    WHERE e.equivalent_of_id = r.id AND e.user_id = p.owed_to AND NOT e.is_superseded)"""

# Put into the outbox what an account, or what another on its records' behalf, should have and hasn't
PEND_MISSING = f"""
    INSERT INTO learning_records_pendingrecord (record_id)
    SELECT DISTINCT r.id {OWED} AND (p.account_id = %s OR p.counterpart_id = %s) AND {_MISSING}
"""

# How the equivalencies that exist differ from those that are owed: kind of difference, record, account
DIFFERENCES = f"""
    SELECT 'missing', r.id, p.owed_to
    {OWED} AND {_MISSING}
    UNION
    SELECT 'surplus', e.equivalent_of_id, e.user_id {SURPLUS}
    UNION
    SELECT 'unlike its origin', e.equivalent_of_id, e.user_id
    FROM learning_records_learningrecord e
    JOIN learning_records_learningrecord r ON r.id = e.equivalent_of_id
    WHERE (e.course_id, e.completed_at, e.expires_at, e.voided_at)
          IS DISTINCT FROM (r.course_id, r.completed_at, r.expires_at, r.voided_at)
"""  # noqa: S608 - of the constants above
