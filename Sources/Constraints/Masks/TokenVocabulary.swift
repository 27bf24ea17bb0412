// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A model's tokens as bytes, arranged for computing masks: built once per tokenizer and shared by all constraints.
///
///     let vocabulary = TokenVocabulary(tokens: [Array("{".utf8), Array("}".utf8), nil], endOfGeneration: [2])
///
/// Tokens of equal bytes are allowed together. Special tokens have no bytes here and are never allowed, except the ends
/// of generation, which are allowed exactly where the text is complete.
public final class TokenVocabulary: @unchecked Sendable {  // immutable after its initialiser
    /// The number of token ids, special ones included.
    public let count: Int
    /// A number that no other vocabulary of the process has.
    let number: UInt64
    private static let numbers = Atomic<UInt64>(0)
    /// The ids that end a generation, in increasing order.
    public let endOfGeneration: [Int]
    /// The bytes that are tokens of their own.
    package let singleBytes: ByteSet
    /// Whether there are tokens for characters of the planes 4 to 11; see ``SpellingProfile/allowsUnassignedPlanes``.
    public var spellsUnassignedPlanes: Bool { singleBytes.contains(0xF1) && singleBytes.contains(0xF2) }
    /// The number of bytes of the longest token.
    public var longestToken: Int { trie.maximumDepth }

    /// All tokens with bytes.
    let trie: TokenTrie
    /// The tokens that are string content and then a closing quote, with or without text after it.
    let closers: Closers
    /// By number of characters: the tokens of string content of at most that many, the last one possibly unfinished, as
    /// mask words.
    let contentSlices: UnsafeMutablePointer<UInt64>
    let wordCapacity: Int
    /// Content by the classes of its characters.
    let slices: ContentSlices
    /// The content tokens with escapes.
    let escaped: TokenTrie
    /// The content tokens longer than the last slice but one covers: id and number of scalars, shortest first.
    let longContent: [(token: UInt32, scalars: Int)]

    private let bytes: [UInt8]
    private let offsets: [Int]

    /// The slices reach up to this many scalars; one more holds all plain tokens.
    static let sliceLimit = 16

    /// Arranges a vocabulary.
    ///
    /// - Parameters:
    ///   - tokens: The text bytes of each token id; nil for special and unused ids. Empty tokens count as unused.
    ///   - endOfGeneration: The ids that end a generation; ids outside the vocabulary are left out.
    /// - Complexity: O(*n* log *n*) in the number of bytes.
    public init(tokens: [[UInt8]?], endOfGeneration: [Int]) {
        count = tokens.count
        number = Self.numbers.add(1, ordering: .relaxed).newValue
        let ends = Set(endOfGeneration.filter { $0 >= 0 && $0 < tokens.count })
        self.endOfGeneration = ends.sorted()
        var bytes: [UInt8] = []
        var offsets: [Int] = [0]
        offsets.reserveCapacity(tokens.count + 1)
        var ids: [UInt32] = []
        var closers: [Closers.Token] = []
        var content: [(token: UInt32, scalars: Int)] = []
        var classes: [(token: UInt32, classes: UInt64)] = []
        var singles = ByteSet()
        for (id, token) in tokens.enumerated() {
            if let token, !token.isEmpty, !ends.contains(id), token.count < Int(UInt16.max) {
                bytes.append(contentsOf: token)
                ids.append(UInt32(id))
                if token.count == 1 { singles.insert(token[0]) }
                switch TokenVocabulary.shape(of: token) {
                case .content(let scalars):
                    content.append((UInt32(id), scalars))
                    classes.append((UInt32(id), TokenVocabulary.classes(of: token)))
                case .closer(let scalars, let end): closers.append((UInt32(id), scalars, Array(token[end...])))
                case .other: break
                }
            }
            offsets.append(bytes.count)
        }
        self.bytes = bytes
        self.offsets = offsets
        singleBytes = singles
        trie = TokenTrie(ids: ids, bytes: bytes, offsets: offsets)
        self.closers = Closers(closers, bytes: bytes, offsets: offsets)
        escaped = TokenTrie(
            ids: classes.filter { $0.classes & ScalarClasses.backslash != 0 }.map(\.token), bytes: bytes, offsets: offsets)
        wordCapacity = max(1, (tokens.count + 63) / 64)
        slices = ContentSlices(classes, wordCapacity: wordCapacity)
        let sliceCount = TokenVocabulary.sliceLimit + 2
        contentSlices = .allocate(capacity: sliceCount * wordCapacity)
        contentSlices.initialize(repeating: 0, count: sliceCount * wordCapacity)
        for (token, scalars) in content {
            for slice in min(scalars, TokenVocabulary.sliceLimit + 1)..<sliceCount {
                contentSlices[slice * wordCapacity + Int(token >> 6)] |= 1 << UInt64(token & 63)
            }
        }
        longContent = content.filter { $0.scalars > TokenVocabulary.sliceLimit }.sorted { $0.scalars < $1.scalars }
    }

    deinit { contentSlices.deallocate() }

    /// The bytes of a token; empty for special tokens and ids outside the vocabulary.
    public func bytes(of token: Int) -> [UInt8] {
        guard token >= 0, token < count else { return [] }
        return Array(bytes[offsets[token]..<offsets[token + 1]])
    }

    /// Calls `body` with the bytes of a token.
    @inline(__always)
    package func withBytes<Result>(of token: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[offsets[token]..<offsets[token + 1]])) }
    }

    private enum Shape {
        /// Only string content; an unfinished last character is counted.
        case content(scalars: Int)
        /// String content, then a closing quote that ends before an index.
        case closer(scalars: Int, end: Int)
        case other
    }

    private static func shape(of token: [UInt8]) -> Shape {
        var lexer = StringLexer.boundary
        var scalars = 0
        for (index, byte) in token.enumerated() {
            switch lexer.read(byte) {
            case .invalid: return .other
            case .close: return .closer(scalars: scalars, end: index + 1)
            case .more(let next): lexer = next
            case .scalar:
                lexer = .boundary
                scalars += 1
            }
        }
        return .content(scalars: lexer.isBoundary ? scalars : scalars + 1)
    }

    /// Writes the content tokens of at most `scalars` characters over all of `words`; returns words that have most of
    /// them, and whether they have all.
    func writeContent(
        scalars: Int, to words: UnsafeMutablePointer<UInt64>
    ) -> (base: UnsafePointer<UInt64>, isComplete: Bool) {
        var slice = TokenVocabulary.sliceLimit + 1
        var isBetween = false
        if scalars <= TokenVocabulary.sliceLimit {
            slice = max(0, scalars)
        } else if let longest = longContent.last, scalars < longest.scalars {
            slice = TokenVocabulary.sliceLimit
            isBetween = true
        }
        let from = contentSlices + slice * wordCapacity
        words.update(from: from, count: wordCapacity)
        if isBetween {
            for (token, length) in longContent {
                if length > scalars { break }
                words[Int(token >> 6)] |= 1 << UInt64(token & 63)
            }
        }
        return (UnsafePointer(from), !isBetween)
    }
}
