// SPDX-License-Identifier: Apache-2.0

/// Something wrong with compressed data.
public struct CompressionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public var message: String
    public var description: String { message }
}

/// Decompresses gzip (RFC 1952), piece by piece, in constant memory.
///
/// Members one after the other are one text. Lengths and checksums are checked.
///
///     var reader = GzipReader { file.read() }
///     while true { let piece = try reader.next(); if piece.isEmpty { break } }
public struct GzipReader {
    private enum State {
        case header, block
        case stored(Int)
        case compressed, trailer, done
    }

    /// Gives the next compressed bytes; none at the end.
    private let more: () throws -> [UInt8]
    private var input: [UInt8] = []
    private var at = 0
    private var isAtEnd = false
    private var bits: UInt64 = 0
    private var bitCount = 0
    /// Zeros that stand for bits behind the end, so that the last code can be looked up.
    private var padding = 0
    private var state = State.header
    private var isFirstMember = true
    private var isLastBlock = false
    private var literals = HuffmanTable()
    private var distances = HuffmanTable()
    /// What was decompressed: what later parts may refer to, then what was not handed out.
    private var output: [UInt8] = []
    private var handedOut = 0
    /// Where the current member begins in it, and what the checksum has seen.
    private var memberStart = 0
    private var summed = 0
    private var checksum: UInt32 = 0
    private var length: UInt32 = 0

    private static let window = 1 << 15
    private static let piece = 1 << 17

    /// Reads compressed bytes as they are asked for.
    public init(_ more: @escaping () throws -> [UInt8]) { self.more = more }

    /// Whether bytes begin like gzip.
    public static func isGzip(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

    /// Decompresses all of it, up to a limit.
    public static func decompress(_ bytes: [UInt8], limit: Int) throws -> [UInt8] {
        var rest: [UInt8]? = bytes
        var reader = GzipReader {
            defer { rest = nil }
            return rest ?? []
        }
        var result: [UInt8] = []
        while true {
            let piece = try reader.next()
            if piece.isEmpty { return result }
            guard result.count + piece.count <= limit else {
                throw CompressionError(message: "decompressed it has more than \(limit) bytes")
            }
            result += piece
        }
    }

    /// The next decompressed bytes; none at the end.
    ///
    /// - Throws: ``CompressionError``, and what the source throws.
    public mutating func next() throws -> [UInt8] {
        while output.count - handedOut < Self.piece {
            switch state {
            case .header: try readHeader()
            case .block: try readBlock()
            case .stored(let count): try copyStored(count)
            case .compressed: try decode()
            case .trailer: try readTrailer()
            case .done: return handOut()
            }
        }
        return handOut()
    }

    private mutating func handOut() -> [UInt8] {
        sumUp()
        let result = Array(output[handedOut...])
        let surplus = max(0, output.count - Self.window)
        output.removeFirst(surplus)
        memberStart = max(0, memberStart - surplus)
        summed = output.count
        handedOut = output.count
        return result
    }

    /// Adds what was decompressed since the last time to checksum and length.
    private mutating func sumUp() {
        var sum = ~checksum
        for byte in output[summed...] { sum = Self.table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ (sum >> 8) }
        checksum = ~sum
        length &+= UInt32(truncatingIfNeeded: output.count - summed)
        summed = output.count
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }

    // MARK: Bits

    private mutating func nextByte() throws -> UInt8? {
        if at >= input.count {
            if isAtEnd { return nil }
            input = try more()
            at = 0
            if input.isEmpty {
                isAtEnd = true
                return nil
            }
        }
        defer { at += 1 }
        return input[at]
    }

    @inline(__always)
    private mutating func fill(_ count: Int) throws {
        while bitCount < count {
            if let byte = try nextByte() {
                bits |= UInt64(byte) << UInt64(bitCount)
            } else {
                padding += 8
            }
            bitCount += 8
        }
    }

    @inline(__always)
    private mutating func drop(_ count: Int) throws {
        bits >>= UInt64(count)
        bitCount -= count
        if bitCount < padding { throw truncated }
    }

    private mutating func take(_ count: Int) throws -> Int {
        if count == 0 { return 0 }
        try fill(count)
        let result = Int(bits & ((1 << UInt64(count)) - 1))
        try drop(count)
        return result
    }

    private var truncated: CompressionError { CompressionError(message: "the compressed data ends too early") }
    private var broken: CompressionError { CompressionError(message: "the compressed data is damaged") }

    // MARK: Members

    private mutating func readHeader() throws {
        try drop(bitCount & 7)
        if !isFirstMember {
            // Another member, or zeros at the end of a file.
            try fill(8)
            while bitCount > padding, bits & 0xFF == 0 {
                try drop(8)
                try fill(8)
            }
            if bitCount <= padding {
                state = .done
                return
            }
        }
        guard try take(8) == 0x1F, try take(8) == 0x8B, try take(8) == 8 else {
            throw CompressionError(
                message: isFirstMember ? "the data is not gzip" : "there is something behind the compressed data")
        }
        isFirstMember = false
        let flags = try take(8)
        guard flags & 0xE0 == 0 else { throw broken }
        for _ in 0..<6 { _ = try take(8) }
        if flags & 4 != 0 {
            let count = try take(16)
            for _ in 0..<count { _ = try take(8) }
        }
        if flags & 8 != 0 { while try take(8) != 0 {} }
        if flags & 16 != 0 { while try take(8) != 0 {} }
        if flags & 2 != 0 { _ = try take(16) }
        checksum = 0
        length = 0
        memberStart = output.count
        state = .block
    }

    private mutating func readTrailer() throws {
        try drop(bitCount & 7)
        sumUp()
        let sum = UInt32(try take(16)) | UInt32(try take(16)) << 16
        let size = UInt32(try take(16)) | UInt32(try take(16)) << 16
        guard sum == checksum, size == length else {
            throw CompressionError(message: "the checksum of the compressed data is wrong")
        }
        state = .header
    }

    // MARK: Blocks

    private mutating func readBlock() throws {
        if isLastBlock {
            isLastBlock = false
            state = .trailer
            return
        }
        isLastBlock = try take(1) == 1
        switch try take(2) {
        case 0:
            try drop(bitCount & 7)
            let count = try take(16)
            guard try take(16) == count ^ 0xFFFF else { throw broken }
            state = .stored(count)
        case 1:
            let lengths = (0..<288).map { UInt8($0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8) }
            guard let literals = HuffmanTable(lengths), let distances = HuffmanTable([UInt8](repeating: 5, count: 32))
            else {
                throw broken
            }
            (self.literals, self.distances) = (literals, distances)
            state = .compressed
        case 2: try readTables()
        default: throw broken
        }
    }

    private mutating func copyStored(_ count: Int) throws {
        let part = min(count, Self.piece)
        for _ in 0..<part { output.append(UInt8(truncatingIfNeeded: try take(8))) }
        state = count > part ? .stored(count - part) : .block
    }

    private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

    private mutating func readTables() throws {
        let literalCount = try take(5) + 257
        let distanceCount = try take(5) + 1
        let codeCount = try take(4) + 4
        guard literalCount <= 286, distanceCount <= 30 else { throw broken }
        var codes = [UInt8](repeating: 0, count: 19)
        for index in 0..<codeCount { codes[Self.order[index]] = UInt8(try take(3)) }
        guard let table = HuffmanTable(codes) else { throw broken }
        var lengths: [UInt8] = []
        while lengths.count < literalCount + distanceCount {
            let symbol = try self.symbol(table)
            switch symbol {
            case 0..<16: lengths.append(UInt8(symbol))
            case 16:
                guard let last = lengths.last else { throw broken }
                lengths += [UInt8](repeating: last, count: 3 + (try take(2)))
            case 17: lengths += [UInt8](repeating: 0, count: 3 + (try take(3)))
            default: lengths += [UInt8](repeating: 0, count: 11 + (try take(7)))
            }
        }
        guard lengths.count == literalCount + distanceCount, lengths[256] > 0,
            let literals = HuffmanTable(Array(lengths[..<literalCount])),
            let distances = HuffmanTable(Array(lengths[literalCount...]), mayBeIncomplete: true)
        else { throw broken }
        (self.literals, self.distances) = (literals, distances)
        state = .compressed
    }

    @inline(__always)
    private mutating func symbol(_ table: HuffmanTable) throws -> Int {
        try fill(table.width)
        let entry = table.entries[Int(bits & ((1 << UInt64(table.width)) - 1))]
        guard entry != 0 else { throw broken }
        try drop(Int(entry & 15))
        return Int(entry >> 4)
    }

    private static let lengthBases = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    private static let lengthBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBases = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
        6145, 8193,
        12289, 16385, 24577,
    ]

