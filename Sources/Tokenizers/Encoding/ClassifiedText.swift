// SPDX-License-Identifier: Apache-2.0

/// The characters of a text with the classes that pre-tokenizers ask for.
struct ClassifiedText {
    struct Kind: OptionSet {
        var rawValue: UInt8
        static let letter = Kind(rawValue: 1)
        static let number = Kind(rawValue: 2)
        static let space = Kind(rawValue: 4)
        static let punctuation = Kind(rawValue: 8)
    }

    private let bytes: [UInt8]
    private(set) var kinds: [Kind] = []
    /// Where each character begins, and the end of the text.
    private var offsets: [Int] = []

    var count: Int { kinds.count }

    /// Classifies a text whose bytes are decodable (``TextRepair``).
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        kinds.reserveCapacity(bytes.count)
        offsets.reserveCapacity(bytes.count + 1)
        let table = Self.asciiKinds
        var index = 0
        // Scripts come in runs of the same characters: a small cache spares most property lookups.
        var cachedScalars = [UInt32](repeating: 0, count: 64)
        var cachedKinds = [Kind](repeating: [], count: 64)
        while index < bytes.count {
            let first = bytes[index]
            offsets.append(index)
            if first < 0x80 {
                kinds.append(table[Int(first)])
                index += 1
                continue
            }
            let length = min(first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4, bytes.count - index)
            var scalar = UInt32(first) & (0xFF >> UInt32(length + 1))
            for offset in 1..<max(length, 1) { scalar = scalar << 6 | UInt32(bytes[index + offset] & 0x3F) }
            let slot = Int(scalar & 63)
            if cachedScalars[slot] != scalar {
                cachedScalars[slot] = scalar
                cachedKinds[slot] = Self.kind(of: scalar)
            }
            kinds.append(cachedKinds[slot])
            index += length
        }
        offsets.append(bytes.count)
    }

    private static let asciiKinds: [Kind] = (0..<128).map { kind(of: $0) }

    private static func kind(of value: UInt32) -> Kind {
        guard let scalar = Unicode.Scalar(value) else { return [] }
        switch value {
        case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
            return .space
        default: break
        }
        // The reference tables are those of Unicode 15; later characters count as unassigned, so that the same text has
        // the same tokens whatever the standard library knows.
        let properties = scalar.properties
        if value >= 0x80, let age = properties.age, age.major > 15 { return [] }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return .letter
        case .decimalNumber, .letterNumber, .otherNumber: return .number
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return .punctuation
        default: return []
        }
    }

    @inline(__always) func kind(_ index: Int) -> Kind { kinds[index] }
    @inline(__always) func has(_ index: Int, _ kind: Kind) -> Bool { kinds[index].contains(kind) }
    /// The first byte of a character.
    @inline(__always) func byte(_ index: Int) -> UInt8 { bytes[offsets[index]] }
    @inline(__always) func offset(_ index: Int) -> Int { offsets[index] }
    func end(_ range: Range<Int>) -> Int { offsets[range.upperBound] }

    /// Neither letter, number nor blank.
    @inline(__always)
    func isOther(_ index: Int) -> Bool { kinds[index].isDisjoint(with: [.letter, .number, .space]) }

    func isASCIIDigit(_ index: Int) -> Bool { byte(index) >= 0x30 && byte(index) <= 0x39 }

    /// Punctuation, and the symbols that are cut off like it.
    func isPunctuation(_ index: Int) -> Bool {
        switch byte(index) {
        case 0x24, 0x2B, 0x3C, 0x3D, 0x3E, 0x5E, 0x7E, 0x7C: true
        default: has(index, .punctuation)
        }
    }

    @inline(__always)
    func skip(_ start: Int, _ end: Int, _ kind: Kind) -> Int {
        var index = start
        while index < end, kinds[index].contains(kind) { index += 1 }
        return index
    }

    @inline(__always)
    func skipOther(_ start: Int, _ end: Int) -> Int {
        var index = start
        while index < end, isOther(index) { index += 1 }
        return index
    }

    /// The character at a byte offset, searched from a character on.
    func index(ofByte offset: Int, from start: Int) -> Int {
        var index = start
        while offsets[index] < offset { index += 1 }
        return index
    }
}
