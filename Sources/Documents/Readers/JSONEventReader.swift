// SPDX-License-Identifier: Apache-2.0

/// What happened to a value while its text came in.
public struct JSONEvent: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// The value's first byte came: its kind is known.
        case start(Node.Kind)
        /// More characters of a string.
        case delta(String)
        /// The value is complete; its members and elements had events of their own.
        case end(JSONValue)
    }

    /// Where the value is.
    public var pointer: JSONPointer
    public var kind: Kind

    public init(_ pointer: JSONPointer, _ kind: Kind) {
        self.pointer = pointer
        self.kind = kind
    }
}

/// Reads a JSON text as it arrives, piece by piece, and tells of each value as soon as something is known of it.
///
/// It is made for documents that are being generated. ``snapshot`` is at any moment a closed value of what came so far:
/// a string with the characters that it has, but no number, literal or member that is not complete.
///
///     var reader = JSONEventReader()
///     for event in try reader.read(bytes) { show(event) }
///     show(reader.snapshot)
///     for event in try reader.finish() { show(event) }
///
/// The grammar is RFC 8259's; one byte order mark at the beginning is passed over. Pieces may end anywhere, inside a character too. After an error the reader stays at fault.
public struct JSONEventReader: Sendable {
    private enum Container: Sendable {
        case object(JSONObject, key: String?)
        case array([JSONValue])
    }

    private enum State: Sendable {
        case value, firstElement, firstKey, key, colon, afterValue, done, failed
        case string(isKey: Bool)
        case number, literal
    }

    private enum Escape: Sendable {
        case none, begun
        case unicode(digits: Int, value: UInt32)
    }

    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let depthLimit: Int
    /// Bytes of a byte order mark at the beginning.
    private var markBytes = 0
    private var state = State.value
    private var containers: [Container] = []
    private var pointer = JSONPointer()
    private var offset = 0
    /// The text of the number or literal, or the UTF-8 of the string, at hand.
    private var text: [UInt8] = []
    /// Bytes of ``text`` that deltas have told of.
    private var told = 0
    private var escape = Escape.none
    /// A high surrogate that waits for its low one.
    private var highSurrogate: UInt32?
    private var root: JSONValue?
    private var events: [JSONEvent] = []

    /// Creates a reader.
    ///
    /// - Parameter depthLimit: The most containers inside each other.
    public init(depthLimit: Int = 512) { self.depthLimit = depthLimit }

    /// Reads a piece of the text.
    ///
    /// - Returns: What happened, in the order of the text. A string's characters come in one delta per piece.
    /// - Throws: ``JSONEventError`` where the text is not JSON.
    public mutating func read(_ bytes: some Sequence<UInt8>) throws(JSONEventError) -> [JSONEvent] {
        events.removeAll(keepingCapacity: true)
        for byte in bytes {
            do {
                try take(byte)
            } catch {
                state = .failed
                throw error
            }
            offset += 1
        }
        if case .string(isKey: false) = state { tell() }
        return events
    }

    /// Ends the text: a number at the top level is complete only now.
    ///
    /// - Throws: ``JSONEventError`` where the text is not complete.
    public mutating func finish() throws(JSONEventError) -> [JSONEvent] {
        events.removeAll(keepingCapacity: true)
        if case .number = state, containers.isEmpty { try endNumber() }
        guard case .done = state else { throw failure("the text ends inside a value") }
        return events
    }

    /// A closed value of what came so far; nil before the first value can be told.
    ///
    /// - Complexity: O(depth), and the size of the containers that are open.
    public var snapshot: JSONValue? {
        if let root { return root }
        var value: JSONValue?
        if case .string(isKey: false) = state { value = .string(String(decoding: text[..<told], as: UTF8.self)) }
        for container in containers.reversed() {
            switch container {
            case .object(var object, let key):
                if let key, let value { object[key] = value }
                value = .object(object)
            case .array(var elements):
                if let value { elements.append(value) }
                value = .array(elements)
            }
        }
        return value
    }