    private mutating func decode() throws {
        let limit = handedOut + Self.piece
        while output.count < limit {
            let symbol = try symbol(literals)
            if symbol < 256 {
                output.append(UInt8(truncatingIfNeeded: symbol))
                continue
            }
            if symbol == 256 {
                state = .block
                return
            }
            guard symbol < 286 else { throw broken }
            let count = Self.lengthBases[symbol - 257] + (try take(Self.lengthBits[symbol - 257]))
            let code = try self.symbol(distances)
            guard code < 30 else { throw broken }
            let distance = Self.distanceBases[code] + (try take(code < 4 ? 0 : (code - 2) / 2))
            guard distance <= output.count - memberStart else { throw broken }
            var source = output.count - distance
            for _ in 0..<count {
                output.append(output[source])
                source += 1
            }
        }
    }
}

/// The codes of an alphabet, looked up by the bits to come.
struct HuffmanTable {
    /// By the next ``width`` bits: symbol × 16 + length of its code; 0 where no code begins like this.
    private(set) var entries: [UInt16] = [0, 0]
    private(set) var width = 1

    init() {}

    /// The table of the code lengths of all symbols; nil where they make no code.
    init?(_ lengths: [UInt8], mayBeIncomplete: Bool = false) {
        var counts = [Int](repeating: 0, count: 16)
        for length in lengths { counts[Int(length & 15)] += 1 }
        counts[0] = 0
        guard let longest = counts.lastIndex(where: { $0 > 0 }) else {
            if mayBeIncomplete { return }
            return nil
        }
        var left = 1
        var next = [Int](repeating: 0, count: 16)
        var code = 0
        for length in 1...15 {
            left = left * 2 - counts[length]
            if left < 0 { return nil }
            code = (code + (length > 1 ? counts[length - 1] : 0)) << 1
            next[length] = code
        }
        // One code alone may stay incomplete.
        if left > 0, !mayBeIncomplete, counts.reduce(0, +) != 1 { return nil }
        width = longest
        entries = [UInt16](repeating: 0, count: 1 << longest)
        for (symbol, length) in lengths.enumerated() where length > 0 {
            let own = Int(length)
            var reversed = 0
            for bit in 0..<own where next[own] >> bit & 1 == 1 { reversed |= 1 << (own - 1 - bit) }
            next[own] += 1
            var index = reversed
            while index < entries.count {
                entries[index] = UInt16(symbol << 4 | own)
                index += 1 << own
            }
        }
    }
}
