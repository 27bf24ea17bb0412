// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What `serve` is told, and by whom.
@Suite(.timeLimit(.minutes(2)))
struct ServeTests {
    private func terminal<R>(_ body: (inout Terminal) throws -> R) throws -> R {
        var terminal = try Terminal()
        defer { terminal.close() }
        let model = try TinyModel.text(context: 512).write()
        defer { try? FileManager.default.removeItem(at: model) }
        try FileManager.default.copyItem(at: model, to: terminal.folder.appendingPathComponent("tiny.gguf"))
        return try body(&terminal)
    }

    /// Starts a service that is ended after a moment, and gives what it said.
    private func started(_ terminal: Terminal, _ arguments: String...) throws -> String {
        let script = "\"$@\" & pid=$!; sleep 1; kill -TERM $pid 2>/dev/null; wait $pid"
        let outcome = try terminal.run(
            program: "/bin/sh", ["-c", script, "sh", Terminal.program.path, "serve"] + arguments)
        return outcome.errors
    }

    @Test func optionsGoBeforeTheEnvironmentAndThatBeforeTheFile() throws {
        try terminal { terminal in
            try terminal.write("formwork.yaml", "serve:\n  model: [file=tiny.gguf]\n  port: 0\n  state: none\n  log-level: error\n")
            #expect(try started(terminal).contains("serving file"))
            terminal.environment = ["FORMWORK_SERVE_MODEL": "environment=tiny.gguf,second=tiny.gguf"]
            #expect(try started(terminal).contains("serving environment, second"))
            #expect(try started(terminal, "--model", "option=tiny.gguf").contains("serving option"))
            let elsewhere = try started(terminal, "--model", "option=tiny.gguf", "--no-project", "--port", "0")
            #expect(elsewhere.contains("serving option"))
        }
    }

    @Test func wrongSettingsAreNamed() throws {
        try terminal { terminal in
            terminal.environment = ["FORMWORK_SERVE_PORT": "eighty"]
            let port = try terminal.run("serve", "--model", "tiny.gguf")
            #expect(port.status == 5)
            #expect(port.errors.contains("'port'") && port.errors.contains("eighty"))
            terminal.environment = [:]
            for (arguments, expected) in [
                (["--port", "70000"], "port"), (["--slots", "0"], "slots"), (["--deadline", "-1"], "deadline"),
                (["--log-level", "loud"], "log-level"), (["--tls-key", "k.pem"], "tls"),
                (["--tls-key", "tiny.gguf", "--tls-certificate", "tiny.gguf"], "tiny.gguf"),
            ] {
                let outcome = try terminal.run(["serve", "--model", "tiny.gguf", "--state", "none"] + arguments)
                #expect(outcome.status == 5, "\(outcome.errors)")
                #expect(outcome.errors.contains(expected), "\(outcome.errors)")
            }
            try terminal.write("formwork.yaml", "serve:\n  prot: 80\n")
            let name = try terminal.run("serve", "--model", "tiny.gguf")
            #expect(name.status == 5)
            #expect(name.errors.contains("prot") && name.errors.contains("formwork.yaml:2"), "\(name.errors)")
        }
    }
}
