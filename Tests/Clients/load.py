# SPDX-License-Identifier: Apache-2.0
"""Many clients at once: counts answers, statuses and tokens, checks each document, and watches the server's memory.

usage: load.py URL MODEL [--clients 32] [--seconds 60] [--pid PID] [--key KEY]
"""
import argparse
import asyncio
import collections
import json
import random
import statistics
import time

import httpx
import jsonschema

SCHEMAS = {
    "contact": {"type": "object", "properties": {
        "name": {"type": "string", "maxLength": 40}, "role": {"enum": ["engineer", "manager", "sales", "other"]},
        "city": {"type": "string", "maxLength": 30}}, "required": ["name", "role", "city"], "additionalProperties": False},
    "ticket": {"type": "object", "properties": {
        "summary": {"type": "string", "minLength": 5, "maxLength": 80},
        "priority": {"enum": ["low", "normal", "high", "urgent"]}, "refund": {"type": "boolean"}},
        "required": ["summary", "priority", "refund"], "additionalProperties": False},
    "order": {"type": "object", "properties": {"positions": {"type": "array", "minItems": 1, "maxItems": 3, "items": {
        "type": "object", "properties": {"item": {"type": "string", "maxLength": 20},
                                         "count": {"type": "integer", "minimum": 1, "maximum": 99}},
        "required": ["item", "count"], "additionalProperties": False}}}, "required": ["positions"],
        "additionalProperties": False},
    "mood": {"enum": ["good", "bad", "mixed"]},
}
TEXTS = [
    "Please welcome Maria Lopez, our new engineering manager at Brightline in Lisbon.",
    "My parcel with order number KX-5531 should have arrived last week. If it is lost I want my money back!",
    "Hello, I'd like two loaves of rye bread, a dozen eggs and some butter, please.",
    "The room was clean and the staff were friendly, but the street was loud all night.",
    "Tom Becker fixed the build again, and now nobody can sign in since this morning.",
]


async def client(number, options, results, end):
    choose = random.Random(number)
    headers = {"Authorization": "Bearer " + options.key}
    async with httpx.AsyncClient(timeout=300, headers=headers) as http:
        while time.time() < end:
            name = choose.choice(sorted(SCHEMAS))
            body = {
                "model": options.model, "max_tokens": 120, "temperature": choose.choice([0, 0.7]), "seed": choose.randrange(99),
                "messages": [{"role": "system", "content": "Turn the text into JSON."},
                             {"role": "user", "content": choose.choice(TEXTS)}],
                "response_format": {"type": "json_schema", "json_schema": {"name": name, "schema": SCHEMAS[name]}},
            }
            if options.format == "json_object":
                # llama-cpp-python's server takes the schema here.
                body["response_format"] = {"type": "json_object", "schema": SCHEMAS[name]}
                body["messages"][0]["content"] += (
                    "\n\nAnswer with one JSON value that fits this JSON schema:\n" + json.dumps(SCHEMAS[name]))
            began = time.time()
            try:
                answer = await http.post(options.url + "/v1/chat/completions", json=body)
            except httpx.HTTPError as error:
                results["statuses"][type(error).__name__] += 1
                continue
            results["statuses"][answer.status_code] += 1
            if answer.status_code == 200:
                results["latencies"].append(time.time() - began)
                value = answer.json()
                results["tokens"] += value["usage"]["completion_tokens"]
                try:
                    jsonschema.validate(json.loads(value["choices"][0]["message"]["content"]), SCHEMAS[name])
                except (ValueError, jsonschema.ValidationError) as error:
                    results["invalid"].append(str(error)[:200])
            elif answer.status_code == 429:
                await asyncio.sleep(0.2)


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("model")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pid", type=int)
    parser.add_argument("--key", default="none")
    parser.add_argument("--format", default="json_schema", choices=["json_schema", "json_object"])
    options = parser.parse_args()
    results = {"statuses": collections.Counter(), "latencies": [], "tokens": 0, "invalid": []}
    began = time.time()
    tasks = [asyncio.create_task(client(i, options, results, began + options.seconds)) for i in range(options.clients)]
    memory = []
    while time.time() < began + options.seconds:
        await asyncio.sleep(options.seconds / 10)
        if options.pid:
            memory.append(resident(options.pid))
    await asyncio.gather(*tasks)
    seconds = time.time() - began
    latencies = sorted(results["latencies"])
    print(json.dumps({
        "statuses": {str(key): count for key, count in results["statuses"].items()},
        "invalid": len(results["invalid"]), "first_invalid": results["invalid"][:1],
        "answers_per_second": round(len(latencies) / seconds, 2),
        "tokens_per_second": round(results["tokens"] / seconds, 1),
        "latency_p50": round(statistics.median(latencies), 2) if latencies else None,
        "latency_p99": round(latencies[int(len(latencies) * 0.99)], 2) if latencies else None,
        "memory_mb": memory,
    }, indent=1))


asyncio.run(main())
