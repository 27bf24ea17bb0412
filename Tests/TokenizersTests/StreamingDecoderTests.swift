// SPDX-License-Identifier: Apache-2.0

import Testing
import Tokenizers

struct StreamingDecoderTests {
    private func vocabulary() throws -> Vocabulary {
        try Tokenizer(SyntheticVocabulary.byteLevel([], special: [("<|im_end|>", 3)])).vocabulary
    }

    /// Byte tokens are the vocabulary's first 256, in byte order.
    @Test(arguments: ["plain", "é", "日本語", "a😀b", "\u{10FFFF}", "naïve — “ok”"])
    func neverSplitsACharacter(_ text: String) throws {
        var decoder = StreamingDecoder(try vocabulary())
        var result = ""
        for byte in text.utf8 {
            let part = decoder.append(TokenID(byte))
            #expect(!part.unicodeScalars.contains("\u{FFFD}"))
            result += part
        }
        #expect(result == text && decoder.finish().isEmpty)
    }

    @Test(
        arguments: [
            ([0xC3, 0x41], "\u{FFFD}A"), ([0xFF], "\u{FFFD}"), ([0xE2, 0x82], "\u{FFFD}"),
            ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),
            ([0xF0, 0x9F, 0x98], "\u{FFFD}"), ([0x80, 0x61], "\u{FFFD}a"), ([0xF4, 0x90], "\u{FFFD}\u{FFFD}"),
        ] as [([Int], String)])
    func brokenBytesAreReplaced(_ bytes: [Int], _ text: String) throws {
        var decoder = StreamingDecoder(try vocabulary())
        var result = ""
        for byte in bytes { result += decoder.append(TokenID(byte)) }
        #expect(result + decoder.finish() == text)
        #expect(decoder.finish().isEmpty)
    }

    @Test func controlTokensAreSilentUnlessAskedFor() throws {
        let vocabulary = try vocabulary()
        let end = try #require(vocabulary.eos)
        var silent = StreamingDecoder(vocabulary)
        var loud = StreamingDecoder(vocabulary, skipsSpecial: false)
        #expect(silent.append(end).isEmpty)
        #expect(loud.append(end) == "<|im_end|>")
    }
}
