"""Settings of the portal. Every value that an operator may change comes from the environment; README lists them."""

import logging
from pathlib import Path

import environ
from celery.schedules import schedule

from launcher import where
from lms import limits, logs
from lms.hosts import allowed_hosts
from lms.secret import kept_secret
from rest_contract import settings as rest

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = where.data_dir()
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or kept_secret(DATA_DIR)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
FIELD_KEYS = [*env.list("FIELD_KEYS", default=[]), SECRET_KEY, *SECRET_KEY_FALLBACKS]
# Links in mails start with this, never with the Host that a caller names.
PORTAL_URL = env.str("PORTAL_URL", default="") or f"http://localhost:{env.int('PORT', default=8000)}"
ALLOWED_HOSTS = allowed_hosts(env.list("ALLOWED_HOSTS", default=[]), PORTAL_URL)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "accounts",  # before auth, so that its `changepassword` is the command
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_structlog",
    "bootstrap",
    "tree_queries",
    "pgtrigger",
    "lms",
    "privacy",
    "audit",
    "notices",
    "rest_contract",
    "merging",
    "learning_records",
    "rewards",
    "commerce",
    "linking",
    "consolidation",
    "bulk",
    "integrations",
]

MIDDLEWARE = [
    "accounts.middleware.TrustedProxiesMiddleware",
    "rest_contract.middleware.ProblemMiddleware",
    "rest_contract.middleware.https_only",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "lms.logs.RequestLog",
    "csp.middleware.CSPMiddleware",
    "lms.headers.more_headers",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "lms.health.StateMiddleware",
    "audit.middleware.TrailMiddleware",
    "rest_contract.throttling.RateLimitMiddleware",
    "lms.bodies.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.SignedInMiddleware",
    "lms.bodies.FilesOfSomeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.devices.DeviceMiddleware",
    "accounts.middleware.SignInByHtmxMiddleware",
    "accounts.middleware.RecentSignInMiddleware",
    "lms.outages.OutageMiddleware",
]

ROOT_URLCONF = "lms.urls"
WSGI_APPLICATION = "lms.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.portal",
            ],
        },
    },
]

# Two roles: the owner changes tables, the application reads and writes rows, and can't change the audit.
DATABASES = {"default": env.db_url_config(where.chosen_url(DATA_DIR))}
DATABASE_OWNER_ROLE = env.db_url_config(where.owner_url(DATA_DIR))["USER"]
DATABASE_APPLICATION_ROLE = env.db_url_config(where.application_url(DATA_DIR))["USER"]
DATABASES["default"] |= {
    "ENGINE": "django.db.backends.postgresql",
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    "ATOMIC_REQUESTS": False,
}
# No row and no query may hold all threads of the web; commands and migrations wait as long as it takes.
PORTAL_PROCESS = env.str("PORTAL_PROCESS", default="")
LOCK_TIMEOUT_SECONDS, STATEMENT_TIMEOUT_SECONDS, _ = _limits = limits.of_process(PORTAL_PROCESS, env)
_options = DATABASES["default"].setdefault("OPTIONS", {})
_options["options"] = limits.connection_options(_options.get("options", ""), _limits)

# Two databases of one Redis: a flushed cache must not take hints with it.
REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL or where.redis_url(DATA_DIR, 1),
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}

CELERY_BROKER_URL = where.celery_url(REDIS_URL or where.redis_url(DATA_DIR, 0))
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SOFT_TIME_LIMIT = 840
CELERY_TASK_PUBLISH_RETRY = False  # a lost hint only delays: the sweep finds the work again
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 1200,
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "unacked_restore_throttle": 1,
}
CELERY_WORKER_CONSUMER = "lms.alive:PatientConsumer"
CELERY_BEAT_SCHEDULER = "lms.alive:MemoryScheduler"  # a spoilt file, or a full disk, can't stop it
CELERY_BEAT_SCHEDULE = {
    "accounts-forget-sessions": {"task": "accounts.tasks.forget_sessions", "schedule": schedule(600.0)},
    "webhooks": {"task": "integrations.tasks.deliver", "schedule": schedule(3.0), "options": {"expires": 3}},
    "bulk-sweep": {"task": "bulk.tasks.sweep", "schedule": schedule(10.0), "options": {"expires": 9}},
    "privacy-purge": {"task": "privacy.tasks.purge", "schedule": schedule(3600.0), "options": {"expires": 3600}},
    "merging-sweep": {"task": "merging.tasks.sweep", "schedule": schedule(10.0), "options": {"expires": 9}},
    "forget-failures": {"task": "accounts.tasks.forget_failures", "schedule": schedule(600.0)},
    "notices-sweep": {"task": "notices.tasks.send", "schedule": schedule(10.0), "options": {"expires": 9}},
    "notices-forget": {"task": "notices.tasks.forget", "schedule": schedule(86400.0)},
    "linking-sweep": {"task": "linking.tasks.sweep", "schedule": schedule(3.0), "options": {"expires": 3}},
    "lms-beat": {"task": "lms.tasks.beat", "schedule": schedule(10.0), "options": {"expires": 9}},
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PasswordBackend"]
SESSION_ENGINE = "accounts.sessions"
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=120)
SESSION_ABSOLUTE_HOURS = env.int("SESSION_ABSOLUTE_HOURS", default=12)
SESSION_COOKIE_AGE = 3600 * SESSION_ABSOLUTE_HOURS
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": max(8, env.int("PASSWORD_MIN_LENGTH", default=8))},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {
        "NAME": "accounts.password_rules.ForbiddenWordsValidator",
        "OPTIONS": {"words": env.list("PASSWORD_FORBIDDEN_WORDS", default=["portal", "learning", "password", "lms"])},
    },
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "accounts:home"
LOGOUT_REDIRECT_URL = "accounts:sign_in"

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="notices.files.EmailBackend")
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
MAIL_FILES_KEEP_DAYS = env.int("MAIL_FILES_KEEP_DAYS", default=30)
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="learning@localhost")

