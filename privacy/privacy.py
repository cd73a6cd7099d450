"""What isn't in the database but on disk."""

from privacy.mails import purge_mails
from privacy.registry import purge

purge("mails kept as files", after="MAIL_FILES_KEEP_DAYS", run=purge_mails)
