// SPDX-License-Identifier: Apache-2.0

/// Reads a body of `multipart/form-data` piece by piece, as RFC 7578 and RFC 2046 describe it.
///
/// Pieces may be cut anywhere. Contents are passed on as they come; only what may be the beginning of a boundary is held
/// back.
package struct MultipartReader {
    /// What was read.
    package enum Event: Equatable, Sendable {
        /// A part begins.
        case part(name: String, file: String?)
        /// More of its content.
        case content([UInt8])
        /// The part is whole.
        case end
    }

    /// A body that is no such body.
    package struct Failure: Error, Sendable {
        package var message: String
    }

    private enum State { case preamble, afterBoundary, headers, content, done }

    private static let headerLimit = 8 << 10
    private static let partLimit = 32

    private let delimiter: [UInt8]
    private var state = State.preamble
    private var buffer: [UInt8] = []
    private var parts = 0

    /// - Parameter contentType: The header of the request, which names the boundary.
    /// - Throws: ``Failure`` where it is another type or has no boundary of 1 to 70 characters.
    package init(contentType: String) throws {
        let fields = Self.parameters(contentType)
        guard fields.value.lowercased() == "multipart/form-data" else {
            throw Failure(message: "the body must be multipart/form-data, not '\(fields.value)'")
        }
        guard let boundary = fields.parameters["boundary"], (1...70).contains(boundary.utf8.count) else {
            throw Failure(message: "the content type names no boundary of 1 to 70 characters")
        }
        delimiter = Array("\r\n--".utf8) + Array(boundary.utf8)
        // The first boundary needs no line end before it.
        buffer = [0x0D, 0x0A]
    }

    /// Takes more bytes of the body.
    package mutating func read(_ bytes: some Sequence<UInt8>) throws -> [Event] {
        buffer.append(contentsOf: bytes)
        var events: [Event] = []
        while try step(&events) {}
        return events
    }

    /// Checks that the body is whole.
    package func finish() throws {
        guard state == .done else { throw Failure(message: "the body ends before its last boundary") }
    }

    /// Goes one step on; false where more bytes are needed.
    private mutating func step(_ events: inout [Event]) throws -> Bool {
        switch state {
        case .preamble:
            guard let start = find(delimiter) else {
                keepTail()
                return false
            }
            buffer.removeFirst(start + delimiter.count)
            state = .afterBoundary
        case .afterBoundary:
            guard buffer.count >= 2 else { return false }
            if buffer.starts(with: [0x2D, 0x2D]) {
                state = .done
                return true
            }
            // White space may follow a boundary.
            guard let end = buffer.firstIndex(of: 0x0A) else {
                if buffer.count > 256 { throw Failure(message: "a boundary is followed by something else") }
                return false
            }
            let rest = buffer[..<end]
            guard rest.last == 0x0D, rest.dropLast().allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else {
                throw Failure(message: "a boundary is followed by something else")
            }
            buffer.removeFirst(end + 1)
            // So that headers always end with an empty line, also where there are none.
            buffer.insert(contentsOf: [0x0D, 0x0A], at: 0)
            state = .headers
        case .headers:
            guard let end = find([0x0D, 0x0A, 0x0D, 0x0A]) else {
                if buffer.count > Self.headerLimit { throw Failure(message: "the headers of a part are too long") }
                return false
            }
            guard end <= Self.headerLimit else { throw Failure(message: "the headers of a part are too long") }
            events.append(try part(Array(buffer[..<end])))
            buffer.removeFirst(end + 4)
            parts += 1
            guard parts <= Self.partLimit else { throw Failure(message: "there are more than \(Self.partLimit) parts") }
            state = .content
        case .content:
            if let start = find(delimiter) {
                if start > 0 { events.append(.content(Array(buffer[..<start]))) }
                events.append(.end)
                buffer.removeFirst(start + delimiter.count)
                state = .afterBoundary
                return true
            }
            let sure = buffer.count - min(buffer.count, delimiter.count - 1)
            if sure > 0 {
                events.append(.content(Array(buffer[..<sure])))
                buffer.removeFirst(sure)
            }
            return false
        case .done:
            buffer.removeAll()
            return false
        }
        return true
    }

    private mutating func keepTail() {
        let excess = buffer.count - min(buffer.count, delimiter.count - 1)
        if excess > 0 { buffer.removeFirst(excess) }
    }

    private func find(_ pattern: [UInt8]) -> Int? {
        guard buffer.count >= pattern.count, let first = pattern.first else { return nil }
        var at = 0
        while at + pattern.count <= buffer.count {
            guard let next = buffer[at...].firstIndex(of: first), next + pattern.count <= buffer.count else { return nil }
            if buffer[next..<next + pattern.count].elementsEqual(pattern) { return next }
            at = next + 1
        }
        return nil
    }

    private func part(_ headers: [UInt8]) throws -> Event {
        for line in String(decoding: headers, as: UTF8.self).split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == "content-disposition" else {
                continue
            }
            let fields = Self.parameters(String(line[line.index(after: colon)...]))
            guard fields.value.lowercased() == "form-data", let name = fields.parameters["name"] else { break }
            return .part(name: name, file: fields.parameters["filename"])
        }
        throw Failure(message: "a part has no 'Content-Disposition: form-data' with a name")
    }

    /// A header's value and its parameters, whose values may be quoted.
    private static func parameters(_ text: String) -> (value: String, parameters: [String: String]) {
        var pieces: [String] = [""]
        var isQuoted = false
        var isEscaped = false
        for character in text {
            if isEscaped {
                pieces[pieces.count - 1].append(character)
                isEscaped = false
            } else if isQuoted, character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == ";", !isQuoted {
                pieces.append("")
            } else {
                pieces[pieces.count - 1].append(character)
            }
        }
        func trimmed(_ text: some StringProtocol) -> String {
            String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        }
        var parameters: [String: String] = [:]
        for piece in pieces.dropFirst() {
            guard let equals = piece.firstIndex(of: "=") else { continue }
            let name = trimmed(piece[..<equals]).lowercased()
            // The first one counts, as in browsers.
            if parameters[name] == nil { parameters[name] = trimmed(piece[piece.index(after: equals)...]) }
        }
        return (trimmed(pieces.first ?? ""), parameters)
    }
}
