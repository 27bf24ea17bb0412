// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The lines of a file that are not blank, read one after the other in constant memory; gzip is decompressed.
///
///     let lines = try LineStream(path: "records.jsonl.gz")
///     while let line = try lines.next() { print(line.number, line.bytes.count) }
public final class LineStream {
    /// A line without its line end.
    public struct Line: Sendable {
        public var bytes: [UInt8]
        /// Counted from 1, blank lines included.
        public var number: Int
        /// The bytes before it in the decompressed text.
        public var offset: Int
    }

    /// The most bytes of a line.
    public static let maximumLine = 256 << 20

    private let descriptor: Int32
    private let name: String
    private var reader: GzipReader?
    /// Bytes that were read; those before `at` are done with.
    private var buffer: [UInt8] = []
    private var at = 0
    /// How far the buffer is known to have no line end.
    private var searched = 0
    private var isAtEnd = false
    private var number = 0
    private var offset = 0

    /// Opens a file; `-` is standard input.
    ///
    /// - Throws: ``DocumentError`` if it cannot be read.
    public init(path: String) throws {
        name = path == "-" ? "standard input" : "'\(path)'"
        descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw DocumentError(
                code: errno == ENOENT || errno == ENOTDIR ? .notFound : errno == EACCES ? .notPermitted : .unreadable,
                message: "cannot read \(name): \(String(cString: strerror(errno)))")
        }
        let first = try Self.read(descriptor, name)
        if GzipReader.isGzip(first) {
            let (descriptor, name) = (descriptor, name)
            var start: [UInt8]? = first
            reader = GzipReader {
                if let bytes = start {
                    start = nil
                    return bytes
                }
                return try Self.read(descriptor, name)
            }
        } else {
            buffer = first
            isAtEnd = first.isEmpty
        }
        try skipMark()
    }

    deinit { if descriptor > 0 { close(descriptor) } }

    private func skipMark() throws {
        while buffer.count < 3, !isAtEnd { try readMore() }
        if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
        searched = at
        offset = at
    }

    /// The next line that is not blank.
    ///
    /// - Throws: ``DocumentError`` if the file cannot be read on, or a line is too long.
    public func next() throws -> Line? {
        while true {
            guard let end = buffer[searched...].firstIndex(of: 0x0A) else {
                searched = buffer.count
                if isAtEnd {
                    guard at < buffer.count else { return nil }
                    if let line = take(upTo: buffer.count, next: buffer.count) { return line }
                    continue
                }
                try readMore()
                continue
            }
            if let line = take(upTo: end, next: end + 1) { return line }
        }
    }

    private func take(upTo end: Int, next: Int) -> Line? {
        let start = at
        number += 1
        let place = offset
        offset += next - start
        at = next
        searched = next
        var end = end
        if end > start, buffer[end - 1] == 0x0D { end -= 1 }
        guard buffer[start..<end].contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return nil }
        return Line(bytes: Array(buffer[start..<end]), number: number, offset: place)
    }

    private func readMore() throws {
        if at > 0 {
            buffer.removeFirst(at)
            searched -= at
            at = 0
        }
        guard buffer.count <= Self.maximumLine else {
            throw DocumentError(
                code: .unreadable, message: "line \(number + 1) of \(name) has more than \(Self.maximumLine) bytes")
        }
        let piece: [UInt8]
        if reader != nil {
            do {
                piece = try reader?.next() ?? []
            } catch let error as CompressionError {
                throw DocumentError(code: .unreadable, message: "cannot read \(name): \(error.message)")
            }
        } else {
            piece = try Self.read(descriptor, name)
        }
        if piece.isEmpty { isAtEnd = true }
        buffer += piece
    }

    private static func read(_ descriptor: Int32, _ name: String) throws(DocumentError) -> [UInt8] {
        let room = 1 << 18
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            while true {
                #if canImport(Glibc)
                    let result = Glibc.read(descriptor, buffer.baseAddress, room)
                #elseif canImport(Musl)
                    let result = Musl.read(descriptor, buffer.baseAddress, room)
                #else
                    let result = Darwin.read(descriptor, buffer.baseAddress, room)
                #endif
                if result < 0, errno == EINTR { continue }
                if result < 0 { failure = errno }
                count = max(0, result)
                return
            }
        }
        guard failure == 0 else {
            throw DocumentError(
                code: failure == EISDIR ? .isFolder : .unreadable,
                message: "cannot read \(name): \(String(cString: strerror(failure)))")
        }
        return bytes
    }
}
