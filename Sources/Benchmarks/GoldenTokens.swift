// SPDX-License-Identifier: Apache-2.0

import Documents
package import Foundation
import ModelFiles
import Tokenizers

/// Compares tokenizers and chat templates with recorded results: the `tokenize`, `templates`, `jinja-snippets` and
/// `tiny/arch` parts of a golden folder. Everything must be exact.
package enum GoldenTokens {
    /// Runs all fixtures of the folder, in order of their names.
    ///
    /// - Parameters:
    ///   - folder: The golden folder.
    ///   - modelPath: Finds a model file by its name, for the fixtures in `tokenize`.
    ///   - report: Called with each result as soon as it is known.
    package static func run(
        folder: URL, modelPath: (String) -> String?, report: (GoldenLogits.FixtureResult) -> Void
    ) -> [GoldenLogits.FixtureResult] {
        var results: [GoldenLogits.FixtureResult] = []
        func note(_ name: String, _ body: () throws -> Tally?) {
            let result: GoldenLogits.FixtureResult
            do {
                if let tally = try body() {
                    result = tally.result(name)
                } else {
                    result = .init(name: name, status: .skipped, detail: "the model file was not found")
                }
            } catch {
                result = .init(name: name, status: .failed, detail: "\(error)")
            }
            results.append(result)
            report(result)
        }
        for name in names(folder, "tokenize") {
            note("tokenize/" + name) {
                let fixture = try read(folder, "tokenize/\(name).json")
                guard let path = modelPath(fixture["model_file"]?.stringValue ?? "") else { return nil }
                return try checkTokenizer(path, fixture, cases: fixture["cases"], addSpecial: nil)
            }
        }
        for name in names(folder, "tiny/arch") {
            note("tiny/arch/\(name) tokens") {
                let fixture = try read(folder, "tiny/arch/\(name).json")
                let path = folder.appendingPathComponent("tiny/arch/\(name).gguf").path
                return try checkTokenizer(path, fixture, cases: fixture["tokenize"], addSpecial: true)
            }
        }
        for name in names(folder, "templates") {
            note("templates/" + name) { checkTemplate(try read(folder, "templates/\(name).json")) }
        }
        if FileManager.default.fileExists(atPath: folder.appendingPathComponent("jinja-snippets.json").path) {
            note("jinja-snippets") { checkTemplate(try read(folder, "jinja-snippets.json")) }
        }
        return results
    }

    /// Passed and failed cases of a fixture.
    private struct Tally {
        var passed = 0
        var misses: [String] = []

        mutating func note(_ isPassed: Bool, _ miss: @autoclosure () -> String) {
            if isPassed { passed += 1 } else { misses.append(miss()) }
        }

        func result(_ name: String) -> GoldenLogits.FixtureResult {
            let total = passed + misses.count
            let detail = (["\(passed) of \(total) cases exact"] + misses.prefix(5).map { "MISS " + $0 })
                .joined(separator: "; ")
            return .init(name: name, status: misses.isEmpty && total > 0 ? .passed : .failed, detail: detail)
        }
    }

    private static func names(_ folder: URL, _ part: String) -> [String] {
        let path = folder.appendingPathComponent(part).path
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return entries.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    }

    private static func read(_ folder: URL, _ path: String) throws -> JSONValue {
        let url = folder.appendingPathComponent(path)
        return try JSONReader.read([UInt8](Data(contentsOf: url)), file: url.path).root.value
    }

    private static func checkTokenizer(
        _ path: String, _ fixture: JSONValue, cases: JSONValue?, addSpecial: Bool?
    ) throws -> Tally {
        let tokenizer = try Tokenizer(try GGUFFile(path: path))
        var tally = Tally()
        if let size = fixture["vocab_size"]?.intValue {
            tally.note(size == tokenizer.vocabulary.count, "the vocabulary has \(tokenizer.vocabulary.count) tokens")
        }
        for entry in cases?.arrayValue ?? [] {
            let text = entry["text"]?.stringValue
            let bytes = entry["bytes_b64"]?.stringValue.flatMap { Data(base64Encoded: $0) }.map { [UInt8]($0) }
            let label = text.map { "\($0.debugDescription.prefix(60))" } ?? "bytes \(bytes ?? [])"
            let parse = entry["parse_special"]
            for parseSpecial in parse?.boolValue.map({ [$0] }) ?? [false, true] {
                let addSpecial = addSpecial ?? entry["add_special"]?.boolValue ?? true
                let ids =
                    if let text {
                        tokenizer.encode(text, addSpecial: addSpecial, parseSpecial: parseSpecial)
                    } else {
                        tokenizer.encode(bytes: bytes ?? [], addSpecial: addSpecial, parseSpecial: parseSpecial)
                    }
                // Where the reference gives up, surviving is all that is asked.
                guard let expected = entry["ids"]?.arrayValue?.compactMap(\.intValue) else { continue }
                tally.note(ids.map(Int.init) == expected, "\(label): \(ids.prefix(20)) for \(expected.prefix(20))")
                if let encoded = entry["detokenized_b64"]?.stringValue, let wanted = Data(base64Encoded: encoded) {
                    let decoded = tokenizer.decodeBytes(ids)
                    tally.note(
                        decoded == [UInt8](wanted), "\(label) decoded: \(String(decoding: decoded, as: UTF8.self))")
                }
            }
        }
        return tally
    }

    private static func checkTemplate(_ fixture: JSONValue) -> Tally {
        var tally = Tally()
        let clock = TemplateDate(year: 2025, month: 3, day: 9, hour: 14, minute: 5, second: 7)
        for entry in fixture["cases"]?.arrayValue ?? [] {
            let source = entry["template"]?.stringValue ?? fixture["template"]?.stringValue ?? ""
            var variables = (entry["context"] ?? fixture["context"])?.objectValue ?? JSONObject()
            for key in ["bos_token", "eos_token"] { if let token = fixture[key] { variables[key] = token } }
            let label = entry["name"]?.stringValue ?? source
            do {
                let text = try ChatTemplate(source).render(.object(variables), now: { clock })
                tally.note(text == entry["output"]?.stringValue, "\(label): \(text.debugDescription)")
            } catch {
                let expected = entry["error"]?.stringValue
                let isExpected = expected != nil && (error.code != .raised || error.message == expected)
                tally.note(isExpected, "\(label): \(error)")
            }
        }
        return tally
    }
}
