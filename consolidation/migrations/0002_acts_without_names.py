"""What was done stays, in the words of today, which name no person."""

from django.db import migrations

# Usernames hold no blanks, so that each of the old sentences is told by its words.
REWRITE = """
    UPDATE consolidation_consolidationact SET text = CASE
        WHEN text ~ '^Began with ' THEN 'Started.'
        WHEN text ~ '^Chose .* as the primary account\\.$' THEN coalesce(
            (SELECT 'Chose account ' || primary_id || ' as the primary account.' FROM consolidation_consolidation c
             WHERE c.id = consolidation_id), 'Chose the primary account.')
        WHEN text ~ '^Enrolled \\S+ in ' THEN regexp_replace(text, '^Enrolled \\S+ in ', 'Enrolled the primary account in ')
        WHEN text ~ '^Updated the profile of \\S+: ' THEN
            regexp_replace(text, '^Updated the profile of \\S+: ', 'Updated the profile of the primary account: ')
        WHEN text ~ '^Deleted \\S+\\.$' THEN 'Deleted the secondary account.'
        WHEN text ~ '^Deactivated \\S+\\.$' THEN 'Deactivated the secondary account.'
        ELSE text END
"""


class Migration(migrations.Migration):
    dependencies = [("consolidation", "0001_initial")]

    operations = [migrations.RunSQL(REWRITE, migrations.RunSQL.noop)]
