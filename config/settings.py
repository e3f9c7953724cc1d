"""The one settings file. Everything that differs between installations comes from the environment (see README)."""

from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from kombu import Queue

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var"))).resolve()

DEBUG = env.boolean("DEBUG", False)
SECRET_KEY = env.secret("SECRET_KEY", development="development-only-secret-key-never-for-production" if DEBUG else None)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]" if DEBUG else "")
BASE_URL = env.text("BASE_URL", "http://localhost:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", BASE_URL)

# Who we are
COMPANY_NAME = env.text("COMPANY_NAME", "Example AI")
PRIVACY_EMAIL = env.text("PRIVACY_EMAIL", "privacy@example.com")
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"{COMPANY_NAME} privacy team <{PRIVACY_EMAIL}>")
# Where we are at home ("DE", "US-CA"): whose law reaches people whose place has none, and whose holidays count.
ESTABLISHED_IN = env.words("ESTABLISHED_IN", "DE")
HOLIDAY_CALENDARS = env.words("HOLIDAY_CALENDAR", "DE-BE")
TIME_ZONE_OF_REGIME = env.text("REGIME_TIME_ZONE", "Europe/Berlin")
# What we promise beyond the law (see dsar/law/promises.py); stricter only.
PROMISES = Path(promised) if (promised := env.text("PROMISES")) else None

# Our own database, the company's, and the broker
DATABASES = {"default": env.database(env.text("DATABASE_URL"), default_sqlite=VAR_DIR / "rightsdesk.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
POSTGRESQL = DATABASES["default"]["ENGINE"].endswith("postgresql")
COMPANY_DATABASE_URL = env.text("COMPANY_DATABASE_URL") or (
    env.text("DATABASE_URL")
    .replace("postgres://", "postgresql://", 1)
    .replace("postgresql://", "postgresql+psycopg://", 1)
    if POSTGRESQL
    else f"sqlite:///{VAR_DIR / 'company.sqlite3'}"
)
COMPANY_DATABASE_SCHEMA = env.text("COMPANY_DATABASE_SCHEMA", "demo_company" if POSTGRESQL else "") or None
DATA_MAP = Path(env.text("DATA_MAP", str(BASE_DIR / "dsar" / "demo" / "datamap.yaml")))
REDIS_URL = env.text("REDIS_URL", f"unix://{VAR_DIR / 'broker.sock'}").replace("redis+socket://", "unix://", 1)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "accounts",
    "dsar",
    "anymail",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_fsm",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.access.AccessMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dsar.portal.context.company",
            ],
        },
    }
]

