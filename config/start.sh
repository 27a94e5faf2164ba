#!/bin/sh
# What a container starts with: nothing serves that is not safe to be reached.
set -eu
python manage.py check --deploy --fail-level WARNING
exec "$@"
