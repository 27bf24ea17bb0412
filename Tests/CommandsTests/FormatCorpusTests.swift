// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import TestSupport
import Testing

/// `formwork format` on files as people write them, and on every construct of YAML.
struct FormatCorpusTests {
    private struct Outcome {
        var formatted = 0
        var changed = 0
        var refused: [String] = []
    }

    /// The valid cases of the YAML test suite that libyaml, which follows YAML 1.1, refuses.
    private static let refusedByLibYAML: Set<String> = [
        "2JQS", "2LFX", "2SXE", "4ABK", "4MUZ/00", "4MUZ/01", "4MUZ/02", "58MP", "5MUD", "5T43", "6BCT", "6CA3",
        "6LVF", "6M2F", "7Z25", "8XYN", "96NN/00", "96NN/01", "9SA2", "A2M4", "BEC7", "CFD4", "DBG4", "DK3J",
        "DK95/00", "DK95/03", "DK95/04", "FP8R", "FRK4", "HM87/00", "HWV9", "K3WX", "M2N8/00", "M7A3", "MUS6/05",
        "MUS6/06", "NHX8", "NJ66", "NKF9", "Q5MG", "QT73", "R4YG", "S3PD", "SM9W/01", "UKK6/00", "UT92", "VJP3/01",
        "W4TN", "W5VH", "Y79Y/001", "Y79Y/010",
    ]

    private func unpack(_ archive: String, in terminal: Terminal) throws {
        let url = try #require(SharedData.url(archive))
        let tar = try terminal.run(program: "/usr/bin/env", ["tar", "xzf", url.path])
        #expect(tar.status == 0, "\(tar.errors)")
    }

    /// The comments of a text, without white space at their ends; nil where it cannot be read.
    private func comments(_ bytes: [UInt8], _ name: String) -> [String]? {
        let source = SourceText(file: name, bytes: bytes)
        var options = ReadOptions.lenient
        options.loneSurrogates = .replace
        let tree: SyntaxTree? =
            switch DocumentReader.format(ofFile: name) {
            case .yaml: try? YAMLSyntax.read(source)
            case .toml: try? TOMLReader.readSyntax(source, options: options).tree
            case .jsonc: try? JSONSyntax.read(source, options: options.withComments).tree
            default: try? JSONSyntax.read(source, options: options).tree
            }
        return tree?.comments.map { String($0.reversed().drop { $0 == " " || $0 == "\t" }.reversed()) }
    }

    /// Formats all files, and compares what they say, the second result, and what `--check` says.
    private func run(_ names: [String], in terminal: Terminal) throws -> Outcome {
        var outcome = Outcome()
        let read = { (name: String) in
            Array(try Data(contentsOf: terminal.folder.appendingPathComponent(name)))
        }
        var before: [String: [UInt8]] = [:]
        for name in names { before[name] = try read(name) }
        var options = ReadOptions.lenient
        options.loneSurrogates = .replace

        let check = try terminal.run(["format", "--check"] + names)
        let announced = Set(check.output.split(separator: "\n").map(String.init))
        let write = try terminal.run(["format", "--write"] + names)
        #expect(!write.errors.contains("format.changed"), "\(write.errors)")
        let again = try terminal.run(["format", "--check"] + names)
        #expect(again.output.isEmpty, "not final: \(again.output)")

        for name in names {
            let old = try #require(before[name])
            let new = try read(name)
            #expect((old != new) == announced.contains(name), "\(name)")
            if write.errors.contains("\(name):") {
                #expect(old == new, "\(name)")
                outcome.refused.append(name)
                continue
            }
            outcome.formatted += 1
            if old != new { outcome.changed += 1 }
            let comments = self.comments(old, name)
            #expect(comments != nil && comments == self.comments(new, name), "\(name)")
            // Some YAML is no JSON; the formatter itself compares what libyaml makes of it.
            let values = try? DocumentReader.readAll(old, file: name, options: options).map(\.root.value)
            let newValues = try? DocumentReader.readAll(new, file: name, options: options).map(\.root.value)
            #expect(values == newValues, "\(name)")
        }
        return outcome
    }

    @Test(.enabled(if: SharedData.has("schemastore/dev.tar.gz"), "needs FORMWORK_SHARED"))
    func configurationFilesStayTheSame() throws {
        let terminal = try Terminal()
        defer { terminal.close() }
        try unpack("schemastore/dev.tar.gz", in: terminal)
        let endings = [".json", ".yaml", ".yml", ".toml"]
        let names = try FileManager.default.subpathsOfDirectory(atPath: terminal.folder.path)
            .filter { name in endings.contains { name.hasSuffix($0) } }.sorted()
        let outcome = try run(names, in: terminal)
        #expect(outcome.refused.isEmpty, "\(outcome)")
        #expect(outcome.formatted >= 1_589, "\(outcome)")
    }

    @Test(.enabled(if: SharedData.has("yaml-test-suite/data.tar.gz"), "needs FORMWORK_SHARED"))
    func everyConstructOfYAMLStaysTheSame() throws {
        let terminal = try Terminal()
        defer { terminal.close() }
        try unpack("yaml-test-suite/data.tar.gz", in: terminal)
        let names = try FileManager.default.subpathsOfDirectory(atPath: terminal.folder.path)
            .filter { $0.hasSuffix("/in.yaml") && !$0.contains("name/") && !$0.contains("tags/") }.sorted()
        let outcome = try run(names, in: terminal)
        let invalid = names.filter { name in
            FileManager.default.fileExists(
                atPath: terminal.folder.appendingPathComponent(name).deletingLastPathComponent()
                    .appendingPathComponent("error").path)
        }
        let refusedValid = Set(outcome.refused).subtracting(invalid).map { String($0.dropLast("/in.yaml".count)) }
        #expect(Self.refusedByLibYAML.isSuperset(of: refusedValid), "\(refusedValid.sorted())")
        #expect(outcome.formatted >= 273, "\(outcome)")
        #expect(outcome.formatted + outcome.refused.count == names.count)
    }
}