    // MARK: Bytes

    private func failure(_ problem: String) -> JSONEventError { JSONEventError(offset: offset, problem: problem) }

    private mutating func take(_ byte: UInt8) throws(JSONEventError) {
        if offset <= markBytes, markBytes < 3 {
            if byte == Self.mark[markBytes] {
                markBytes += 1
                return
            }
            guard markBytes == 0 else { throw failure("a value was expected") }
        }
        switch state {
        case .string(let isKey): return try takeInString(byte, isKey: isKey)
        case .literal: return try takeInLiteral(byte)
        case .number:
            if Self.isNumberByte(byte) {
                guard text.count < 1 << 20 else { throw failure("the number is too long") }
                text.append(byte)
                return
            }
            try endNumber()
        default: break
        }
        if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\t")
            || byte == UInt8(ascii: "\r")
        {
            return
        }
        switch state {
        case .firstElement where byte == UInt8(ascii: "]"): try endContainer(byte)
        case .value, .firstElement: try begin(byte)
        case .firstKey where byte == UInt8(ascii: "}"): try endContainer(byte)
        case .firstKey, .key:
            guard byte == UInt8(ascii: "\"") else { throw failure("a key was expected") }
            beginString(isKey: true)
        case .colon:
            guard byte == UInt8(ascii: ":") else { throw failure("':' was expected") }
            state = .value
        case .afterValue:
            if byte == UInt8(ascii: ",") { return try next() }
            try endContainer(byte)
        default: throw failure("nothing more was expected")
        }
    }

