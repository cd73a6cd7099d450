"""Run by `manage.py shell`: accounts for the load, with tokens and passwords. Prints them as JSON in one line."""

import json
import os

from django.contrib.auth.hashers import make_password

from accounts.models import User
from accounts.services import create_token
from learning_records.models import Course

PASSWORD = os.environ["CHAOS_PASSWORD"]
GROUPS, PAIRS = int(os.environ["CHAOS_GROUPS"]), int(os.environ["CHAOS_PAIRS"])
hashed = make_password(PASSWORD)


def account(name: str, role: str = "learner") -> User:
    return User(
        username=name,
        email=f"{name}@example.org",
        password=hashed,
        first_name="Chaos",
        last_name=name,
        role=role,
        status="active",
    )


admin = account("chaos", "superadmin")
admin.save()
groups = [[account(f"g{group}-{letter}") for letter in "abc"] for group in range(GROUPS)]
pairs = [[account(f"p{pair}-{letter}") for letter in "ab"] for pair in range(PAIRS)]
User.objects.bulk_create([user for some in (*groups, *pairs) for user in some])
courses = Course.objects.bulk_create([Course(title=f"Course {number}", code=f"C{number}") for number in range(5)])
print(
    json.dumps(
        {
            "admin": create_token(owner=admin, name="chaos")[0],
            "courses": [course.pk for course in courses],
            "groups": [
                [{"id": user.pk, "username": user.username, "token": create_token(owner=user)[0]} for user in group]
                for group in groups
            ],
            "pairs": [[user.pk for user in pair] for pair in pairs],
        }
    )
)
