from django.utils.translation import gettext as _

from annotation.models import Tombstone
from trainer.actions.erasures import erased_rows
from trainer.models import Snapshot


def erased_since(snapshot: Snapshot) -> str:
    """Whether the snapshot still holds rows of people who were erased, and how to be rid of them."""
    if not snapshot.file.exists():
        return _("Its rows were deleted.")
    erased = erased_rows(snapshot)
    if not erased:
        return _("nothing")
    command = f"manage.py delete_snapshot_rows {snapshot.pk}"
    return _("%(removed)d removed, %(anonymised)d anonymised. To delete all its rows: %(command)s") % {
        "removed": erased[Tombstone.Mode.REMOVED],
        "anonymised": erased[Tombstone.Mode.ANONYMISED],
        "command": command,
    }
