// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Runs the built `formwork` as a user would.
struct Terminal {
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    /// A fresh folder, removed by ``close()``.
    let folder: URL
    /// Added to the environment of every run.
    var environment: [String: String] = [:]

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("formwork-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    func close() { try? FileManager.default.removeItem(at: folder) }

    /// The program lies beside the test bundle.
    static let program: URL = URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0])
        .resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("formwork")

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        return name
    }

    func read(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }

    /// Runs with the folder as the working directory and a model store of its own.
    func run(_ arguments: String..., input: String = "") throws -> Outcome { try run(arguments, input: input) }

    /// The same with a list.
    func run(_ arguments: [String], input: String = "") throws -> Outcome {
        try run(program: Self.program.path, arguments, input: input)
    }

    /// Runs another program in the same way.
    func run(program: String, _ arguments: [String], input: String = "") throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment
            .merging(["FORMWORK_HOME": folder.appendingPathComponent("home").path, "NO_COLOR": "1"]) { $1 }
            // The tests say themselves where the program is to think that it runs.
            .merging(["GITHUB_ACTIONS": "", "GITHUB_WORKSPACE": "", "CI_PROJECT_DIR": ""]) { $1 }
            .merging(environment) { $1 }
        // Files instead of pipes: nothing can fill up and block.
        let paths = ["in", "out", "err"].map { folder.appendingPathComponent(".\($0)-\(UUID().uuidString)") }
        defer { for path in paths { try? FileManager.default.removeItem(at: path) } }
        try Data(input.utf8).write(to: paths[0])
        for path in paths[1...] { FileManager.default.createFile(atPath: path.path, contents: nil) }
        process.standardInput = try FileHandle(forReadingFrom: paths[0])
        process.standardOutput = try FileHandle(forWritingTo: paths[1])
        process.standardError = try FileHandle(forWritingTo: paths[2])
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus,
            output: String(decoding: try Data(contentsOf: paths[1]), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: paths[2]), as: UTF8.self))
    }
}
