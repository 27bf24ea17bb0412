// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import ModelFiles
import TestSupport
import Testing
import Tokenizers

/// A text with the tokens the reference makes of it.
struct GoldenTokenCase: CustomTestStringConvertible, Sendable {
    var label: String
    var bytes: [UInt8]
    var isText: Bool
    var addSpecial: Bool
    var parseSpecial: [Bool]
    var tokens: [TokenID]?
    var decoded: [UInt8]?

    var testDescription: String { label }

    init(_ entry: JSONValue) {
        let text = entry["text"]?.stringValue
        bytes =
            text.map { Array($0.utf8) } ?? [UInt8](Data(base64Encoded: entry["bytes_b64"]?.stringValue ?? "") ?? Data())
        isText = text != nil
        label = text?.debugDescription ?? "\(bytes)"
        addSpecial = entry["add_special"]?.boolValue ?? true
        parseSpecial = entry["parse_special"]?.boolValue.map { [$0] } ?? [false, true]
        tokens = entry["ids"]?.arrayValue?.compactMap { $0.intValue.flatMap(TokenID.init(exactly:)) }
        decoded = entry["detokenized_b64"]?.stringValue.flatMap { Data(base64Encoded: $0) }.map { [UInt8]($0) }
    }

    func check(_ tokenizer: Tokenizer) {
        for parseSpecial in parseSpecial {
            let found =
                isText
                ? tokenizer.encode(
                    String(decoding: bytes, as: UTF8.self), addSpecial: addSpecial, parseSpecial: parseSpecial)
                : tokenizer.encode(bytes: bytes, addSpecial: addSpecial, parseSpecial: parseSpecial)
            if let tokens { #expect(found == tokens, "\(label)") }
            if let decoded { #expect(tokenizer.decodeBytes(found) == decoded, "\(label)") }
        }
    }
}

/// A fixture file beside which, or in the folder named by `FORMWORK_MODELS`, its model lies.
struct GoldenTokenFixture: CustomTestStringConvertible, Sendable {
    var path: String
    var key: String

    var testDescription: String { path }

    static let models = ProcessInfo.processInfo.environment["FORMWORK_MODELS"]

    static func named(_ folder: String, key: String) -> [GoldenTokenFixture] {
        guard let url = SharedData.url(folder) else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted().map {
            GoldenTokenFixture(path: folder + "/" + $0, key: key)
        }
    }

    func read() throws -> JSONValue {
        let url = try #require(SharedData.url(path))
        return try JSONReader.read([UInt8](Data(contentsOf: url)), file: url.path).root.value
    }
}

@Suite(.enabled(if: SharedData.has("golden/tokenize"), "needs FORMWORK_SHARED"))
struct GoldenTokenTests {
    @Test(arguments: GoldenTokenFixture.named("golden/tiny/arch", key: "tokenize"))
    func tinyModelsTokenizeExactly(_ fixture: GoldenTokenFixture) throws {
        let path = try #require(SharedData.url(fixture.path)).deletingPathExtension().appendingPathExtension("gguf")
            .path
        let tokenizer = try Tokenizer(try GGUFFile(path: path))
        let cases = try #require(try fixture.read()[fixture.key]?.arrayValue)
        #expect(!cases.isEmpty)
        for entry in cases { GoldenTokenCase(entry).check(tokenizer) }
    }

    @Test(
        .enabled(if: GoldenTokenFixture.models != nil, "needs FORMWORK_MODELS, the folder with the model files"),
        arguments: GoldenTokenFixture.named("golden/tokenize", key: "cases")
    )
    func modelsTokenizeExactly(_ fixture: GoldenTokenFixture) throws {
        let value = try fixture.read()
        let folder = URL(fileURLWithPath: try #require(GoldenTokenFixture.models))
        let name = try #require(value["model_file"]?.stringValue)
        let tokenizer = try Tokenizer(try GGUFFile(path: folder.appendingPathComponent(name).path))
        #expect(tokenizer.vocabulary.count == value["vocab_size"]?.intValue)
        let cases = try #require(value[fixture.key]?.arrayValue)
        #expect(!cases.isEmpty)
        for entry in cases { GoldenTokenCase(entry).check(tokenizer) }
    }
}
