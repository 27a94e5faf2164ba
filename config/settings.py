"""All settings, from the environment where a deployment may differ."""

import os
import socket
from datetime import timedelta
from pathlib import Path

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.urls import reverse_lazy

from config import env
from config.admin_look import UNFOLD as UNFOLD
from config.logs import logging_settings

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(env.text("RANKWRIGHT_VAR", str(ROOT / "var"))).resolve()

DEBUG = env.boolean("RANKWRIGHT_DEBUG", False)
SECRET_KEY = env.secret("RANKWRIGHT_SECRET_KEY", VAR / "secret_key")
ALLOWED_HOSTS = env.words("RANKWRIGHT_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("RANKWRIGHT_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "axes",
    "csp",
    "annotation",
    "trainer",
    "config",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "config.requests.RequestIds",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.security.AdminContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # The labeler app's shell is what Vite built.
        "DIRS": [ROOT / "config" / "templates", ROOT / "frontend" / "dist"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --- Data -----------------------------------------------------------------------------------------------

DATABASES = {"default": env.database("RANKWRIGHT_DATABASE_URL", VAR / "rankwright.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SNAPSHOTS_ROOT = VAR / "snapshots"
EXPORTS_ROOT = VAR / "exports"
IMPORTS_ROOT = VAR / "imports"
RUNS_ROOT = VAR / "runs"
MODELS_ROOT = VAR / "models"

# --- People ---------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "annotation.Person"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
# One person's typing errors must not lock out a whole office behind one address.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "config.security.client_address"
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "config.errors.answer_lockout"
AXES_VERBOSE = False
CSRF_FAILURE_VIEW = "config.errors.answer_csrf_failure"

LOGIN_URL = reverse_lazy("app")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# A deployment behind TLS sets this; the embedded server speaks plain HTTP on localhost.
HTTPS = env.boolean("RANKWRIGHT_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
# Asked for by programs beside the server, which speak to it without the proxy.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

_STRICT = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF, NONCE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}
CONTENT_SECURITY_POLICY = {"DIRECTIVES": _STRICT}
# The admin theme's Alpine evaluates expressions and sets style attributes; people's text never reaches
# the admin unescaped.
ADMIN_CONTENT_SECURITY_POLICY = {
    **_STRICT,
    "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
}

# --- Language and time ----------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [ROOT / "config" / "locale"]
USE_TZ = True
TIME_ZONE = env.text("RANKWRIGHT_TIME_ZONE", "UTC")

# --- Static files ---------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [("app", ROOT / "frontend" / "dist")] if (ROOT / "frontend" / "dist").exists() else []
# Served straight from the source folders: one step less between a build and its page.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
# Vite puts a hash in its file names; hashing again would break the imports between them.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.+-[\w-]{8}\.\w+$"

# --- API ------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["annotation.permissions.DoesWork"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["annotation.api.parsing.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.errors.answer_refusal",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Rankwright",
    "DESCRIPTION": "Prompts in, judgements out, models trained on them.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "Role": "annotation.models.Person.Role",
        "DemonstrationStatus": "annotation.models.Demonstration.Status",
        "WorkKind": "annotation.actions.history.Kind",
        "ChatVerdict": "annotation.models.SideBySide.Verdict",
        "ReviewVerdict": "annotation.models.Review.Verdict",
        "ChatMessageStatus": "annotation.models.ChatMessage.Status",
        "RunStatus": "trainer.models.Run.Status",
        "RunKind": "trainer.models.Run.Kind",
        "RunFailure": "trainer.models.history.FAILURES",
    },
}

# --- Celery ---------------------------------------------------------------------------------------------

# The embedded broker's private address, for commands typed in another terminal while it runs.
_EMBEDDED = VAR / "broker"
CELERY_BROKER_URL = env.text(
    "RANKWRIGHT_BROKER_URL", _EMBEDDED.read_text() if _EMBEDDED.exists() else "redis://127.0.0.1:6379/0"
)
CELERY_TASK_IGNORE_RESULT = True
# A run outlives any visibility timeout, so its message is acknowledged before the work: the run row is the
# queue, the message only a doorbell.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"trainer.tasks.execute_next_run": {"queue": "gpu"}}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# For ever: runs go on without it, and a worker that gave up would take them down.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Asking for a run must not hang the page when the broker is away: the sweep will find the run.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 30}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "return-overdue-assignments": {
        "task": "annotation.tasks.return_overdue_assignments",
        "schedule": timedelta(seconds=30),
    },
    "sweep-imports": {"task": "annotation.tasks.run_next_import", "schedule": timedelta(seconds=20)},
    "carry-out-erasures": {
        "task": "annotation.tasks.carry_out_erasures",
        "schedule": timedelta(seconds=30),
    },
    "end-abandoned-answers": {
        "task": "annotation.tasks.end_abandoned_answers",
        "schedule": timedelta(minutes=2),
    },
    "settle-voids": {"task": "annotation.tasks.settle_voids", "schedule": timedelta(seconds=30)},
    "end-retention": {"task": "annotation.tasks.end_retention", "schedule": timedelta(hours=6)},
    "prioritize-disagreements": {
        "task": "annotation.tasks.prioritize_disagreements",
        "schedule": timedelta(minutes=5),
    },
    "reclaim-overdue-runs": {"task": "trainer.tasks.reclaim_overdue_runs", "schedule": timedelta(seconds=30)},
    "reclaim-overdue-exports": {
        "task": "trainer.tasks.reclaim_overdue_exports",
        "schedule": timedelta(seconds=30),
    },
    "look-at-arenas": {"task": "trainer.tasks.look_at_arenas", "schedule": timedelta(seconds=30)},
    "repeat-pipelines": {"task": "trainer.tasks.repeat_pipelines", "schedule": timedelta(minutes=1)},
    "sweep-queued-exports": {"task": "trainer.tasks.execute_next_export", "schedule": timedelta(seconds=20)},
}

