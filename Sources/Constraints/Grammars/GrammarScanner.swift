// SPDX-License-Identifier: Apache-2.0

import Documents

/// A cursor over the source of a grammar that collects what is wrong with it.
struct GrammarScanner {
    /// Thrown after a problem was noted; the reader goes on behind the rule.
    struct Failure: Error {}

    /// Problems beyond this many are not told.
    static let problemLimit = 50

    let source: SourceText
    let bytes: [UInt8]
    var position = 0
    var depth = 0
    let limits: GrammarLimits
    private(set) var problems: [Diagnostic] = []

    init(_ bytes: [UInt8], file: String?, limits: GrammarLimits) throws(DiagnosticsError) {
        source = SourceText(file: file, bytes: bytes)
        self.bytes = bytes
        self.limits = limits
        if bytes.count > limits.maximumSource {
            throw DiagnosticsError([
                Diagnostic(
                    "grammar.too-complex",
                    "the grammar has \(bytes.count) bytes, more than the limit of \(limits.maximumSource)")
            ])
        }
        if String(validating: bytes, as: UTF8.self) == nil {
            throw DiagnosticsError([Diagnostic("grammar.syntax", "the grammar is not UTF-8 text")])
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    func peek(_ distance: Int) -> UInt8? {
        let index = position + distance
        return index < bytes.count ? bytes[index] : nil
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    mutating func take(_ text: StaticString) -> Bool {
        let matches = text.withUTF8Buffer { text in
            position + text.count <= bytes.count && bytes[position..<(position + text.count)].elementsEqual(text)
        }
        if matches { position += text.utf8CodeUnitCount }
        return matches
    }

    /// The scalar at the cursor, which is moved behind it. The source is well-formed.
    mutating func takeScalar() -> UInt32? {
        guard let first = current else { return nil }
        var decoder = ScalarDecoder()
        position += 1
        var outcome = decoder.feed(first)
        while case .incomplete = outcome, let next = current {
            position += 1
            outcome = decoder.feed(next)
        }
        if case .scalar(let value) = outcome { return value }
        return nil
    }

    /// The text from a place to the cursor.
    func text(from start: Int) -> String {
        start < position ? String(decoding: bytes[start..<position], as: UTF8.self) : ""
    }

    func range(_ start: Int, _ end: Int? = nil) -> SourceRange {
        source.range(start..<max(start, end ?? position))
    }

    // MARK: Problems

    mutating func report(
        _ id: DiagnosticID, _ message: String, from start: Int, to end: Int? = nil, notes: [Diagnostic] = [],
        help: String? = nil
    ) {
        guard problems.count < Self.problemLimit else { return }
        // At least one character is shown.
        let last = end ?? min(bytes.count, max(position, start + 1))
        problems.append(Diagnostic(id, message, range: range(start, last), notes: notes, help: help))
    }

    mutating func fail(_ message: String, at start: Int? = nil, help: String? = nil) -> Failure {
        report("grammar.syntax", message, from: start ?? position, help: help)
        return Failure()
    }

    mutating func refuse(_ feature: String, _ message: String, from start: Int, help: String? = nil) -> Failure {
        report(DiagnosticID("grammar.unsupported-" + feature), message, from: start, help: help)
        return Failure()
    }

    /// The character at the cursor as it is shown in a message.
    var shown: String {
        var copy = self
        let start = position
        guard copy.takeScalar() != nil else { return "the end of the grammar" }
        switch bytes[start] {
        case 0x0A, 0x0D: return "the end of the line"
        default: return "'\(copy.text(from: start))'"
        }
    }

    mutating func enter(_ start: Int) throws(Failure) {
        depth += 1
        guard depth <= limits.maximumDepth else {
            report(
                "grammar.too-complex", "groups are nested more than \(limits.maximumDepth) deep", from: start,
                to: start + 1)
            throw Failure()
        }
    }

    mutating func leave() { depth -= 1 }

    // MARK: Numbers

    static func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }

    /// A decimal number, saturating far beyond any limit.
    mutating func takeNumber() -> Int? {
        var value: Int?
        while let byte = current, Self.isDigit(byte) {
            value = min((value ?? 0) * 10 + Int(byte - 0x30), 1 << 40)
            position += 1
        }
        return value
    }

    /// Exactly `count` hexadecimal digits.
    mutating func takeHex(_ count: Int) -> UInt32? {
        var value: UInt64 = 0
        for distance in 0..<count {
            switch peek(distance) {
            case .some(let byte) where (0x30...0x39).contains(byte): value = value << 4 | UInt64(byte - 0x30)
            case .some(let byte) where (0x61...0x66).contains(byte): value = value << 4 | UInt64(byte - 0x57)
            case .some(let byte) where (0x41...0x46).contains(byte): value = value << 4 | UInt64(byte - 0x37)
            default: return nil
            }
        }
        position += count
        return UInt32(truncatingIfNeeded: value)
    }

    /// Checks the bounds of a repetition.
    mutating func checkBounds(_ least: Int, _ most: Int?, from start: Int) throws(Failure) {
        if let most, most < least { throw fail("the bounds of the repetition are out of order", at: start) }
        let largest = max(least, most ?? 0)
        if largest > limits.maximumRepetition {
            report(
                "grammar.too-complex",
                "\(largest) repetitions are more than the limit of \(limits.maximumRepetition)", from: start)
            throw Failure()
        }
    }
}

extension String {
    /// The UTF-8 spelling of a scalar value.
    static func utf8(_ value: UInt32) -> [UInt8]? {
        Unicode.Scalar(value).map { Array(String($0).utf8) }
    }
}
