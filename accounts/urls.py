"""Addresses of sign-in, the Users report, a user's page and Preferences."""

from django.urls import URLPattern, URLResolver, path

from accounts.views import edit, life, sign_in, user, users

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", sign_in.home, name="home"),
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("confirm-password/", sign_in.confirm_password, name="confirm_password"),
    path("users/", users.report, name="users"),
    path("users/search/", users.search, name="user_search"),
    path("users/<int:account_id>/", user.show, name="user"),
    path("users/new/", edit.create, name="new_user"),
    path("users/<int:account_id>/edit/", edit.edit, name="edit_user"),
    path("users/<int:account_id>/deactivate/", life.deactivate, name="deactivate"),
    path("users/<int:account_id>/reactivate/", life.reactivate, name="reactivate"),
    path("users/<int:account_id>/delete/", life.delete, name="delete"),
    path("users/<int:account_id>/side/", users.side, name="side"),
]
