"""The hash chains of the audit, as the database keeps them: tables, functions and triggers in PostgreSQL's own words.

An entry's insert leaves its ids in `audit_pending`. Two deferred triggers follow: the first, at the commit, puts them
behind whatever else the commit still has to check; the second, when all of that is done, links them into one of the
chains. So the lock on a chain is the last that a transaction takes: it is held for the moment of the commit alone, and
nobody who holds one waits for anything else.
"""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

CHAINS = 16

# What is hashed. A jsonb array has one text whatever the session's settings; times are seconds since 1970.
TEXT = """
CREATE FUNCTION audit_text(chain smallint, place bigint, previous bytea, e audit_auditentry) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT convert_to(jsonb_build_array(chain, place, encode(previous, 'hex'), e.id, e.actor_id, e.subject_id,
                                        e.action, e.detail, e.origin, extract(epoch FROM e.at))::text, 'UTF8')
$$
"""

PENDING = """
CREATE UNLOGGED TABLE audit_pending (ids bigint[] NOT NULL, checked boolean NOT NULL);

CREATE FUNCTION audit_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO audit_pending SELECT array_agg(id ORDER BY id), false FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    waiting bigint[];
BEGIN
    -- Rows of other transactions are never seen: each is removed by the transaction that wrote it.
    IF NOT NEW.checked THEN
        WITH taken AS (DELETE FROM audit_pending WHERE NOT checked RETURNING ids)
        SELECT array_agg(id ORDER BY id) INTO waiting FROM taken CROSS JOIN unnest(ids) AS id;
        IF waiting IS NOT NULL THEN
            INSERT INTO audit_pending VALUES (waiting, true);
        END IF;
    ELSE
        WITH taken AS (DELETE FROM audit_pending WHERE checked RETURNING ids)
        SELECT array_agg(id ORDER BY id) INTO waiting FROM taken CROSS JOIN unnest(ids) AS id;
        IF waiting IS NOT NULL THEN
            PERFORM audit_link(waiting);
        END IF;
    END IF;
    RETURN NULL;
END $$;
"""

LINK = """
CREATE FUNCTION audit_link(wanted bigint[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    head audit_audithead;
    entry audit_auditentry;
    was bytea;
    entries bigint[] := '{}';
    hashes bytea[] := '{}';
BEGIN
    -- A chain that nobody else extends at this moment, beginning with one of this connection's own. NO KEY UPDATE:
    -- nothing refers to a head, and whoever extends a chain excludes all others who would.
    SELECT * INTO head FROM audit_audithead
    ORDER BY (chain - pg_backend_pid() % {chains} + {chains}) % {chains} LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        INSERT INTO audit_audithead (chain, length, hash) VALUES (pg_backend_pid() % {chains}, 0, '')
        ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM audit_audithead WHERE chain = pg_backend_pid() % {chains} FOR NO KEY UPDATE;
    END IF;
    was := head.hash;
    FOR entry IN SELECT * FROM audit_auditentry WHERE id = ANY(wanted) ORDER BY id LOOP
        entries := entries || entry.id;
        hashes := hashes || sha256(audit_text(head.chain, head.length + cardinality(entries), was, entry));
        was := hashes[cardinality(hashes)];
    END LOOP;
    INSERT INTO audit_auditlink (entry_id, chain, place, previous, hash)
    SELECT id, head.chain, head.length + n, coalesce(lag(hash) OVER (ORDER BY n), head.hash), hash
    FROM unnest(entries, hashes) WITH ORDINALITY AS linked(id, hash, n);
    UPDATE audit_audithead SET length = head.length + cardinality(entries), hash = was WHERE chain = head.chain;
END $$
""".replace("{chains}", str(CHAINS))

# Tables of the caller's own, which PostgreSQL would look at first, must never take the place of these.
FIXED_PATH = """
DO $$
DECLARE
    f regprocedure;
BEGIN
    FOREACH f IN ARRAY ARRAY['audit_note()', 'audit_chain()', 'audit_link(bigint[])']::regprocedure[] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', f, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    END LOOP;
END $$
"""

TRIGGERS = """
CREATE TRIGGER audit_note AFTER INSERT ON audit_auditentry REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION audit_note();
CREATE CONSTRAINT TRIGGER audit_chain AFTER INSERT ON audit_pending DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION audit_chain();
"""

# Entries of earlier releases could hold sentences, names and addresses. What the acts were about kept them.
CLEAN = """
ALTER TABLE audit_auditentry DISABLE TRIGGER USER;
UPDATE audit_auditentry SET
    origin = regexp_replace(regexp_replace(origin, ' token .*$', ' token'), '[^A-Za-z0-9_.:% -]', '', 'g'),
    detail = coalesce((
        SELECT jsonb_object_agg(key, value) FROM jsonb_each(detail)
        WHERE jsonb_typeof(value) IN ('number', 'boolean', 'null')
           OR jsonb_typeof(value) = 'array' AND NOT jsonb_path_exists(value, '$[*] ? (@.type() == "string")')
           OR key IN ('error', 'events', 'fields', 'kind', 'policy', 'role', 'scopes', 'status', 'taken_over')
    ), '{}');
ALTER TABLE audit_auditentry ENABLE TRIGGER USER;
"""

CHAIN_OLD = """
DO $$
DECLARE
    first bigint := 0;
    ids bigint[];
BEGIN
    LOOP
        SELECT array_agg(id ORDER BY id) INTO ids
        FROM (SELECT id FROM audit_auditentry WHERE id > first ORDER BY id LIMIT 1000) AS batch;
        EXIT WHEN ids IS NULL;
        PERFORM audit_link(ids);
        first := ids[cardinality(ids)];
    END LOOP;
END $$
"""

HEADS = f"INSERT INTO audit_audithead (chain, length, hash) SELECT n, 0, '' FROM generate_series(0, {CHAINS - 1}) AS n"  # noqa: S608 - a constant

BACKWARD = """
DROP TRIGGER audit_note ON audit_auditentry;
DROP TABLE audit_pending;
DROP FUNCTION audit_note(), audit_chain(), audit_link(bigint[]);
DROP FUNCTION audit_text(smallint, bigint, bytea, audit_auditentry);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # The clean text is what is chained. No deferred check may be waiting when tables change, so triggers come last.
        migrations.RunSQL(CLEAN, migrations.RunSQL.noop),
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("chain", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("length", models.BigIntegerField()),
                ("hash", models.BinaryField()),
            ],
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="actor",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="subject",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="AuditLink",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="link",
                        serialize=False,
                        to="audit.auditentry",
                    ),
                ),
                ("chain", models.SmallIntegerField()),
                ("place", models.BigIntegerField(help_text="from 1, without gaps")),
                ("previous", models.BinaryField(help_text="the hash of the place before; empty at the first")),
                ("hash", models.BinaryField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("chain", "place"), name="one_entry_per_place")],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditlink",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="5221030e8148a90232beb8a7d024dd9c53a66346",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_a3e08",
                    table="audit_auditlink",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL([TEXT, PENDING, LINK, FIXED_PATH, HEADS, CHAIN_OLD, TRIGGERS], BACKWARD),
    ]
