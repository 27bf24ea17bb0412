// SPDX-License-Identifier: Apache-2.0

/// Turns tokens into text one by one, never handing out half a character.
///
///     var decoder = StreamingDecoder(tokenizer.vocabulary)
///     for token in generated { print(decoder.append(token), terminator: "") }
///     print(decoder.finish())
public struct StreamingDecoder: Sendable {
    private let vocabulary: Vocabulary
    private let skipsSpecial: Bool
    private var pending: [UInt8] = []

    /// - Parameter skipsSpecial: Whether control tokens add nothing to the text.
    public init(_ vocabulary: Vocabulary, skipsSpecial: Bool = true) {
        self.vocabulary = vocabulary
        self.skipsSpecial = skipsSpecial
    }

    /// The text that is complete with this token; empty while a character is unfinished.
    public mutating func append(_ token: TokenID) -> String {
        if skipsSpecial {
            switch vocabulary.kind(token) {
            case .control, .unknown, .unused: return ""
            case .normal, .userDefined, .byte: break
            }
        }
        return append(bytes: vocabulary.slice(token))
    }

    /// The text that is complete with these bytes.
    public mutating func append(bytes: some Sequence<UInt8>) -> String {
        pending.append(contentsOf: bytes)
        let complete = pending.count - Self.unfinishedSuffix(of: pending)
        guard complete > 0 else { return "" }
        let text = String(decoding: pending[..<complete], as: UTF8.self)
        pending.removeFirst(complete)
        return text
    }

    /// The rest: a replacement character if the last character stayed unfinished.
    public mutating func finish() -> String {
        defer { pending.removeAll() }
        return String(decoding: pending, as: UTF8.self)
    }

    /// How many bytes at the end begin a character that the next byte could continue.
    private static func unfinishedSuffix(of bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let first = bytes[bytes.count - length]
            if first & 0xC0 == 0x80 { continue }
            let wanted = first >= 0xF0 && first <= 0xF4 ? 4 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xC2 ? 2 : 1
            guard wanted > length, first < 0xF5 else { return 0 }
            guard length > 1 else { return 1 }
            // The second byte of some characters has a narrower range; outside it the sequence is broken already.
            let second = bytes[bytes.count - length + 1]
            let isBroken =
                switch first {
                case 0xE0: second < 0xA0
                case 0xED: second > 0x9F
                case 0xF0: second < 0x90
                case 0xF4: second > 0x8F
                default: false
                }
            return isBroken ? 0 : length
        }
        return 0
    }
}
