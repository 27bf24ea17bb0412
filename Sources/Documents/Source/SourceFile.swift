// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that could not be read.
public struct DocumentError: Error, Hashable, Sendable, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String
        public static let notFound = Code(description: "not-found")
        public static let notPermitted = Code(description: "not-permitted")
        public static let isFolder = Code(description: "is-folder")
        public static let unreadable = Code(description: "unreadable")
    }

    public var code: Code
    /// What happened, with the file's name.
    public var message: String
    public var description: String { message }

    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }
}

/// Reading of whole files.
public enum SourceFile {
    /// The bytes of a file; `-` is standard input.
    public static func read(_ path: String) throws(DocumentError) -> [UInt8] {
        if path == "-" { return try read(descriptor: 0, name: "standard input") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code: DocumentError.Code =
                switch errno {
                case ENOENT, ENOTDIR: .notFound
                case EACCES, EPERM: .notPermitted
                default: .unreadable
                }
            throw DocumentError(code: code, message: "cannot read '\(path)': \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        return try read(descriptor: descriptor, name: "'\(path)'")
    }

    private static func read(descriptor: Int32, name: String) throws(DocumentError) -> [UInt8] {
        var information = stat()
        var expected = 1 << 16
        if fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG {
            // One byte more, so that the end is seen without growing.
            expected = Int(information.st_size) + 1
        }
        var bytes: [UInt8] = []
        while true {
            let room = max(expected - bytes.count, 1 << 16)
            var failure: Int32 = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                while true {
                    let result = Self.sysRead(descriptor, buffer.baseAddress, room)
                    if result < 0, errno == EINTR { continue }
                    if result < 0 { failure = errno }
                    count = max(0, result)
                    return
                }
            }
            if failure != 0 {
                throw DocumentError(
                    code: failure == EISDIR ? .isFolder : .unreadable,
                    message: "cannot read \(name): \(String(cString: strerror(failure)))")
            }
            if chunk.isEmpty { return bytes }
            if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
        }
    }

    private static func sysRead(_ descriptor: Int32, _ buffer: UnsafeMutablePointer<UInt8>?, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, buffer, count)
        #elseif canImport(Musl)
            Musl.read(descriptor, buffer, count)
        #else
            Darwin.read(descriptor, buffer, count)
        #endif
    }
}
