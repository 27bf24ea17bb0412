# SPDX-License-Identifier: Apache-2.0
"""The served OpenAPI document is true: schemathesis asks every route in every way that it describes, and in wrong ways.

FORMWORK_CASES is the number of requests for each route (by default 40).
"""
import os

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks

from conftest import KEY

load_all_checks()
schema = schemathesis.pytest.from_fixture("api")


import pytest


@pytest.fixture(scope="session")
def api(address):
    return schemathesis.openapi.from_url(address + "/openapi.json", headers={"Authorization": "Bearer " + KEY})


@schema.parametrize()
@settings(
    max_examples=int(os.environ.get("FORMWORK_CASES", "40")), deadline=None,
    suppress_health_check=list(HealthCheck))
def test_every_route(case):
    # Answers of many tokens say nothing about their shape.
    if isinstance(case.body, dict):
        for name in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
            if isinstance(case.body.get(name), int):
                case.body[name] = min(case.body[name], 64)
    case.call_and_validate(headers={"Authorization": "Bearer " + KEY}, timeout=120)
