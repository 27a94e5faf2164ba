# docker build --target web .    the web and its workers, without torch
# docker build --target gpu .    the same, and the lab: for a node with a GPU (or none, slowly)

FROM node:20.20.2-bookworm-slim AS screens
WORKDIR /build
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM python:3.11.14-slim-trixie AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    DJANGO_SETTINGS_MODULE=config.settings RANKWRIGHT_VAR=/var/lib/rankwright RANKWRIGHT_LOG_FORMAT=json
# pg_dump and what restores it, for manage.py backup and restore.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /var/lib/rankwright --create-home rankwright
WORKDIR /srv/rankwright
COPY requirements requirements
RUN pip install --no-deps --require-hashes -r requirements/web.txt
# What only some need: a driver for an object store, the scan for personal data, a tracker.
ARG PACKAGES=
RUN [ -z "$PACKAGES" ] || pip install $PACKAGES
VOLUME /var/lib/rankwright
ENTRYPOINT ["sh", "config/start.sh"]

# Our own files, apart: a new version of them must not install gigabytes anew.
FROM base AS product
COPY manage.py pyproject.toml LICENSE ./
COPY config config
COPY annotation annotation
COPY trainer trainer
COPY --from=screens /build/dist frontend/dist
RUN python -m babel.messages.frontend -q compile -D django -d config/locale \
    && python -m compileall -q annotation config trainer

FROM base AS web
COPY --from=product /srv/rankwright ./
USER rankwright
EXPOSE 8000
CMD ["gunicorn", "-c", "config/gunicorn.py", "--bind", "0.0.0.0:8000"]
# Until it first answers, nothing counts as a failure for three minutes: a busy machine starts slowly.
HEALTHCHECK --interval=15s --timeout=5s --start-period=180s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]

FROM base AS gpu
# The newest build for the newest CUDA is what the registry gives; another one: --build-arg TORCH=...
ARG TORCH=torch==2.13.0
RUN pip install "$TORCH" && pip install --no-deps --require-hashes -r requirements/lab.txt
COPY --from=product /srv/rankwright ./
USER rankwright
ENV OMP_WAIT_POLICY=PASSIVE
CMD ["celery", "-A", "config", "worker", "--pool", "solo", "-Q", "gpu", "-n", "gpu@%h", "--loglevel", "INFO"]
