# catdog without TensorFlow, for the bot and the sorter: docs/deploy.md says how to run it.
# The workflow in .github/ builds it, and predicts in it.

# Debian's and Python's patch releases come with every new build; wheels of LiteRT, pillow-heif and
# all else are there for amd64 and arm64.
FROM python:3.13-slim-trixie AS build
WORKDIR /src
# .dockerignore lists what goes in: what the package is made of, without the model for training
COPY . .
# not pip's bytecode: it holds times, which make every build another
RUN python -m venv --without-pip /opt/catdog \
    && pip --python /opt/catdog/bin/python install --no-cache-dir --no-compile . \
    && /opt/catdog/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/catdog/lib


FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="catdog" \
      org.opencontainers.image.description="Tells cats from dogs: answers photos in Telegram, sorts folders" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/catdog /opt/catdog
# Open to any user, as /tmp is: a new volume takes that over, and the sorter runs as whoever owns
# the photos.
RUN install -d -m 1777 /state
ENV PATH=/opt/catdog/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    CATDOG_STATE_DIR=/state \
    CATDOG_MODELS_DIR=/models
VOLUME ["/state"]
# a number: Kubernetes' runAsNonRoot knows no names
USER 10001:10001
# It asks the bot if that has been given a port for it, and says yes otherwise: `watch` has none.
# Without proxies, which Docker's client may have put into the environment.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as r; port = os.environ.get('CATDOG_BOT_HEALTH_PORT'); port and r.build_opener(r.ProxyHandler({})).open(f'http://127.0.0.1:{port}/health', timeout=5)"]
# without a shell in between, so that `docker stop` reaches it
ENTRYPOINT ["catdog"]
CMD ["bot"]