# Sign-in
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapter.ClosedSignUpAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = env.integer("REAUTHENTICATION_SECONDS", 300)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = COMPANY_NAME
STAFF_MFA_REQUIRED = env.boolean("STAFF_MFA_REQUIRED", not DEBUG)
# Where nobody else is there: the second of two looks may be the same person's, freshly signed in, on a later day.
TEAM_OF_ONE = env.boolean("TEAM_OF_ONE", False)

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.boolean("HTTPS", not DEBUG)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "dsar.portal.errors.csrf_failure"
SECURE_SSL_REDIRECT = env.boolean("SSL_REDIRECT", SESSION_COOKIE_SECURE)
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 31536000 if SESSION_COOKIE_SECURE else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SESSION_COOKIE_SECURE
if env.boolean("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The inbound webhook takes whole mails; every other address is held to FORM_BYTES by the access middleware.
DATA_UPLOAD_MAX_MEMORY_SIZE = 40 * 1024 * 1024
FORM_BYTES = 256 * 1024
# A file that somebody sends to show what is right; held in memory, never in a folder, until it is sealed.
EVIDENCE_BYTES = env.integer("EVIDENCE_MB", 5, 1) * 1024**2
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE
DATA_UPLOAD_MAX_NUMBER_FIELDS = 60
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

# Words, dates, static files
# British dates ("22 December 2026"). A language is listed once its catalogue is complete.
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", _("English"))]
FORMAT_MODULE_PATH = ["config.formats"]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.text("TIME_ZONE", "UTC")
STATIC_URL = "/static/"
# In development and tests files come from where they lie; collectstatic fills this folder for production.
STATIC_ROOT = None if DEBUG else BASE_DIR / "staticfiles"
STORAGES: dict[str, dict[str, object]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# Copies on offer, encrypted under their case's key: files beside the database, or a bucket (sign-in: boto3's own ways).
PACKAGE_FOLDER = VAR_DIR / "packages"
PACKAGE_WORKBENCH = VAR_DIR / "packages-in-the-making"
PACKAGE_STORAGE = env.text("PACKAGE_STORAGE", "files")
if PACKAGE_STORAGE not in ("files", "s3"):
    raise ImproperlyConfigured("PACKAGE_STORAGE must be files or s3.")
if PACKAGE_STORAGE == "s3" and not env.text("PACKAGE_S3_BUCKET"):
    raise ImproperlyConfigured("PACKAGE_STORAGE is s3, so PACKAGE_S3_BUCKET must name a bucket.")
STORAGES["packages"] = (
    {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": env.text("PACKAGE_S3_BUCKET"),
            "endpoint_url": env.text("PACKAGE_S3_ENDPOINT") or None,
            "region_name": env.text("PACKAGE_S3_REGION") or None,
            "location": env.text("PACKAGE_S3_PREFIX"),
            "file_overwrite": False,
            # A copy is read frame by frame: what does not fit here waits on the disk, sealed as it is.
            "max_memory_size": 1024 * 1024,
            # The one thread that packs also renews its lease, on the one connection to the database that it has.
            "use_threads": False,
        },
    }
    if PACKAGE_STORAGE == "s3"
    else {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": PACKAGE_FOLDER,
            "base_url": None,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    }
)
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = False

# Mail
EMAIL_FOLDER = VAR_DIR / "mail"
EMAIL_BACKEND = env.text(
    "EMAIL_BACKEND",
    "dsar.notifications.folder.FolderBackend" if DEBUG else "django.core.mail.backends.smtp.EmailBackend",
)
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.integer("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10
ANYMAIL = {
    "WEBHOOK_SECRET": env.text("ANYMAIL_WEBHOOK_SECRET"),
    **{
        name.removeprefix("ANYMAIL_"): env.text(name)
        for name in ("ANYMAIL_MAILGUN_API_KEY", "ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY", "ANYMAIL_MAILGUN_SENDER_DOMAIN")
        if env.text(name)
    },
}
INBOUND_AUTHSERV_ID = env.text("INBOUND_AUTHSERV_ID")

# Keys: never SECRET_KEY (that one signs sessions and may be rotated at will)
MASTER_KEYS = env.text("RIGHTSDESK_MASTER_KEYS")
ROOT_KEY = env.text("RIGHTSDESK_ROOT_KEY")
KEYS_FILE = env.text("RIGHTSDESK_KEYS_FILE", str(VAR_DIR / "keys.env") if DEBUG else "")
JOURNAL_FILE = Path(env.text("JOURNAL_FILE", str(VAR_DIR / "journal.jsonl")))

# Periods, leases and limits. Shipped values; tests shorten them.
QUIET_PERIOD = timedelta(hours=env.integer("QUIET_PERIOD_HOURS", 0 if DEBUG else 72))
LINK_LIFETIME = timedelta(hours=env.integer("LINK_HOURS", 72, 1))
CODE_LIFETIME = timedelta(minutes=env.integer("CODE_MINUTES", 15, 1))
WRONG_ATTEMPTS = env.integer("WRONG_ATTEMPTS", 5, 1)
LINK_MAILS_PER_DAY = env.integer("LINK_MAILS_PER_DAY", 3, 1)
# Who asks for others may ask for several: mails with a way in for them, to one address in a day.
AGENT_MAILS_PER_DAY = env.integer("AGENT_MAILS_PER_DAY", 20, 1)
# How often somebody may state data of theirs that are compared with our records: in a case, and for an address in 30 days.
PROOF_ATTEMPTS = env.integer("PROOF_ATTEMPTS", 3, 1)
PROOF_ATTEMPTS_PER_ADDRESS = env.integer("PROOF_ATTEMPTS_PER_ADDRESS", 5, 1)
PROOF_LIFETIME = timedelta(minutes=env.integer("PROOF_MINUTES", 60, 1))
# Between the notice to the address on file and the moment from which another way to reach the person counts.
LOST_MAILBOX = timedelta(days=env.integer("LOST_MAILBOX_DAYS", 7))
# The "reasonable period" after an answer within which another person looks again without being asked why so late.
APPEAL_WITHIN = timedelta(days=env.integer("APPEAL_DAYS", 90, 1))
# An appeal was right: so soon we mean to have done what should have been done before.
APPEAL_REDO = timedelta(days=env.integer("APPEAL_REDO_DAYS", 14, 1))
ANSWER_WITHIN = timedelta(days=env.integer("ANSWER_DAYS", 14, 1))
# So long a person has to pay a fee, where their law names no time for thinking about it.
FEE_WITHIN = timedelta(days=env.integer("FEE_DAYS", 30, 1))
CONFIRM_REMINDERS = (timedelta(days=3), timedelta(days=7))
CONFIRM_WITHIN = timedelta(days=env.integer("CONFIRM_DAYS", 14, 1))
LEASE = timedelta(seconds=env.integer("LEASE_SECONDS", 60, 1))
MAX_CLAIMS = env.integer("MAX_CLAIMS", 3, 1)
RETRY_AFTER = timedelta(seconds=env.integer("RETRY_SECONDS", 30, 1))
MAX_RETRIES = env.integer("MAX_RETRIES", 5, 1)
LOCATE_FOR = timedelta(seconds=env.integer("LOCATE_SECONDS", 60))
# Copy first, then erase: so long a copy waits to be fetched, and so near to the legal date nothing waits any more.
COPY_WAITS = timedelta(days=env.integer("COPY_WAITS_DAYS", 7))
ERASE_BEFORE_DUE = timedelta(days=env.integer("ERASE_BEFORE_DUE_DAYS", 10))
CHUNK_ROWS = env.integer("CHUNK_ROWS", 500, 1)
SWEEP_SECONDS = env.integer("SWEEP_SECONDS", 10, 1)
# Data owners: what no machine reaches. Their day is the earlier of OWNER_DAYS and a margin before the request's target.
OWNER_DAYS = env.integer("OWNER_DAYS", 7, 1)
OWNER_MARGIN_DAYS = env.integer("OWNER_MARGIN_DAYS", 3)
OWNER_LINK_LIFETIME = timedelta(days=env.integer("OWNER_LINK_DAYS", 14, 1))
OWNER_CODES_PER_DAY = env.integer("OWNER_CODES_PER_DAY", 20, 1)
OWNER_DIGEST_HOUR = env.integer("OWNER_DIGEST_HOUR", 7, maximum=23)
OWNER_DOMAINS = frozenset(word.lower() for word in env.words("OWNER_DOMAINS", PRIVACY_EMAIL.rpartition("@")[2]))
# The clock at the desk: so long before our own target a colleague is reminded, so long before the legal date approvers are
# told by name; and the hour from which the mail of the day goes out.
REMIND_BEFORE = timedelta(days=env.integer("REMIND_DAYS", 5))
ESCALATE_BEFORE = timedelta(days=env.integer("ESCALATE_DAYS", 3))
STAFF_DIGEST_HOUR = env.integer("STAFF_DIGEST_HOUR", 7, maximum=23)
FILE_BYTES = env.integer("FILE_MEGABYTES", 10, 1) * 1024 * 1024
# What sends a request to a person for a closer look (fulfilment/risk.py): contact details of the account that changed so
# many days ago; more contacts than these from one mailbox in the period, and in the whole house in a day (0: not counted);
# domains that give addresses to anybody for minutes, those of the company's own file added to those that are shipped.
CONTACT_CHANGE_DAYS = env.integer("CONTACT_CHANGE_DAYS", 30, 30)
RISK_PERIOD = timedelta(days=env.integer("RISK_DAYS", 30, 1))
RISK_REQUESTS = env.integer("RISK_REQUESTS", 5)
RISK_HOUSE_REQUESTS = env.integer("RISK_HOUSE_REQUESTS", 1000)
DISPOSABLE_DOMAINS = env.lines(BASE_DIR / "dsar/fulfilment/disposable.txt", env.text("DISPOSABLE_DOMAINS_FILE"))
# Rights that the company approves by itself where nothing needs judgement. Not a deletion; not what shall be corrected, on
# which ground a use is restricted, or whether a decision stands, which people say. A copy is looked through all the same.
AUTOMATIC_APPROVAL = frozenset(env.words("AUTOMATIC_APPROVAL", among=("know", "access", "portability", "objection")))
# Between the letter that a restriction ends and its end (GDPR Art 18(3)).
RESTRICTION_NOTICE = timedelta(days=env.integer("RESTRICTION_NOTICE_DAYS", 14))
TOMBSTONE_PERIOD = timedelta(days=env.integer("TOMBSTONE_DAYS", 3 * 365, 1))
# Rows of one category end on days of their own: so often what a deletion kept is looked at.
KEPT_LOOK = timedelta(days=env.integer("KEPT_LOOK_DAYS", 30, 1))
# Case files stay as long as the log of their requests, and never less than this; what nobody could read, lifted holds and the
# log of accounts for so long.
RECORD_PERIOD = timedelta(days=env.integer("RECORD_DAYS", 2 * 365, 365))
# Mail that became no case: replies of machines, and what was put aside.
ASIDE_PERIOD = timedelta(days=env.integer("ASIDE_DAYS", 180, 1))
# Laws whose measures of the year before everybody may read at /privacy-measures/ (11 CCR 7102); none as shipped.
PUBLISH_MEASURES = tuple(env.words("PUBLISH_MEASURES"))
PACKAGE_PERIOD = timedelta(days=env.integer("PACKAGE_DAYS", 30, 1))
CHECKPOINT_EVERY = timedelta(hours=24)
MAIL_BYTES = 25 * 1024 * 1024

# Celery: the broker only rings the bell, so nothing is stored there that matters
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
    "visibility_timeout": 3600,
    "health_check_interval": 30,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_DEFAULT_QUEUE = env.text("CELERY_QUEUE", "rightsdesk")
# Nothing is acknowledged: a bell that is lost is rung again. With acknowledgements a worker that loses its broker gives
# the messages it holds back over the connection that it has just lost, and ends (kombu, Channel.close).
CELERY_TASK_QUEUES = (Queue(CELERY_TASK_DEFAULT_QUEUE, no_ack=True),)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_TASK_TIME_LIMIT = 1800
# Beat rings every lane and sweeps what is due: a lost bell costs seconds, and nothing depends on one moment.
CELERY_BEAT_SCHEDULE = {
    "ring every lane": {
        "task": "dsar.ring_all",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": max(10, SWEEP_SECONDS)},
    },
    "sweep what is due": {
        "task": "dsar.sweep",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": max(10, SWEEP_SECONDS)},
    },
    "raise dates": {"task": "dsar.watch_dates", "schedule": 300.0, "options": {"expires": 300}},
    "look for what a restore brought back": {"task": "dsar.look_for_restored", "schedule": 3600.0},
    "sign a checkpoint": {"task": "dsar.checkpoint", "schedule": CHECKPOINT_EVERY.total_seconds()},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logs.formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
    },
}

if not COMPANY_NAME:
    raise ImproperlyConfigured("COMPANY_NAME must not be empty: letters and pages are signed with it.")
