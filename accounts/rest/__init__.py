"""REST: users, profile fields, branches, and what other apps need to write rows that belong to an account."""
