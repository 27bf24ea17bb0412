# SPDX-License-Identifier: Apache-2.0
"""Starts the service for the tests of the official clients.

FORMWORK names the program, FORMWORK_MODEL a model in the store or a GGUF file (by default smollm2).
"""
import os
import re
import subprocess
import tempfile
import time

import httpx
import pytest

PROGRAM = os.environ.get("FORMWORK", ".build/release/formwork")
MODEL = os.environ.get("FORMWORK_MODEL", "smollm2")
KEY = "a-key-for-tests"


@pytest.fixture(scope="session")
def address():
    environment = dict(os.environ, FORMWORK_API_KEY=KEY)
    state = tempfile.TemporaryDirectory()
    server = subprocess.Popen(
        [PROGRAM, "serve", "--model", f"small={MODEL}", "--port", "0", "--log-level", "error", "--queue", "8", "--state",
         state.name],
        stderr=subprocess.PIPE, text=True, env=environment)
    for line in server.stderr:
        found = re.search(r"listening on (http://\S+?),", line)
        if found:
            break
    else:
        pytest.exit("the service did not start")
    while httpx.get(found.group(1) + "/ready").status_code != 200:
        time.sleep(0.05)
    yield found.group(1)
    server.terminate()
    assert server.wait(timeout=30) == 0
    state.cleanup()


@pytest.fixture(scope="session")
def openai_client(address):
    import openai

    return openai.OpenAI(base_url=address + "/v1", api_key=KEY, max_retries=0)


@pytest.fixture(scope="session")
def ollama_client(address):
    import ollama

    return ollama.Client(host=address, headers={"Authorization": "Bearer " + KEY})
