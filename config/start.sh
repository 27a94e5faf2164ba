#!/bin/sh
# What a container starts with: nothing serves that is not safe to be reached.
set -eu
mkdir -p "${RANKWRIGHT_VAR:-var}"
python manage.py check --deploy --fail-level WARNING
exec "$@"
