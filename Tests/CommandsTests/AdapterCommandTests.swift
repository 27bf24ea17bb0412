// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `--lora` of the commands that run a model.
struct AdapterCommandTests {
    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        return try body(terminal)
    }

    @Test(arguments: [
        ["transform", "--schema", "x", "--lora", "a.gguf:much"], ["transform", "--schema", "x", "--lora", "a.gguf:"],
        ["serve", "--lora", "a.gguf:nan"], ["bench", "inference", "--lora", "a.gguf:inf"],
        ["repair", "--schema", "x", "--lora", "a.gguf", "b.json"],
    ])
    func scalesThatAreNoNumbersAndLostAdaptersAreWrongUsage(_ arguments: [String]) throws {
        try terminal { terminal in
            let outcome = try terminal.run(arguments)
            #expect(outcome.status == 5, "\(outcome.errors)")
            #expect(outcome.errors.contains("--lora"), "\(outcome.errors)")
        }
    }

    @Test func serveRefusesAdaptersBesideTwoModels() throws {
        let model = try TinyModel().write()
        defer { try? FileManager.default.removeItem(at: model) }
        try terminal { terminal in
            let outcome = try terminal.run(
                "serve", "--model", "a=\(model.path)", "--model", "b=\(model.path)", "--state", "none", "--lora", "a.gguf")
            #expect(outcome.status == 5, "\(outcome.errors)")
            #expect(outcome.errors.contains("single model"), "\(outcome.errors)")
        }
    }

    @Test func aFileThatIsNoAdapterIsRefusedByName() throws {
        let model = try TinyModel().write()
        defer { try? FileManager.default.removeItem(at: model) }
        try terminal { terminal in
            for arguments in [
                ["bench", "inference", "--model", model.path, "--lora", model.path, "--runs", "1"],
                ["serve", "--model", model.path, "--state", "none", "--lora", model.path + ":0.5"],
            ] {
                let outcome = try terminal.run(arguments)
                #expect(outcome.status != 0)
                #expect(outcome.errors.contains("general.type"), "\(outcome.errors)")
            }
        }
    }
}
