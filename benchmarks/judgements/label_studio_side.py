"""Label Studio's people, project and tasks. Runs under its own interpreter, from its own folder:
``python label_studio_side.py JOB.json`` prints the project and a session for each labeler.

Signing in is not measured, so sessions are made as its sign-in makes them.
"""

import json
import os
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings.label_studio")
# Its own folder instead of ours, where a module has its name.
sys.path[0] = os.getcwd()
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.signed_cookies import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from organizations.models import Organization  # noqa: E402
from projects.models import Project, ProjectMember  # noqa: E402
from tasks.models import Task  # noqa: E402
from users.models import User  # noqa: E402

CONFIG = """
<View>
  <Text name="prompt" value="$prompt"/>
  <List name="answers" value="$answers" title="Responses"/>
  <Ranker name="rank" toName="answers"/>
</View>
"""


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    call_command("migrate", verbosity=0)
    owner = User.objects.create_user(email="owner@example.com", password="only-for-measuring")
    organization = Organization.create_organization(created_by=owner, title="Measured")
    labelers = [add_labeler(organization, number) for number in range(job["labelers"])]
    project = add_project(organization, owner, labelers, job)
    sessions = [session(labeler) for labeler in labelers]
    print(json.dumps({"project": project.pk, "sessions": sessions}))


def add_labeler(organization, number):
    labeler = User.objects.create_user(email=f"labeler-{number}@example.com", password="only-for-measuring")
    organization.add_user(labeler)
    labeler.active_organization = organization
    labeler.save()
    return labeler


def add_project(organization, owner, labelers, job):
    project = Project.objects.create(
        title="Measured",
        label_config=CONFIG,
        organization=organization,
        created_by=owner,
        maximum_annotations=job["overlap"],
        sampling=Project.SEQUENCE,
    )
    ProjectMember.objects.bulk_create(ProjectMember(user=labeler, project=project) for labeler in labelers)
    rows = json.loads(Path(job["tasks"]).read_text())
    tasks = [
        Task(data=row, project=project, overlap=job["overlap"], inner_id=number, is_labeled=False)
        for number, row in enumerate(rows, start=1)
    ]
    Task.objects.bulk_create(tasks, batch_size=1000)
    project.summary.update_data_columns(tasks)
    return project


def session(labeler):
    store = SessionStore()
    store[SESSION_KEY] = str(labeler.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    store[HASH_SESSION_KEY] = labeler.get_session_auth_hash()
    store["last_login"] = time.time()
    # Their sessions are cookies: the key is the content, signed.
    store.save()
    return store.session_key


main()
