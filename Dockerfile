# SmartDevDigest on a CPU. docker build -t smartdevdigest .
FROM python:3.11.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
# The pip that comes with Python before 3.11.8 trips over lxml's extras.
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --upgrade "pip>=24,<27"
ENV PATH=/opt/venv/bin:$PATH
# The libraries first: they change less often than the code.
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir bot core storage training \
 && touch bot/__init__.py core/__init__.py storage/__init__.py training/__init__.py \
 && pip install --constraint constraints.txt --extra-index-url https://download.pytorch.org/whl/cpu ".[tracing]" \
 && pip uninstall --yes smartdevdigest
COPY bot bot
COPY core core
COPY storage storage
COPY training training
RUN pip install --no-deps .

FROM python:3.11.13-slim-bookworm
LABEL org.opencontainers.image.title="SmartDevDigest" org.opencontainers.image.licenses="Apache-2.0"
# The time zones of subscriptions come from the tzdata package; nothing else of the system is needed.
RUN useradd --create-home --uid 10001 digest && mkdir /data && chown digest /data
COPY --from=build /opt/venv /opt/venv
COPY config /etc/smartdevdigest
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 \
    SMARTDEVDIGEST_CONFIG=/etc/smartdevdigest/config.yaml \
    SMARTDEVDIGEST_DATA_DIR=/data \
    SMARTDEVDIGEST_HTTP__HOST=0.0.0.0 \
    SMARTDEVDIGEST_LOG__JSON_LINES=true
USER digest
VOLUME /data
EXPOSE 8765
HEALTHCHECK --interval=30s --timeout=5s --start-period=300s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8765/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["smartdevdigest"]
CMD ["run"]
