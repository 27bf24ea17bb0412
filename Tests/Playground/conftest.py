# SPDX-License-Identifier: Apache-2.0
"""Starts the service, and a headless Chromium that watches where the page's requests go.

FORMWORK names the program, FORMWORK_MODEL a model in the store or a GGUF file (by default smollm2), CHROMIUM the browser,
FORMWORK_SHOTS the folder for screenshots (by default out/playground).
"""
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from playwright.sync_api import expect, sync_playwright

PROGRAM = os.environ.get("FORMWORK", ".build/release/formwork")
MODEL = os.environ.get("FORMWORK_MODEL", "smollm2")
SHOTS = pathlib.Path(os.environ.get("FORMWORK_SHOTS", "out/playground"))
KEY = "a-key-for-tests"


def serve(*arguments, key=""):
    environment = dict(os.environ, FORMWORK_API_KEY=key)
    server = subprocess.Popen(
        [PROGRAM, "serve", "--model", f"small={MODEL}", "--port", "0", "--state", "none", "--log-level", "error",
         *arguments],
        stderr=subprocess.PIPE, text=True, env=environment)
    for line in server.stderr:
        found = re.search(r"listening on (http://\S+?),", line)
        if found:
            return server, found.group(1)
    pytest.exit("the service did not start")


def served(*arguments, key=""):
    server, address = serve(*arguments, key=key)
    yield address
    server.terminate()
    assert server.wait(timeout=30) == 0


@pytest.fixture(scope="session")
def address():
    yield from served()


@pytest.fixture(scope="session")
def guarded():
    """A service that asks for a key."""
    yield from served(key=KEY)


@pytest.fixture(scope="session")
def browser():
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.exit("no Chromium; name it with CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A page, the requests that it made, and what went wrong in it."""

    def __init__(self, browser, address, **options):
        self.address = address
        options = {"viewport": {"width": 1360, "height": 860}, "color_scheme": "light", **options}
        self.context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], **options)
        self.page = self.context.new_page()
        self.requests = []
        self.problems = []
        # Also what the content security policy would have stopped is told here.
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self.note)

    def note(self, message):
        # Statuses of the service are no fault of the page.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(message.text)

    def open(self):
        self.page.goto(self.address + "/")
        expect(self.page.locator("#specState")).to_contain_text("no problems")
        return self.page

    def shot(self, name, **options):
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", **options)

    def close(self):
        self.context.close()
        foreign = [url for url in self.requests if not url.startswith(self.address + "/")]
        assert self.requests and not foreign, foreign
        assert not self.problems, self.problems


@pytest.fixture
def watch(browser, address):
    """Makes pages; whatever a test did with them, no request left the service."""
    pages = []

    def make(address=address, **options):
        pages.append(Watched(browser, address, **options))
        return pages[-1]

    yield make
    for page in pages:
        page.close()
