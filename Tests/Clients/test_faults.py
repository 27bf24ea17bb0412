# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around a service: sudden ends, full disks, damaged files, clients that stall."""
import collections
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time

import httpx
import jsonschema
import pytest

from conftest import MODEL, PROGRAM

SCHEMA = {
    "type": "object", "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer", "minimum": 0,
                                                                                        "maximum": 150}},
    "required": ["name", "age"], "additionalProperties": False}
TRANSFORM = {"text": "Ada, 36", "schema": SCHEMA, "max_tokens": 60}


class Server:
    """A service with a folder for its state, which can be ended in every way."""

    def __init__(self, state, *options, model=MODEL):
        self.command = [PROGRAM, "serve", "--model", f"small={model}", "--port", "0", "--state", str(state), "--log-level",
                        "warning", *options]
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            found = re.search(r"listening on (http://\S+?),", line)
            if found:
                break
        else:
            raise AssertionError("the service did not start")
        self.url = found.group(1)
        self.client = httpx.Client(base_url=self.url, timeout=60)
        return self

    def __exit__(self, *_):
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(timeout=60) == 0
        self.process.stderr.close()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def transforms(self):
        answer = self.client.post("/v1/transform", json=TRANSFORM)
        assert answer.status_code == 200, answer.text
        jsonschema.validate(answer.json()["value"], SCHEMA)

    def upload(self, lines):
        content = "".join(json.dumps(line) + "\n" for line in lines)
        return self.client.post("/v1/files", data={"purpose": "batch"}, files={"file": ("in.jsonl", content)})

    def begin(self, count):
        lines = [{"custom_id": f"line {number}", "method": "POST", "url": "/v1/transform",
                  "body": dict(TRANSFORM, text=f"Ada is {number % 90} and lives at number {number}.")}
                 for number in range(count)]
        file = self.upload(lines)
        assert file.status_code == 200, file.text
        batch = self.client.post("/v1/batches", json={
            "input_file_id": file.json()["id"], "endpoint": "/v1/transform", "completion_window": "24h"})
        assert batch.status_code == 200, batch.text
        return batch.json()["id"]

    def batch(self, batch):
        return self.client.get(f"/v1/batches/{batch}").json()

    def wait(self, batch, seconds=600):
        end = time.time() + seconds
        while time.time() < end:
            value = self.batch(batch)
            if value["status"] in ("completed", "failed", "expired", "cancelled"):
                return value
            time.sleep(0.2)
        raise AssertionError(f"the batch did not end: {value}")

    def lines(self, file):
        if file is None:
            return []
        return [json.loads(line) for line in self.client.get(f"/v1/files/{file}/content").text.splitlines()]


def test_kill_during_a_batch(tmp_path):
    """Ten sudden ends at random moments: each line has exactly one result, valid, in order."""
    count, kills = 500, 10
    random.seed(7)
    with Server(tmp_path) as server:
        batch = server.begin(count)
        time.sleep(random.uniform(0.5, 4))
        server.kill()
    done = []
    for _ in range(kills - 1):
        with Server(tmp_path) as server:
            time.sleep(random.uniform(0.3, 5))
            done.append(server.batch(batch)["request_counts"]["completed"])
            server.kill()
    assert done == sorted(done), "results were lost"
    with Server(tmp_path) as server:
        value = server.wait(batch)
        print("done at each end:", done)
        assert value["status"] == "completed"
        assert value["request_counts"] == {"total": count, "completed": count, "failed": 0}
        results = server.lines(value["output_file_id"])
        assert [line["custom_id"] for line in results] == [f"line {number}" for number in range(count)]
        for line in results:
            jsonschema.validate(line["response"]["body"]["value"], SCHEMA)
        assert value["error_file_id"] is None


def test_kill_while_results_are_written(tmp_path):
    """Ends around the end of a batch, where files are written."""
    for round in range(6):
        with Server(tmp_path) as server:
            batch = server.begin(8)
            while server.batch(batch)["request_counts"]["completed"] < 8:
                time.sleep(0.002)
            time.sleep(round * 0.01)
            server.kill()
        with Server(tmp_path) as server:
            value = server.wait(batch)
            ids = [line["custom_id"] for line in server.lines(value["output_file_id"])]
            assert ids == [f"line {number}" for number in range(8)]


