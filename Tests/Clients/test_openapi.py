# SPDX-License-Identifier: Apache-2.0
"""The served OpenAPI document is true: schemathesis asks every route in every way that it describes, and in wrong ways.

FORMWORK_CASES is the number of requests for each route (by default 30).
"""
import os
import pathlib
import subprocess
import sys

from conftest import KEY


def test_every_route_answers_as_described(address, tmp_path):
    hooks = pathlib.Path(__file__).with_name("schemathesis_hooks.py")
    run = subprocess.run(
        [str(pathlib.Path(sys.executable).with_name("schemathesis")), "run", address + "/openapi.json",
         "--header", f"Authorization: Bearer {KEY}", "--max-examples", os.environ.get("FORMWORK_CASES", "30"),
         "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
         "response_headers_conformance,ignored_auth",
         "--request-timeout", "120", "--seed", "1", "--continue-on-failure", "--no-color"],
        cwd=tmp_path, env=dict(os.environ, SCHEMATHESIS_HOOKS=str(hooks)), capture_output=True, text=True)
    print(run.stdout[-20_000:])
    assert run.returncode == 0, run.stderr[-2000:]
