"""Servers that are given by DATABASE_URL and REDIS_URL: refuse in words what can't work."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg2
import redis

from launcher.errors import CannotStart

OLDEST = 14  # what Django 5.2 supports
PATIENCE = 5  # seconds
SCHEMES = {"postgres", "postgresql", "psql", "pgsql"}


def check_database(url: str, name: str = "DATABASE_URL") -> None:
    """Raise CannotStart unless `url`, given as `name`, leads to a PostgreSQL that is new enough."""
    arguments = connection_arguments(url)
    try:
        connection = psycopg2.connect(**arguments)
    except (psycopg2.Error, ValueError) as error:
        raise CannotStart(
            f"PostgreSQL can't be reached at {name} ({_place(arguments)}): {str(error).strip()}"
        ) from error
    version = connection.server_version // 10_000
    connection.close()
    if version < OLDEST:
        raise CannotStart(f"{name} leads to PostgreSQL {version}, which is too old: {OLDEST} or newer is needed.")


def connection_arguments(url: str) -> dict[str, Any]:
    """The URL in psycopg2's words; `postgres://user@//folder/name` means a socket, as for django-environ."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise CannotStart("DATABASE_URL must begin with postgresql://. The portal keeps its data in PostgreSQL alone.")
    path = unquote(parts.path[1:])
    folder, _, name = path.rpartition("/")
    try:
        port = parts.port
    except ValueError as error:
        raise CannotStart("DATABASE_URL has a port that isn't a number.") from error
    named = {
        "host": folder or unquote(parts.hostname or ""),
        "port": port,
        "dbname": name,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    options = {key: value for key, value in parse_qsl(parts.query) if key.islower()}
    return {"connect_timeout": PATIENCE} | options | {key: value for key, value in named.items() if value}


def check_redis(url: str) -> None:
    """Raise CannotStart unless a Redis answers at `url`."""
    try:
        client = redis.Redis.from_url(url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)
        client.ping()
        client.close()
    except (redis.RedisError, ValueError) as error:
        raise CannotStart(f"Redis can't be reached at REDIS_URL: {error}") from error


def _place(arguments: dict[str, Any]) -> str:
    """Where it should be, without the password."""
    host = arguments.get("host", "local socket")
    return f"{host}:{arguments.get('port', 5432)}/{arguments.get('dbname', '')}"
