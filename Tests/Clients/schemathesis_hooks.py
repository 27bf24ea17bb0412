# SPDX-License-Identifier: Apache-2.0
"""Short answers say as much about their shape as long ones."""
import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, dict) and ("model" in case.body or "text" in case.body):
        for name in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
            if isinstance(case.body.get(name), int) and not isinstance(case.body[name], bool) and case.body[name] > 24:
                case.body[name] = 24
        path = case.operation.path
        if path == "/v1/responses":
            case.body.setdefault("max_output_tokens", 24)
        elif path in ("/v1/chat/completions", "/v1/completions", "/v1/transform"):
            case.body.setdefault("max_tokens", 24)
        elif path in ("/api/chat", "/api/generate"):
            options = case.body.setdefault("options", {})
            if isinstance(options, dict):
                options.setdefault("num_predict", 24)
