// SPDX-License-Identifier: Apache-2.0

import Foundation
import ModelFiles
import TestSupport
import Testing
import Tokenizers

/// A change to a good description and the field that must be blamed.
struct HostileCase: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var field: String
    var change: @Sendable (inout TokenizerDescription) -> Void

    init(_ name: String, _ field: String, _ change: @escaping @Sendable (inout TokenizerDescription) -> Void) {
        testDescription = name
        self.field = "tokenizer.ggml." + field
        self.change = change
    }
}

struct HostileVocabularyTests {
    private static func texts(_ texts: [String]) -> TokenTexts { TokenTexts(texts.map { Array($0.utf8) }) }

    @Test(arguments: [
        HostileCase("no tokens", "tokens") { $0.tokens = TokenTexts() },
        HostileCase("too few types", "token_type") { $0.types = [1] },
        HostileCase("type out of range", "token_type[3]") { $0.types?[3] = 77 },
        HostileCase("negative type", "token_type[0]") { $0.types?[0] = .min },
        HostileCase("byte token in letters", "tokens[65]") { $0.types?[65] = 6 },
        HostileCase("too many scores", "scores") { $0.scores = [Float](repeating: 0, count: 9999) },
        HostileCase("no merges", "merges") { $0.merges = nil },
        HostileCase("merge without space", "merges[0]") { $0.merges = texts(["ab"]) },
        HostileCase("empty merge", "merges[0]") { $0.merges = texts([""]) },
        HostileCase("merge of nothing", "merges[0]") { $0.merges = texts(["a "]) },
        HostileCase("merge of a missing text", "merges[1]") { $0.merges = texts(["h e", "zz z"]) },
        HostileCase("merge makes a missing text", "merges[0]") { $0.merges = texts(["z z"]) },
        HostileCase("merge outside the alphabet", "merges[0]") { $0.merges = texts(["日 a"]) },
        HostileCase("merge that is not UTF-8", "merges[0]") { $0.merges = TokenTexts([[0xC4, 0x20, 0xFF]]) },
        HostileCase("unknown pre-tokenizer", "pre") { $0.preTokenizer = "no-such" },
        HostileCase("beginning out of range", "bos_token_id") { $0.roles["bos_token_id"] = 1 << 40 },
        HostileCase("end out of range", "eos_token_id") { $0.roles["eos_token_id"] = -1 },
        HostileCase("padding out of range", "fim_pad_token_id") { $0.roles["fim_pad_token_id"] = 100_000 },
        HostileCase("adds an unnamed beginning", "bos_token_id") { $0.addBOS = true },
        HostileCase("adds an unnamed end", "eos_token_id") { $0.addEOS = true },
        HostileCase("Unigram", "model") { $0.model = "t5" },
        HostileCase("unknown model", "model") { $0.model = "x" },
    ])
    func byteLevelErrorsNameTheField(_ hostile: HostileCase) throws {
        var description = SyntheticVocabulary.byteLevel([("h", "e")])
        hostile.change(&description)
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(description) }
        #expect(error?.field == hostile.field, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        HostileCase("no scores", "scores") { $0.scores = nil },
        HostileCase("score is not a number", "scores[5]") { $0.scores?[5] = .nan },
        HostileCase("byte token misspelled", "tokens[260]") { $0.types?[260] = 6 },
    ])
    func sentencePieceErrorsNameTheField(_ hostile: HostileCase) throws {
        var description = SyntheticVocabulary.sentencePiece(["▁", "a"])
        hostile.change(&description)
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(description) }
        #expect(error?.field == hostile.field, "\(error?.description ?? "")")
    }

    @Test func oddVocabulariesWork() throws {
        // Empty and repeated texts, bytes that are no text, no byte tokens at all.
        var description = TokenizerDescription(
            model: "llama", tokens: TokenTexts([[], [0x61], [0x61], [0xFF], [0x62]]))
        description.scores = [0, -.infinity, .infinity, 0, -0.0]
        description.addBOS = false
        let tokenizer = try Tokenizer(description)
        #expect(tokenizer.encode("ab\u{1F600}", addSpecial: true, parseSpecial: true).prefix(4) == [0, 0, 0, 2])
        #expect(tokenizer.vocabulary.generatedTexts.compactMap { $0 }.count == 3)
    }

    @Test(arguments: [
        ("tokenizer.ggml.model", GGUFBuilder.Value.uint32(1)), ("tokenizer.ggml.tokens", .int32s([1])),
        ("tokenizer.ggml.tokens", .string("x")), ("tokenizer.ggml.token_type", .strings(["x"])),
        ("tokenizer.ggml.token_type", .float32s([1])), ("tokenizer.ggml.merges", .float32s([1])),
        ("tokenizer.ggml.bos_token_id", .string("1")), ("tokenizer.ggml.add_bos_token", .uint32(1)),
        ("tokenizer.ggml.pre", .bool(true)), ("tokenizer.chat_template", .bytes([0xFF])),
    ])
    func fieldsOfTheWrongTypeAreRefused(_ key: String, _ value: GGUFBuilder.Value) throws {
        var builder = GGUFBuilder()
        let good: [(String, GGUFBuilder.Value)] = [
            ("tokenizer.ggml.model", .string("gpt2")), ("tokenizer.ggml.pre", .string("gpt-2")),
            ("tokenizer.ggml.tokens", .strings(["a", "b", "ab"])), ("tokenizer.ggml.merges", .strings(["a b"])),
        ]
        for entry in good where entry.0 != key { builder.add(entry.0, entry.1) }
        let sound = try builder.write()
        defer { try? FileManager.default.removeItem(at: sound) }
        builder.add(key, value)
        let broken = try builder.write()
        defer { try? FileManager.default.removeItem(at: broken) }
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(try GGUFFile(path: broken.path)) }
        #expect(error?.field == key)
    }

    @Test func readsAVocabularyFromAFile() throws {
        var builder = GGUFBuilder()
        builder.add("tokenizer.ggml.model", .string("gpt2"))
        builder.add("tokenizer.ggml.pre", .string("gpt-2"))
        builder.add("tokenizer.ggml.tokens", .strings(["a", "b", "ab"]))
        builder.add("tokenizer.ggml.merges", .strings(["a b"]))
        builder.add("tokenizer.chat_template", .string("{{ messages[0].content }}"))
        let url = try builder.write()
        defer { try? FileManager.default.removeItem(at: url) }
        let tokenizer = try Tokenizer(try GGUFFile(path: url.path))
        #expect(tokenizer.encode("abba", addSpecial: true, parseSpecial: true) == [2, 1, 0])
        #expect(tokenizer.missingBytes.count == 254)
        #expect(tokenizer.chatTemplate == "{{ messages[0].content }}")
    }
}
