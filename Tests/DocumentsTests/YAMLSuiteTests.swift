// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import TestSupport
import Testing

/// The YAML test suite: values where `in.json` gives them, refusal where `error` says so.
struct YAMLSuiteTests {
    struct Outcome {
        var passed = 0
        var refusedValid: [String] = []
        var acceptedInvalid: [String] = []
        var different: [String] = []
        var misplaced: [String] = []
    }

    /// The values of a file with several JSON texts one after the other.
    static func values(_ text: String) throws -> [JSONValue] {
        var result: [JSONValue] = []
        var pending = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            pending += line + "\n"
            if let document = try? JSONReader.read(pending) {
                result.append(document.root.value)
                pending = ""
            }
        }
        return result
    }

    static func run(_ folder: URL) throws -> Outcome {
        var outcome = Outcome()
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix("/in.yaml") }
        for name in names.sorted() where !name.contains("name/") && !name.contains("tags/") {
            let place = folder.appendingPathComponent(name).deletingLastPathComponent()
            let label = String(name.dropLast("/in.yaml".count))
            let bytes = [UInt8](try Data(contentsOf: place.appendingPathComponent("in.yaml")))
            let isError = FileManager.default.fileExists(atPath: place.appendingPathComponent("error").path)
            let json = try? String(contentsOf: place.appendingPathComponent("in.json"), encoding: .utf8)
            do throws(DiagnosticsError) {
                let documents = try YAMLReader.read(bytes, file: label)
                if isError {
                    outcome.acceptedInvalid.append(label)
                } else if let json, let expected = try? values(json), documents.map(\.root.value) != expected {
                    outcome.different.append(label)
                } else {
                    outcome.passed += 1
                }
            } catch {
                let unplaced = error.diagnostics.contains { $0.range == nil || $0.message.isEmpty }
                if unplaced || error.diagnostics.isEmpty { outcome.misplaced.append(label) }
                if isError {
                    outcome.passed += 1
                } else {
                    outcome.refusedValid.append("\(label) \(error.diagnostics.first?.id.rawValue ?? "")")
                }
            }
        }
        return outcome
    }

    @Test(.enabled(if: SharedData.has("yaml-test-suite/data.tar.gz"), "needs FORMWORK_SHARED"))
    func agreesWithTheSuite() throws {
        let archive = try #require(SharedData.url("yaml-test-suite/data.tar.gz"))
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("yaml-suite-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "xzf", archive.path, "-C", folder.path]
        try tar.run()
        tar.waitUntilExit()
        let outcome = try Self.run(folder)
        let summary = Comment(rawValue: "\(outcome)")
        #expect(outcome.misplaced.isEmpty, summary)
        // libyaml reads these differently: '?' in flow context, line ends of empty block scalars, ':' in anchors.
        #expect(
            outcome.different.allSatisfy { ["652Z", "HM87/01", "JEF9/02", "L24T/01", "Y2GN"].contains($0) }, summary)
        // Of the 402 cases libyaml refuses 65 valid ones and accepts 16 invalid ones; the count only moves up.
        #expect(outcome.passed >= 316, summary)
    }
}
