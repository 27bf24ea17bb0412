// SPDX-License-Identifier: Apache-2.0

/// A model's tokens as bytes, arranged for computing masks: built once per tokenizer and shared by all constraints.
///
///     let vocabulary = TokenVocabulary(tokens: [Array("{".utf8), Array("}".utf8), nil], endOfGeneration: [2])
///
/// Tokens of equal bytes are allowed together. Special tokens have no bytes here and are never allowed, except the ends of generation, which
/// are allowed exactly where the text is complete.
public final class TokenVocabulary: @unchecked Sendable {  // immutable after its initialiser
    /// The number of token ids, special ones included.
    public let count: Int
    /// The ids that end a generation, in increasing order.
    public let endOfGeneration: [Int]
    /// The bytes that are tokens of their own.
    package let singleBytes: ByteSet
    /// The number of bytes of the longest token.
    public var longestToken: Int { trie.maximumDepth }

    /// All tokens with bytes.
    let trie: TokenTrie
    /// The tokens whose first character that a JSON string does not hold as it is, is a quote or a backslash.
    let breakTrie: TokenTrie
    /// By number of scalars: the tokens of at most that many plain characters, the last one possibly unfinished, as mask words.
    let plainSlices: UnsafeMutablePointer<UInt64>
    let wordCapacity: Int
    /// The plain tokens longer than the last slice but one covers: id and number of scalars, shortest first.
    let longPlain: [(token: UInt32, scalars: Int)]

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
        let ends = Set(endOfGeneration.filter { $0 >= 0 && $0 < tokens.count })
        self.endOfGeneration = ends.sorted()
        var bytes: [UInt8] = []
        var offsets: [Int] = [0]
        offsets.reserveCapacity(tokens.count + 1)
        var ids: [UInt32] = []
        var breakers: [UInt32] = []
        var plain: [(token: UInt32, scalars: Int)] = []
        var singles = ByteSet()
        for (id, token) in tokens.enumerated() {
            if let token, !token.isEmpty, !ends.contains(id), token.count < Int(UInt16.max) {
                bytes.append(contentsOf: token)
                ids.append(UInt32(id))
                if token.count == 1 { singles.insert(token[0]) }
                switch TokenVocabulary.shape(of: token) {
                case .plain(let scalars): plain.append((UInt32(id), scalars))
                case .broken: breakers.append(UInt32(id))
                case .other: break
                }
            }
            offsets.append(bytes.count)
        }
        self.bytes = bytes
        self.offsets = offsets
        singleBytes = singles
        trie = TokenTrie(ids: ids, bytes: bytes, offsets: offsets)
        breakTrie = TokenTrie(ids: breakers, bytes: bytes, offsets: offsets)
        wordCapacity = max(1, (tokens.count + 63) / 64)
        let sliceCount = TokenVocabulary.sliceLimit + 2
        plainSlices = .allocate(capacity: sliceCount * wordCapacity)
        plainSlices.initialize(repeating: 0, count: sliceCount * wordCapacity)
        for (token, scalars) in plain {
            for slice in min(scalars, TokenVocabulary.sliceLimit + 1)..<sliceCount {
                plainSlices[slice * wordCapacity + Int(token >> 6)] |= 1 << UInt64(token & 63)
            }
        }
        longPlain = plain.filter { $0.scalars > TokenVocabulary.sliceLimit }.sorted { $0.scalars < $1.scalars }
    }

    deinit { plainSlices.deallocate() }

    /// The bytes of a token; empty for special tokens and ids outside the vocabulary.
    public func bytes(of token: Int) -> [UInt8] {
        guard token >= 0, token < count else { return [] }
        return Array(bytes[offsets[token]..<offsets[token + 1]])
    }

    /// Calls `body` with the bytes of a token.
    @inline(__always)
    func withBytes<Result>(of token: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[offsets[token]..<offsets[token + 1]])) }
    }

    private enum Shape {
        /// Only plain characters; an unfinished last one is counted.
        case plain(scalars: Int)
        /// Plain characters, then a quote or a backslash.
        case broken
        case other
    }

    private static func shape(of token: [UInt8]) -> Shape {
        var decoder = ScalarDecoder()
        var scalars = 0
        for byte in token {
            switch decoder.feed(byte) {
            case .malformed: return .other
            case .incomplete: break
            case .scalar(let scalar):
                if scalar == 0x22 || scalar == 0x5C { return .broken }
                if scalar < 0x20 { return .other }
                scalars += 1
            }
        }
        return .plain(scalars: decoder.isAtBoundary ? scalars : scalars + 1)
    }

    /// Adds the plain tokens of at most `scalars` scalars to mask words.
    func addPlain(scalars: Int, to words: UnsafeMutablePointer<UInt64>) {
        let slice: Int
        if scalars <= TokenVocabulary.sliceLimit {
            slice = max(0, scalars)
        } else if let longest = longPlain.last, scalars < longest.scalars {
            slice = TokenVocabulary.sliceLimit
            for (token, length) in longPlain {
                if length > scalars { break }
                words[Int(token >> 6)] |= 1 << UInt64(token & 63)
            }
        } else {
            slice = TokenVocabulary.sliceLimit + 1
        }
        let from = plainSlices + slice * wordCapacity
        for index in 0..<wordCapacity { words[index] |= from[index] }
    }
}
