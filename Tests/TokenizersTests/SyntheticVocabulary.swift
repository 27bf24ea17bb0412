// SPDX-License-Identifier: Apache-2.0

import Tokenizers

/// Small vocabularies made for the tests.
enum SyntheticVocabulary {
    /// How the byte alphabet spells a byte.
    static let spelling: [String] = {
        var next: UInt32 = 0x100
        return (0..<256).map { byte in
            let isPlain = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
            defer { if !isPlain { next += 1 } }
            return String(Character(Unicode.Scalar(isPlain ? UInt32(byte) : next) ?? " "))
        }
    }()

    static func spelled(_ text: String) -> String { text.utf8.map { spelling[Int($0)] }.joined() }

    /// All bytes, the merges' results, then the special tokens.
    static func byteLevel(
        _ merges: [(String, String)], special: [(text: String, type: Int)] = [], pre: String = "gpt-2"
    ) -> TokenizerDescription {
        var tokens = spelling
        for merge in merges where !tokens.contains(spelled(merge.0 + merge.1)) {
            tokens.append(spelled(merge.0 + merge.1))
        }
        var description = TokenizerDescription(
            model: "gpt2", tokens: TokenTexts((tokens + special.map(\.text)).map { Array($0.utf8) })
        )
        description.types = tokens.map { _ in 1 } + special.map(\.type)
        description.merges = TokenTexts(merges.map { Array("\(spelled($0.0)) \(spelled($0.1))".utf8) })
        description.preTokenizer = pre
        if let end = special.firstIndex(where: { $0.text == "<|im_end|>" }) {
            description.roles = ["bos_token_id": tokens.count + end, "eos_token_id": tokens.count + end]
        }
        return description
    }

    /// `<unk>`, `<s>`, `</s>`, all byte tokens, then the pieces, best first.
    static func sentencePiece(_ pieces: [String], special: [(text: String, type: Int)] = []) -> TokenizerDescription {
        let bytes = (0..<256).map { "<0x" + ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) + ">" }
        let tokens = ["<unk>", "<s>", "</s>"] + bytes + pieces + special.map(\.text)
        var description = TokenizerDescription(model: "llama", tokens: TokenTexts(tokens.map { Array($0.utf8) }))
        description.types = [2, 3, 3] + bytes.map { _ in 6 } + pieces.map { _ in 1 } + special.map(\.type)
        description.scores =
            [Float](repeating: 0, count: 3 + bytes.count) + pieces.indices.map { -Float($0) }
            + special.map { _ in -1000 }
        return description
    }
}

/// A small generator with a seed, so that failures repeat.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
