"""Addresses of sign-in, the Users report, a user's page and Preferences."""

from django.urls import URLPattern, URLResolver, path

from accounts.views import branches, edit, life, preferences, reset, sessions, sign_in, tokens, user, users

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", sign_in.home, name="home"),
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("confirm-password/", sign_in.confirm_password, name="confirm_password"),
    path("forgotten-password/", reset.forgotten, name="forgotten_password"),
    path("reset-password/<int:account_id>/<str:token>/", reset.reset, name="reset_password"),
    path("users/", users.report, name="users"),
    path("users/search/", users.search, name="user_search"),
    path("users/<int:account_id>/", user.show, name="user"),
    path("users/new/", edit.create, name="new_user"),
    path("users/<int:account_id>/edit/", edit.edit, name="edit_user"),
    path("users/<int:account_id>/deactivate/", life.deactivate, name="deactivate"),
    path("users/<int:account_id>/send-reset/", life.send_reset, name="send_reset"),
    path("users/<int:account_id>/sign-out/", life.sign_out_everywhere, name="sign_out_everywhere"),
    path("users/<int:account_id>/reactivate/", life.reactivate, name="reactivate"),
    path("users/<int:account_id>/delete/", life.delete, name="delete"),
    path("users/<int:account_id>/side/", users.side, name="side"),
    path("branches/", branches.show, name="branches"),
    path("branches/new/", branches.create, name="new_branch"),
    path("branches/<int:branch_id>/edit/", branches.edit, name="edit_branch"),
    path("preferences/", preferences.show, name="preferences"),
    path("preferences/appearance/", preferences.appearance, name="appearance"),
    path("preferences/password/", preferences.password, name="password"),
    path("preferences/sessions/", sessions.show, name="sessions"),
    path("preferences/sessions/end-others/", sessions.end_others, name="end_other_sessions"),
    path("preferences/sessions/<str:handle>/end/", sessions.end, name="end_session"),
    path("preferences/api-tokens/", tokens.show, name="tokens"),
    path("preferences/api-tokens/<int:token_id>/revoke/", tokens.revoke, name="revoke_token"),
]