LOGGING = logs.configured(env.str("LOG_FORMAT", default="console"), env.str("LOG_LEVEL", default="WARNING"))
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = DJANGO_STRUCTLOG_CELERY_TASK_START_LOG_LEVEL = (
    logging.DEBUG
)  # the line at the end says all
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO  # a refusal is no trouble of ours
DJANGO_STRUCTLOG_CELERY_ENABLED = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

HTTPS = env.bool("HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# Browsers take a cookie with this prefix from HTTPS alone, for this host alone: no neighbour under the domain sets it.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
SECURE_SSL_REDIRECT = HTTPS
# Load balancers ask from inside; REST refuses plain HTTP, since a redirect would hide that the token was sent openly.
SECURE_REDIRECT_EXEMPT = [r"^health/$", r"^ready/$", r"^api/"]
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# What an operator decides about merging and linking (rules and defaults: README, "Configuration").
MERGING_ENABLED = env.bool("MERGING_ENABLED", default=True)
MERGE_DEFAULT_POLICY = env.str("MERGE_DEFAULT_POLICY", default="best_record")
MERGE_INLINE_LIMIT = env.int("MERGE_INLINE_LIMIT", default=20_000)
UNDO_WINDOW_DAYS = env.int("UNDO_WINDOW_DAYS", default=90)
PREVIEW_PLACES = env.int("PREVIEW_PLACES", default=1)
PREVIEW_SECONDS = env.int("PREVIEW_SECONDS", default=10)
LINK_GROUP_LIMIT = env.int("LINK_GROUP_LIMIT", default=10)
RECENT_SIGN_IN_MINUTES = env.int("RECENT_SIGN_IN_MINUTES", default=30)
PASSWORD_RESET_TIMEOUT = 3600
SIGN_IN_FAILURE_LIMIT = env.int("SIGN_IN_FAILURE_LIMIT", default=10)
SIGN_IN_TARGET_LIMIT = env.int("SIGN_IN_TARGET_LIMIT", default=5)
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
SIGN_IN_LOCK_MINUTES = env.int("SIGN_IN_LOCK_MINUTES", default=15)
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=50 * 2**20)
IMPORT_KEEP_DAYS = env.int("IMPORT_KEEP_DAYS", default=30)
OUTBOX_KEEP_DAYS = env.int("OUTBOX_KEEP_DAYS", default=30)
IMPORT_MAX_ROWS = env.int("IMPORT_MAX_ROWS", default=200_000)
WEBHOOKS_ALLOW_PRIVATE = env.bool("WEBHOOKS_ALLOW_PRIVATE", default=False)

PAGE_BODY_LIMIT = env.int("PAGE_BODY_LIMIT", default=1024 * 1024)
FILE_UPLOAD_HANDLERS = [
    "bulk.uploading.CountedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# Requests to REST a minute, counted in short windows; 0: no limit.
RATE_LIMIT_TOKEN = env.int("RATE_LIMIT_TOKEN", default=6000)
RATE_LIMIT_ANONYMOUS = env.int("RATE_LIMIT_ANONYMOUS", default=120)
REST_BODY_LIMIT = env.int("REST_BODY_LIMIT", default=5 * 1024 * 1024)

REST_FRAMEWORK, SPECTACULAR_SETTINGS = rest.FRAMEWORK, rest.DOCUMENT

# Usernames are unique whatever their case, by a constraint that this check doesn't know.
SILENCED_SYSTEM_CHECKS = ["auth.E003", "auth.W004"]
