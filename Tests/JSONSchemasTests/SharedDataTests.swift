// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import JSONSchemas
import TestSupport
import Testing

/// Agreement with the verdicts of other validators, where the data is at hand.
struct SharedDataTests {
    private static func run(_ arguments: String...) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return data
    }

    @Test(.enabled(if: SharedData.has("maskbench/dev.jsonl.gz"), "needs FORMWORK_SHARED"))
    func agreesWithTheLabelsOfMaskBench() throws {
        let archive = try #require(SharedData.url("maskbench/dev.jsonl.gz"))
        let lines = try Self.run("gzip", "-dc", archive.path).split(separator: 0x0A)
        var agreements = 0
        var disagreements: [String] = []
        var refusals: [String] = []
        for line in lines {
            let row = try JSONReader.read([UInt8](line), options: .lenient).root
            let id = row["id"]?.stringValue ?? ""
            let schema = Document(value: try #require(row["schema"]).value)
            guard let graph = try? SchemaGraph.load(schema.root) else {
                refusals.append(id)
                continue
            }
            let validator = Validator(graph, formats: .assert)
            for test in try #require(row["tests"]).elements {
                let data = try #require(test["data"])
                let isValid = validator.isValid(data)
                #expect(validator.validate(data).isEmpty == isValid)
                if isValid == test["valid"]?.boolValue { agreements += 1 } else { disagreements.append(id) }
            }
        }
        #expect(disagreements.isEmpty)
        // One pattern with a back-reference, two schemas with references to nowhere, one with a reference to itself.
        #expect(refusals.count <= 4)
        #expect(agreements > 14_000)
    }

    @Test(.enabled(if: SharedData.has("schemastore/dev.tar.gz"), "needs FORMWORK_SHARED"))
    func agreesWithTheVerdictsOnConfigurationFiles() throws {
        let archive = try #require(SharedData.url("schemastore/dev.tar.gz"))
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = try Self.run("tar", "-xzf", archive.path, "-C", folder.path)
        var registry = SchemaRegistry()
        for scheme in ["http", "https"] {
            for host in ["json.schemastore.org", "www.schemastore.org"] {
                registry.add(folder: folder.path + "/schemas", prefix: "\(scheme)://\(host)/")
            }
        }
        // Some schemas refer to files that are not part of the data.
        let options = SchemaOptions(metaschemaCheck: .off, unresolvedReferences: .deferred)
        var validators: [String: Validator] = [:]
        var agreements = 0
        var disagreements: [String] = []
        var undecided = 0
        let cases = try Data(contentsOf: folder.appendingPathComponent("cases.jsonl"))
        for line in cases.split(separator: 0x0A) {
            let row = try JSONReader.read([UInt8](line)).root
            let (name, instance) = (row["schema"]?.stringValue ?? "", row["instance"]?.stringValue ?? "")
            guard let format = DocumentReader.format(ofFile: instance) else { continue }
            let validator: Validator
            if let known = validators[name] {
                validator = known
            } else {
                let schema = try DocumentReader.read(path: folder.path + "/" + name, options: .lenient)
                let graph = try SchemaGraph.load(schema.root, options: options, registry: registry)
                validator = Validator(graph, formats: .annotate)
                validators[name] = validator
            }
            // Some JSON files have comments, which the JSON reader does not take but the YAML reader mostly does.
            guard
                let document =
                    (try? DocumentReader.read(
                        path: folder.path + "/" + instance, format: format, options: .lenient))
                    ?? (try? DocumentReader.read(path: folder.path + "/" + instance, format: .yaml, options: .lenient))
            else { continue }
            let isValid = validator.isValid(document.root)
            let violations = validator.validate(document.root)
            #expect(violations.isEmpty == isValid)
            if violations.contains(where: \.dependsOnUndecided) {
                undecided += 1
                continue
            }
            if isValid == row["valid"]?.boolValue { agreements += 1 } else { disagreements.append(instance) }
        }
        #expect(disagreements.isEmpty)
        #expect(agreements > 1_100)
        #expect(undecided < 150)
    }
}
