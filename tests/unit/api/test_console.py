"""The console's files, as they are served: what there is, and nothing else."""

from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from antiphon.api import console, dependencies, errors
from antiphon.settings import Settings

SECRET = "nobody may read this"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.js").write_text(SECRET)
    folder = tmp_path / "console"
    (folder / "pages").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "pages" / "tasks.js").write_text("export {}")
    (folder / "notes.md").write_text(SECRET)
    (folder / "link.js").symlink_to(folder)
    return folder


def client(folder: Path, *, public_url: str | None = None) -> httpx.AsyncClient:
    app = FastAPI()
    errors.install(app)
    settings = Settings(host="127.0.0.1", port=8080, public_url=public_url)
    app.dependency_overrides[dependencies.services] = lambda: SimpleNamespace(settings=settings)
    app.include_router(console.routes(folder))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8080")


async def test_the_page_is_at_the_root_and_its_files_below(folder: Path) -> None:
    async with client(folder) as browser:
        page = await browser.get("/")
        script = await browser.get("/console/pages/tasks.js")
    assert (page.text, page.headers["content-type"]) == ("<!doctype html>", "text/html; charset=utf-8")
    assert (script.text, script.headers["content-type"]) == ("export {}", "text/javascript; charset=utf-8")


async def test_an_unchanged_file_is_not_sent_again_and_a_changed_one_is(folder: Path) -> None:
    async with client(folder) as browser:
        first = await browser.get("/")
        again = await browser.get("/", headers={"If-None-Match": f"W/{first.headers['etag']}"})
        (folder / "index.html").write_text("<!doctype html><title>")
        changed = await browser.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert (changed.status_code, changed.text) == (200, "<!doctype html><title>")


@pytest.mark.parametrize(
    "path",
    [
        "../secret.js",
        "..%2fsecret.js",
        "%2e%2e/secret.js",
        "pages/../../secret.js",
        "pages/..%2f..%2fsecret.js",
        "..%5csecret.js",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "link.js",
        "link.js/index.html",
        "notes.md",
        "pages",
        "pages/",
        "",
        "index.html%00.js",
        "INDEX.HTML",
        "<script>alert(1)</script>",
    ],
)
async def test_nothing_else_can_be_read(folder: Path, path: str) -> None:
    async with client(folder) as browser:
        answer = await browser.get(f"/console/{path}")
    assert answer.status_code == answer.json()["code"] == 404
    assert SECRET not in answer.text
    assert answer.headers["content-type"] == "application/json"


async def test_the_policy_lets_in_our_own_files_only(folder: Path) -> None:
    async with client(folder) as browser:
        policy = (await browser.get("/")).headers["content-security-policy"]
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    assert policy.split("; ")[:3] == ["default-src 'none'", "script-src 'self'", "style-src 'self'"]
    assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} <= set(policy.split("; "))


async def test_artifacts_may_come_from_the_public_address(folder: Path) -> None:
    async with client(folder, public_url="https://music.example.com/antiphon/") as browser:
        policy = (await browser.get("/")).headers["content-security-policy"].split("; ")
    assert "media-src 'self' blob: https://music.example.com" in policy
    assert "connect-src 'self' https://music.example.com" in policy
    assert "script-src 'self'" in policy


async def test_without_the_files_the_api_says_so(tmp_path: Path) -> None:
    async with client(tmp_path / "nothing") as browser:
        answer = await browser.get("/")
    assert answer.status_code == 404
