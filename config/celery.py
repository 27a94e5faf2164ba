"""The Celery application: ``celery -A config worker``."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("rankwright")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["annotation", "trainer"])
# A worker of the queue "gpu" carries out runs, with or without a broker.
app.steps["worker"].add("trainer.runner:RunnerStep")
