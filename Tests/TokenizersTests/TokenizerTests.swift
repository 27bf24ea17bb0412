// SPDX-License-Identifier: Apache-2.0

import Testing
import Tokenizers

struct TokenizerTests {
    static let merges = [("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o"), (" ", "hello"), (" ", "t"), (" t", "he")]
    static let special = [("<|im_end|>", 3), ("<|im_end|>\n", 3), ("<tool>", 4), ("<unused7>", 3)]

    private func texts(_ tokenizer: Tokenizer, _ tokens: [TokenID]) -> [String] {
        tokens.map(tokenizer.vocabulary.text)
    }

    @Test func mergesBytesByRank() throws {
        let tokenizer = try Tokenizer(SyntheticVocabulary.byteLevel(Self.merges))
        let tokens = tokenizer.encode("hello hello the he", addSpecial: false, parseSpecial: false)
        #expect(texts(tokenizer, tokens) == ["hello", " hello", " the", " ", "he"])
    }

    @Test func controlTokensAreFoundOnlyWhenParsed() throws {
        let tokenizer = try Tokenizer(SyntheticVocabulary.byteLevel(Self.merges, special: Self.special))
        let parsed = tokenizer.encode("he<|im_end|><tool>", addSpecial: false, parseSpecial: true)
        #expect(texts(tokenizer, parsed) == ["he", "<|im_end|>", "<tool>"])
        let plain = tokenizer.encode("he<|im_end|><tool>", addSpecial: false, parseSpecial: false)
        #expect(texts(tokenizer, plain) == ["he"] + "<|im_end|>".map(String.init) + ["<tool>"])
    }

    @Test func longerSpecialTokensWin() throws {
        let tokenizer = try Tokenizer(SyntheticVocabulary.byteLevel(Self.merges, special: Self.special))
        let tokens = tokenizer.encode("<|im_end|>\n<|im_end|>", addSpecial: false, parseSpecial: true)
        #expect(texts(tokenizer, tokens) == ["<|im_end|>\n", "<|im_end|>"])
    }

    @Test func endOfGenerationIsKnownByText() throws {
        let vocabulary = try Tokenizer(SyntheticVocabulary.byteLevel(Self.merges, special: Self.special)).vocabulary
        let end = try #require(vocabulary.eos)
        #expect(vocabulary.text(end) == "<|im_end|>")
        #expect(vocabulary.eot == end && vocabulary.endsGeneration(end) && vocabulary.kind(end) == .control)
        #expect(vocabulary.kind(end + 3) == .unused)
        #expect(vocabulary.generatedTexts[Int(end)] == nil && vocabulary.generatedTexts[65] == [65])
    }

    @Test func beginningIsAddedOnRequest() throws {
        var description = SyntheticVocabulary.byteLevel(Self.merges, special: Self.special)
        description.addBOS = true
        description.addEOS = true
        let tokenizer = try Tokenizer(description)
        let bos = try #require(tokenizer.vocabulary.bos)
        let tokens = tokenizer.encode("he", addSpecial: true, parseSpecial: false)
        #expect(tokens.count == 3 && tokens.first == bos && tokens.last == bos)
        #expect(tokenizer.decode(tokens) == "he")
        #expect(tokenizer.encode("he", addSpecial: false, parseSpecial: false).count == 1)
    }

    @Test func everyByteSurvivesARoundTrip() throws {
        let tokenizer = try Tokenizer(SyntheticVocabulary.byteLevel(Self.merges))
        let text = String((0..<0x2FF).compactMap { Unicode.Scalar($0).map(Character.init) }) + "😀日本\u{10FFFF}"
        #expect(tokenizer.decode(tokenizer.encode(text, addSpecial: true, parseSpecial: true)) == text)
    }

    @Test func bytesThatAreNoTextBecomeReplacementCharacters() throws {
        let tokenizer = try Tokenizer(SyntheticVocabulary.byteLevel(Self.merges))
        let tokens = tokenizer.encode(
            bytes: [0x68, 0xFF, 0x65, 0xF4, 0x90, 0x80, 0x80], addSpecial: false, parseSpecial: true)
        #expect(tokenizer.decode(tokens) == "h\u{FFFD}e\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}")
    }