# --- E-mail ---------------------------------------------------------------------------------------------

# Without a server nothing is sent: links are shown, to be handed over by hand.
EMAIL_HOST = env.text("RANKWRIGHT_EMAIL_HOST", "")
EMAIL_PORT = env.number("RANKWRIGHT_EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("RANKWRIGHT_EMAIL_USER", "")
EMAIL_HOST_PASSWORD = env.text("RANKWRIGHT_EMAIL_PASSWORD", "")
EMAIL_USE_TLS = env.boolean("RANKWRIGHT_EMAIL_TLS", True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("RANKWRIGHT_EMAIL_FROM", "rankwright@localhost")

# --- Chat -----------------------------------------------------------------------------------------------

# Who answers: found by its name, since people's rows know nothing of models.
CHAT_ANSWERER = "trainer.answering.PromotedModel"
# Any server of OpenAI's protocol in the place of the promoted checkpoint's, up to and with /v1.
CHAT_URL = env.text("RANKWRIGHT_CHAT_URL", "")
CHAT_MODEL = env.text("RANKWRIGHT_CHAT_MODEL", "")
CHAT_KEY = env.text("RANKWRIGHT_CHAT_KEY", env.text("RANKWRIGHT_SERVE_KEY", ""))

# --- Imports --------------------------------------------------------------------------------------------

IMPORT_LEASE = timedelta(seconds=60)

# --- Runs -----------------------------------------------------------------------------------------------

# A silent worker's run is noticed within this and one sweep: a minute. A database that is away for less than
# two thirds of it stops no run.
RUN_LEASE = timedelta(seconds=45)
# What a process that was asked to stop may take to save its state.
RUN_GRACE = timedelta(seconds=15)
# Silence of a run that is never too long; twenty of its usual steps are not either.
RUN_HANG_AFTER = timedelta(minutes=env.number("RANKWRIGHT_RUN_HANG_MINUTES", 10))
# Where nodes without a shared disk leave things for each other: an address such as s3://bucket/folder.
RUNS_STORE = env.text("RANKWRIGHT_RUNS_STORE", "")
RUNS_AT_A_TIME = env.number("RANKWRIGHT_RUNS_AT_A_TIME", 1)
# Processes that share a run on this node; 0: one for each GPU. And how other nodes reach it.
NODE_DEVICES = env.number("RANKWRIGHT_NODE_DEVICES", 0, least=0)
NODE_ADDRESS = env.text("RANKWRIGHT_NODE_ADDRESS", "") or socket.gethostname()
# So long one node waits for the others of a run; then it lets other runs go first.
NODES_MEET_WITHIN = timedelta(seconds=60)
RUNS_PER_PERSON = env.number("RANKWRIGHT_RUNS_PER_PERSON", 50)
EXPORT_LEASE = timedelta(seconds=60)
BASE_MODELS = {
    # What "SmolLM2-135M-Instruct" means on this machine; any other name is a Hugging Face id or a folder.
    "SmolLM2-135M-Instruct": str(MODELS_ROOT / "smollm2-135m-instruct"),
}

# --- Signs of life --------------------------------------------------------------------------------------

LOGGING = logging_settings(
    log_format=env.choice("RANKWRIGHT_LOG_FORMAT", ["line", "json"]),
    level=env.text("RANKWRIGHT_LOG_LEVEL", "INFO"),
)
METRICS_TOKEN = env.text("RANKWRIGHT_METRICS_TOKEN", "")
PROMETHEUS_EXPORT_MIGRATIONS = False

# transformers must never reach for a model hub from the web side, nor tokenizers fork threads.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
