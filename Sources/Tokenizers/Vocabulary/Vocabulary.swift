// SPDX-License-Identifier: Apache-2.0

/// The number of a token in a model's vocabulary.
public typealias TokenID = Int32

/// The tokens of a model: their final texts, kinds and roles.
///
/// A token's bytes are what it contributes to the text: the alphabet of byte-level vocabularies is undone, `▁` is a
/// space, byte tokens are one byte. Bytes of one token need not be whole UTF-8 characters.
///
///     let vocabulary = tokenizer.vocabulary
///     vocabulary.bytes(vocabulary.eos ?? 0)
public struct Vocabulary: Sendable {
    /// What a token is for.
    public enum Kind: UInt8, Sendable {
        /// Ordinary text.
        case normal = 1
        /// Stands for text that has no token.
        case unknown = 2
        /// Steers the model; its text is not output.
        case control = 3
        /// A piece of text that is found before everything else.
        case userDefined = 4
        /// Has no use.
        case unused = 5
        /// A single byte.
        case byte = 6
    }

    let texts: TokenTexts
    let kinds: [Kind]

    /// The token a sequence begins with.
    public let bos: TokenID?
    /// The token a sequence ends with.
    public let eos: TokenID?
    /// The token a turn ends with.
    public let eot: TokenID?
    /// The token for what cannot be encoded.
    public let unknown: TokenID?
    /// The token that fills up batches.
    public let padding: TokenID?
    /// The tokens after which generation is over.
    public let endOfGeneration: Set<TokenID>
    /// Whether an encoded sequence starts with ``bos``.
    public let addBOS: Bool
    /// Whether an encoded sequence ends with ``eos``.
    public let addEOS: Bool

    /// The number of tokens.
    public var count: Int { kinds.count }

    /// Whether the number belongs to a token.
    public func contains(_ token: TokenID) -> Bool { token >= 0 && Int(token) < count }

    /// The bytes a token stands for; empty for a number that is no token.
    public func bytes(_ token: TokenID) -> [UInt8] { contains(token) ? Array(texts[Int(token)]) : [] }

    /// The bytes a token stands for, in place.
    public func slice(_ token: TokenID) -> ArraySlice<UInt8> { contains(token) ? texts[Int(token)] : [] }

    /// The text a token stands for, with bytes that are not UTF-8 replaced.
    public func text(_ token: TokenID) -> String { String(decoding: slice(token), as: UTF8.self) }

    /// What a token is for; a number that is no token is unused.
    public func kind(_ token: TokenID) -> Kind { contains(token) ? kinds[Int(token)] : .unused }

    /// Whether generation is over after this token.
    public func endsGeneration(_ token: TokenID) -> Bool { endOfGeneration.contains(token) }

    /// For each token the bytes it adds to generated text, or nil where it must not occur in generated text.
    public var generatedTexts: [[UInt8]?] {
        (0..<count).map { index in
            switch kinds[index] {
            case .normal, .userDefined, .byte:
                let text = texts[index]
                return text.isEmpty || endOfGeneration.contains(TokenID(index)) ? nil : Array(text)
            case .unknown, .control, .unused: return nil
            }
        }
    }
}