    @Test func wholeWordsComeFirstWhereMergesAreIgnored() throws {
        var description = SyntheticVocabulary.byteLevel(
            Self.merges, special: [("xyz", 1), ("<|im_end|>", 3)], pre: "llama-bpe")
        description.addBOS = false
        let tokenizer = try Tokenizer(description)
        #expect(
            texts(tokenizer, tokenizer.encode("xyz xyz", addSpecial: true, parseSpecial: true)) == [
                "xyz", " ", "x", "y", "z",
            ])
    }

    @Test(arguments: [
        ("gpt-2", "It's 123  x\n y!?", ["It", "'s", " 123", " ", " x", "\n", " y", "!?"]),
        ("smollm", "a 123", ["a", " ", "1", "2", "3"]),
        ("llama-bpe", "IT'LL 12345 (x)\n\n  y", ["IT", "'LL", " ", "123", "45", " (", "x", ")\n\n", " ", " y"]),
        ("qwen2", "a12 \n \nb", ["a", "1", "2", " \n \n", "b"]),
        ("default", "$12345 ab-c", ["$", "123", "45", " ab", "-", "c"]),
        ("llama-bpe", "日本語 é1 ½", ["日本語", " é", "1", " ", "½"]),
        ("gpt-4o", "camelCase HTTPServer it's IT'LL", ["camel", "Case", " HTTPServer", " it's", " IT'LL"]),
        ("gpt-4o", "ABc ÄBC x/\n//y 12345", ["ABc", " Ä", "BC", " x", "/\n//", "y", " ", "123", "45"]),
        ("gpt-4o", "'s 's'T  \n z", ["'s", " '", "s'T", "  \n", " z"]),
    ])
    func preTokenizersCutWords(_ name: String, _ text: String, _ words: [String]) throws {
        var description = SyntheticVocabulary.byteLevel(Self.merges, special: Self.special, pre: name)
        description.addBOS = false
        #expect(try Tokenizer(description).words(of: text) == words)
    }

    @Test(arguments: 0..<20)
    func bytePairMergingEqualsTheDefinition(_ seed: UInt64) throws {
        var numbers = SeededNumbers(state: seed)
        var known = ["a", "b", "c", "d"]
        var merges: [(String, String)] = []
        while merges.count < 40 {
            guard let left = known.randomElement(using: &numbers), let right = known.randomElement(using: &numbers),
                left.count + right.count < 12, !merges.contains(where: { $0 == (left, right) })
            else { continue }
            merges.append((left, right))
            if !known.contains(left + right) { known.append(left + right) }
        }
        let tokenizer = try Tokenizer(SyntheticVocabulary.byteLevel(merges))
        for length in [1, 2, 5, 20, 63, 64, 65, 66, 200, 700] {
            let word = (0..<length).map { _ in ["a", "b", "c", "d"].randomElement(using: &numbers) ?? "a" }
            var symbols = word
            while true {
                var best: (rank: Int, place: Int)?
                for place in symbols.indices.dropLast() {
                    guard let rank = merges.firstIndex(where: { $0 == (symbols[place], symbols[place + 1]) }) else {
                        continue
                    }
                    if rank < best?.rank ?? .max { best = (rank, place) }
                }
                guard let best else { break }
                symbols[best.place] += symbols.remove(at: best.place + 1)
            }
            let tokens = tokenizer.encode(word.joined(), addSpecial: false, parseSpecial: false)
            #expect(texts(tokenizer, tokens) == symbols)
        }
    }

    @Test(arguments: 0..<20)
    func sentencePieceMergingEqualsTheDefinition(_ seed: UInt64) throws {
        var numbers = SeededNumbers(state: seed)
        var pieces = ["▁", "a", "b", "é"]
        while pieces.count < 60 {
            let piece = (pieces.randomElement(using: &numbers) ?? "") + (pieces.randomElement(using: &numbers) ?? "")
            if piece.count < 10, !pieces.contains(piece) { pieces.append(piece) }
        }
        pieces.shuffle(using: &numbers)
        let tokenizer = try Tokenizer(SyntheticVocabulary.sentencePiece(pieces))
        for length in [1, 2, 7, 50, 300] {
            let text = (0..<length).map { _ in [" ", "a", "b", "é"].randomElement(using: &numbers) ?? "a" }
            var symbols = ["▁"] + text.map { $0 == " " ? "▁" : $0 }
            while true {
                var best: (rank: Int, place: Int)?
                for place in symbols.indices.dropLast() {
                    guard let rank = pieces.firstIndex(of: symbols[place] + symbols[place + 1]) else { continue }
                    if rank < best?.rank ?? .max { best = (rank, place) }
                }
                guard let best else { break }
                symbols[best.place] += symbols.remove(at: best.place + 1)
            }
            let tokens = tokenizer.encode(text.joined(), addSpecial: true, parseSpecial: false)
            #expect(
                tokens.map { tokenizer.vocabulary.text($0) } == ["<s>"] + symbols.map { $0.replacing("▁", with: " ") })
            #expect(tokenizer.decode(tokens.dropFirst()) == text.joined())
        }
    }

    @Test func sentencePieceFallsBackToBytes() throws {
        let tokenizer = try Tokenizer(SyntheticVocabulary.sentencePiece(["▁", "a"]))
        let tokens = tokenizer.encode("a😀", addSpecial: false, parseSpecial: false)
        #expect(tokens.count == 6)
        #expect(tokens.dropFirst(2).allSatisfy { tokenizer.vocabulary.kind($0) == .byte })
        #expect(tokenizer.decode(tokens) == "a😀")
        #expect(tokenizer.encode(bytes: [0xFF], addSpecial: false, parseSpecial: false).last == TokenID(3 + 0xFF))
    }

    @Test func spacesFollowSpecialTokensOnlyWithThePrefix() throws {
        let special = [("<x>", 3)]
        var description = SyntheticVocabulary.sentencePiece(["▁", "a", "▁a"], special: special)
        let prefixed = try Tokenizer(description).encode("a<x>a", addSpecial: false, parseSpecial: true)
        description.addSpacePrefix = false
        let plain = try Tokenizer(description).encode("a<x>a", addSpecial: false, parseSpecial: true)
        let first = TokenID(3 + 256)
        #expect(prefixed == [first + 2, first + 3, first + 2])
        #expect(plain == [first + 1, first + 3, first + 1])
    }

    @Test func someModelsSwallowSpaceAfterSpecialTokens() throws {
        var description = SyntheticVocabulary.sentencePiece(["▁", "a"], special: [("<|user|>", 3)])
        description.addSpacePrefix = false
        description.modelName = "My Phi-3 mini"
        let tokenizer = try Tokenizer(description)
        #expect(
            texts(tokenizer, tokenizer.encode("<|user|> \n a", addSpecial: false, parseSpecial: true)) == [
                "<|user|>", "a",
            ])
        #expect(
            texts(tokenizer, tokenizer.encode("<s> a", addSpecial: false, parseSpecial: true)) == ["<s>", " ", "a"])
    }

    @Test func longInputsWithoutCutsStayFast() throws {
        // A quadratic algorithm would take minutes.
        let byteLevel = try Tokenizer(SyntheticVocabulary.byteLevel(Self.merges, special: Self.special))
        #expect(
            byteLevel.encode(String(repeating: "hello", count: 100_000), addSpecial: false, parseSpecial: true).count
                == 100_000)
        let specials = String(repeating: "<|im_end|>", count: 50_000)
        #expect(byteLevel.encode(specials, addSpecial: false, parseSpecial: true).count == 50_000)
        let pieces = try Tokenizer(SyntheticVocabulary.sentencePiece(["▁", "a", "aa", "aaaa"]))
        #expect(
            pieces.encode(String(repeating: "a", count: 200_000), addSpecial: false, parseSpecial: true).count == 50_001
        )
    }

    @Test func numbersThatAreNoTokensHaveNoText() throws {
        let tokenizer = try Tokenizer(SyntheticVocabulary.byteLevel(Self.merges))
        #expect(tokenizer.decode([-1, 1 << 30, .min, 65]) == "A")
        #expect(tokenizer.vocabulary.kind(-1) == .unused)
    }
}