    private static func isNumberByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"),
            UInt8(ascii: "E"):
            true
        default: false
        }
    }

    /// Goes to the next element or member after a comma.
    private mutating func next() throws(JSONEventError) {
        switch containers.last {
        case .array(let elements):
            pointer.tokens[pointer.tokens.count - 1] = String(elements.count)
            state = .value
        case .object:
            pointer.tokens.removeLast()
            state = .key
        case nil: throw failure("nothing more was expected")
        }
    }

    private mutating func begin(_ byte: UInt8) throws(JSONEventError) {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard containers.count < depthLimit else { throw failure("the text is nested too deeply") }
            let isObject = byte == UInt8(ascii: "{")
            events.append(JSONEvent(pointer, .start(isObject ? .object : .array)))
            containers.append(isObject ? .object(JSONObject(), key: nil) : .array([]))
            if !isObject { pointer.tokens.append("0") }
            state = isObject ? .firstKey : .firstElement
        case UInt8(ascii: "\""):
            events.append(JSONEvent(pointer, .start(.string)))
            beginString(isKey: false)
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            events.append(JSONEvent(pointer, .start(byte == UInt8(ascii: "n") ? .null : .bool)))
            text = [byte]
            state = .literal
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            events.append(JSONEvent(pointer, .start(.number)))
            text = [byte]
            state = .number
        default: throw failure("a value was expected")
        }
    }

    private mutating func beginString(isKey: Bool) {
        text.removeAll(keepingCapacity: true)
        told = 0
        escape = .none
        highSurrogate = nil
        state = .string(isKey: isKey)
    }

    private mutating func takeInLiteral(_ byte: UInt8) throws(JSONEventError) {
        text.append(byte)
        for (word, value) in [("true", JSONValue.bool(true)), ("false", .bool(false)), ("null", .null)] {
            if text.elementsEqual(word.utf8) { return end(value) }
            if word.utf8.starts(with: text) { return }
        }
        throw failure("'true', 'false' or 'null' was expected")
    }

    private mutating func endNumber() throws(JSONEventError) {
        guard let number = DecimalNumber(String(decoding: text, as: UTF8.self)) else {
            throw failure("the number is malformed")
        }
        end(.number(number))
    }

    // MARK: Strings

    private mutating func takeInString(_ byte: UInt8, isKey: Bool) throws(JSONEventError) {
        switch escape {
        case .begun:
            escape = .none
            if byte == UInt8(ascii: "u") {
                escape = .unicode(digits: 0, value: 0)
                return
            }
            guard highSurrogate == nil else { throw failure("a low surrogate was expected") }
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            default: throw failure("the escape is unknown")
            }
        case .unicode(let digits, let value):
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("a hexadecimal digit was expected")
            }
            let value = value << 4 | UInt32(digit)
            guard digits == 3 else {
                escape = .unicode(digits: digits + 1, value: value)
                return
            }
            escape = .none
            try append(codeUnit: value)
        case .none:
            if byte == UInt8(ascii: "\\") {
                escape = .begun
                return
            }
            guard highSurrogate == nil else { throw failure("a low surrogate was expected") }
            if byte == UInt8(ascii: "\"") { return try endString(isKey: isKey) }
            guard byte >= 0x20 else { throw failure("a control character stands in a string") }
            text.append(byte)
        }
    }

    private mutating func append(codeUnit: UInt32) throws(JSONEventError) {
        if let high = highSurrogate {
            guard (0xDC00...0xDFFF).contains(codeUnit) else { throw failure("a low surrogate was expected") }
            highSurrogate = nil
            appendScalar(0x10000 + (high - 0xD800) << 10 + (codeUnit - 0xDC00))
        } else if (0xD800...0xDBFF).contains(codeUnit) {
            highSurrogate = codeUnit
        } else if (0xDC00...0xDFFF).contains(codeUnit) {
            throw failure("a low surrogate has no high one")
        } else {
            appendScalar(codeUnit)
        }
    }

    private mutating func appendScalar(_ value: UInt32) {
        guard let scalar = Unicode.Scalar(value) else { return }
        text.append(contentsOf: Array(String(Character(scalar)).utf8))
    }

    private mutating func endString(isKey: Bool) throws(JSONEventError) {
        guard let string = String(validating: text, as: UTF8.self) else { throw failure("the string is not UTF-8") }
        guard isKey else {
            tell()
            end(.string(string))
            return
        }
        guard case .object(let object, _)? = containers.popLast() else {
            throw failure("a key stands outside an object")
        }
        containers.append(.object(object, key: string))
        pointer.tokens.append(string)
        state = .colon
    }

    /// Tells of the whole characters that were not told of yet.
    private mutating func tell() {
        var end = text.count
        // A character's bytes may still be coming: at most three of them are here.
        var start = end
        while start > told, end - start < 4 {
            start -= 1
            let byte = text[start]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            if end - start < length { end = start }
            break
        }
        guard end > told else { return }
        events.append(JSONEvent(pointer, .delta(String(decoding: text[told..<end], as: UTF8.self))))
        told = end
    }

    // MARK: Ends

    private mutating func endContainer(_ byte: UInt8) throws(JSONEventError) {
        switch (containers.popLast(), byte) {
        case (.object(let object, let key)?, UInt8(ascii: "}")):
            if key != nil { pointer.tokens.removeLast() }
            end(.object(object))
        case (.array(let elements)?, UInt8(ascii: "]")):
            pointer.tokens.removeLast()
            end(.array(elements))
        default: throw failure("',' or the end of the container was expected")
        }
    }

    private mutating func end(_ value: JSONValue) {
        events.append(JSONEvent(pointer, .end(value)))
        text.removeAll(keepingCapacity: true)
        told = 0
        switch containers.popLast() {
        case .object(var object, let key?):
            object[key] = value
            containers.append(.object(object, key: key))
            state = .afterValue
        case .object(let object, nil):
            containers.append(.object(object, key: nil))
            state = .afterValue
        case .array(var elements):
            elements.append(value)
            containers.append(.array(elements))
            state = .afterValue
        case nil:
            root = value
            state = .done
        }
    }
}

/// Where and why a text that arrives in pieces is not JSON.
public struct JSONEventError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Bytes of the text before the place.
    public let offset: Int
    public let problem: String

    public var description: String { "\(problem) (byte \(offset))" }
}
