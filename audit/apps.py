from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    """Who did what to whom, and the outbox of events that leave the portal."""

    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audit import roles

        post_migrate.connect(roles.grant, sender=self, dispatch_uid="audit.roles")
        register(roles.check_roles, Tags.security, deploy=True)
