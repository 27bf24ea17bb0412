// SPDX-License-Identifier: Apache-2.0

/// One bit per vocabulary token, set where the constraint allows the token next.
///
/// Bits are stored in 32-bit words, least significant bit first, in token id order, so that a dump can be compared word
/// for word with other engines. Bits at or above ``tokenCount`` are always zero.
///
///     var mask = TokenMask(tokenCount: vocabulary.count)
///     engine.fillMask(configuration, into: &mask)
///     guard mask.contains(next) else { ... }
///
/// A mask owns its storage and cannot be copied implicitly: a decode loop reuses one mask for the whole generation. To
/// keep a mask, call ``clone()``.
///
/// - Invariant: `wordCount == (tokenCount + 31) / 32`.
public struct TokenMask: ~Copyable {
    /// The number of tokens the mask speaks about.
    public let tokenCount: Int
    /// 64-bit words, least significant bit first: on a little-endian machine the same bytes as the 32-bit words of the
    /// dump.
    @usableFromInline let storage: UnsafeMutablePointer<UInt64>
    @usableFromInline let capacity: Int

    /// An empty mask.
    public init(tokenCount: Int) {
        precondition(tokenCount >= 0, "TokenMask needs a token count of at least zero")
        self.tokenCount = tokenCount
        capacity = max(1, (tokenCount + 63) / 64)
        storage = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity)
        storage.initialize(repeating: 0, count: capacity)
    }

    deinit { storage.deallocate() }

    /// The number of 32-bit words.
    @inlinable
    public var wordCount: Int { (tokenCount + 31) / 32 }

    /// Whether `token` is allowed; false for ids outside the vocabulary.
    @inlinable
    public func contains(_ token: Int) -> Bool {
        guard token >= 0, token < tokenCount else { return false }
        return storage[token >> 6] & (1 << UInt64(token & 63)) != 0
    }

    /// Allows `token`.
    @inlinable
    public mutating func insert(_ token: Int) {
        precondition(token >= 0 && token < tokenCount, "TokenMask index out of range")
        storage[token >> 6] |= 1 << UInt64(token & 63)
    }

    /// Forbids `token`.
    @inlinable
    public mutating func remove(_ token: Int) {
        precondition(token >= 0 && token < tokenCount, "TokenMask index out of range")
        storage[token >> 6] &= ~(1 << UInt64(token & 63))
    }

    /// Forbids every token.
    public mutating func removeAll() { storage.update(repeating: 0, count: capacity) }

    /// The number of allowed tokens.
    public var count: Int {
        var total = 0
        for index in 0..<capacity { total += storage[index].nonzeroBitCount }
        return total
    }

    /// Whether no token is allowed.
    public var isEmpty: Bool { first == nil }

    /// The smallest allowed token id.
    public var first: Int? {
        for index in 0..<capacity where storage[index] != 0 {
            return index * 64 + storage[index].trailingZeroBitCount
        }
        return nil
    }

    /// The only allowed token, where there is exactly one.
    public var single: Int? {
        guard let first else { return nil }
        let index = first >> 6
        guard storage[index] & (storage[index] &- 1) == 0 else { return nil }
        for later in (index + 1)..<capacity where storage[later] != 0 { return nil }
        return first
    }

    /// Calls `body` with each allowed token id in increasing order.
    @inlinable
    public func forEach(_ body: (Int) -> Void) {
        for index in 0..<capacity {
            var word = storage[index]
            while word != 0 {
                body(index << 6 | word.trailingZeroBitCount)
                word &= word &- 1
            }
        }
    }

    /// The allowed token ids in increasing order.
    public var indices: [Int] {
        var result: [Int] = []
        forEach { result.append($0) }
        return result
    }

    /// Calls `body` with the ``wordCount`` words.
    @inlinable
    public func withWords<Result>(_ body: (UnsafeBufferPointer<UInt32>) throws -> Result) rethrows -> Result {
        try storage.withMemoryRebound(to: UInt32.self, capacity: capacity * 2) {
            try body(UnsafeBufferPointer(start: $0, count: wordCount))
        }
    }

    /// A mask of its own with the same bits.
    public func clone() -> TokenMask {
        let copy = TokenMask(tokenCount: tokenCount)
        copy.storage.update(from: storage, count: capacity)
        return copy
    }

    /// Whether both masks allow the same tokens of vocabularies of the same size.
    public func isEqual(to other: borrowing TokenMask) -> Bool {
        guard tokenCount == other.tokenCount else { return false }
        for index in 0..<capacity where storage[index] != other.storage[index] { return false }
        return true
    }
}
