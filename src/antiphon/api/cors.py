"""CORS: pages of other origins may call the API with a key, where ``ANTIPHON_CORS_ORIGINS`` names them. Never with the
console's cookie."""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

PREFLIGHT_AGE_S = 600


def install(app: FastAPI, origins: Sequence[str]) -> None:
    """Let pages of ``origins`` (``*``: any) read what the API answers."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Range"],
        expose_headers=["Retry-After", "Content-Range", "Content-Length", "Accept-Ranges", "ETag"],
        allow_credentials=False,
        max_age=PREFLIGHT_AGE_S,
    )