def test_a_damaged_database(tmp_path):
    with Server(tmp_path) as server:
        batch = server.begin(3)
        server.wait(batch)
    database = tmp_path / "batches.sqlite"
    for name in ("batches.sqlite-wal", "batches.sqlite-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    content = bytearray(database.read_bytes())
    content[100:4000] = random.Random(3).randbytes(3900)
    database.write_bytes(content)
    with Server(tmp_path) as server:
        health = server.client.get("/health").json()
        assert health["status"] == "degraded"
        assert "damaged" in health["problems"][0]
        assert server.client.get(f"/v1/batches/{batch}").status_code == 404
        server.transforms()
        assert server.wait(server.begin(3))["status"] == "completed"
    aside = [path for path in tmp_path.iterdir() if ".damaged-" in path.name]
    assert [path.read_bytes() for path in aside] == [bytes(content)]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk(tmp_path):
    """The disk fills up during a batch: the service goes on, says so, and ends the batch once there is room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]).returncode != 0:
        pytest.skip("file systems cannot be mounted here")
    try:
        with Server(folder) as server:
            batch = server.begin(60)
            filler = folder / "filler"
            with open(filler, "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(bytes(4096))
                except OSError:
                    pass
            end = time.time() + 120
            while server.client.get("/health").json()["status"] == "ok" and time.time() < end:
                time.sleep(0.2)
            health = server.client.get("/health").json()
            assert health["status"] == "degraded", health
            assert "full" in health["problems"][0], health
            answer = server.upload([{"x": "y" * 100_000}])
            assert answer.status_code == 507, answer.text
            assert answer.json()["error"]["code"] == "jobs.storage-full"
            server.transforms()
            filler.unlink()
            value = server.wait(batch)
            assert value["request_counts"] == {"total": 60, "completed": 60, "failed": 0}
            assert len(server.lines(value["output_file_id"])) == 60
            assert server.client.get("/health").json() == {"status": "ok"}
    finally:
        subprocess.run(["umount", str(folder)])


def test_a_model_that_goes_away(tmp_path):
    """A file that is removed while it is served does no harm; one that is missing is told, and used once it is back."""
    source = MODEL
    if not os.path.exists(source):
        source = os.path.join(os.environ.get("FORMWORK_HOME", os.path.expanduser("~/.local/share/formwork")), "models",
                              MODEL + ".gguf")
    first, second = tmp_path / "first.gguf", tmp_path / "second.gguf"
    shutil.copy(os.path.realpath(source), first)
    shutil.copy(os.path.realpath(source), second)
    with Server(tmp_path / "state", "--model", f"second={second}", model=first) as server:
        server.transforms()
        first.unlink()
        second.rename(tmp_path / "aside")
        server.transforms()
        answer = server.client.post("/v1/transform", json=dict(TRANSFORM, model="second"))
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "model.unavailable"
        assert str(tmp_path) not in answer.text
        (tmp_path / "aside").rename(second)
        assert server.client.post("/v1/transform", json=dict(TRANSFORM, model="second")).status_code == 200
        server.transforms()


def test_a_client_that_reads_a_byte_each_second(tmp_path):
    with Server(tmp_path) as server:
        host, port = re.match(r"http://(.*):(\d+)", server.url).groups()
        body = json.dumps(dict(TRANSFORM, stream=True)).encode()
        slow = []
        for _ in range(20):
            connection = socket.create_connection((host, int(port)))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.sendall(b"POST /v1/transform HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
                               + body)
            slow.append(connection)
        end = time.time() + 5
        while time.time() < end:
            for connection in slow:
                connection.recv(1)
            server.transforms()
            time.sleep(1)
        for connection in slow:
            connection.close()
        server.transforms()
        # So does one that sends a byte each second.
        stalled = socket.create_connection((host, int(port)))
        stalled.sendall(b"POST /v1/transform HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        server.transforms()
        stalled.close()


def test_many_connections_that_send_nothing(tmp_path):
    """10,000 of them: whoever asks is still answered."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 12_000:
        pytest.skip(f"only {hard} files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Server(tmp_path) as server:
        server.transforms()
        host, port = re.match(r"http://(.*):(\d+)", server.url).groups()
        silent = []
        failed = collections.Counter()
        for _ in range(10_000):
            connection = socket.socket()
            connection.settimeout(2)
            try:
                connection.connect((host, int(port)))
                silent.append(connection)
            except OSError as error:
                failed[type(error).__name__] += 1
                connection.close()
        print("silent connections:", len(silent), "failed:", dict(failed))
        began = time.time()
        with httpx.Client(base_url=server.url, timeout=90) as fresh:
            answer = fresh.post("/v1/transform", json=TRANSFORM)
        print(f"answered after {time.time() - began:.1f} s")
        assert answer.status_code == 200
        for connection in silent:
            connection.close()
        server.transforms()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
