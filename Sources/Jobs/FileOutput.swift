// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the file system refused.
struct FileFailure: Error {
    var number: Int32
    var text: String
    var isFull: Bool { number == ENOSPC || number == EDQUOT }

    /// The failure of the last call.
    static func last(_ path: String) -> FileFailure {
        let number = errno
        return FileFailure(number: number, text: "'\(path)': \(String(cString: strerror(number)))")
    }
}

/// A file that appears whole, or not at all.
///
/// Bytes go to a file beside it, which takes its place in ``finish()``. What is not finished is removed.
package final class FileOutput {
    private let path: String
    private let partial: String
    private var descriptor: Int32
    private var buffer: [UInt8] = []
    /// Bytes that were taken so far.
    package private(set) var count = 0

    private static let room = 1 << 16

    /// - Throws: ``JobError``.
    package init(path: String) throws {
        self.path = path
        partial = path + ".partial"
        descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw JobError(FileFailure.last(partial), "cannot write") }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(partial)
    }

    /// Takes more bytes.
    ///
    /// - Throws: ``JobError``, with code `full` where the disk is.
    package func write(_ bytes: some Sequence<UInt8>) throws {
        let before = buffer.count
        buffer.append(contentsOf: bytes)
        count += buffer.count - before
        if buffer.count >= Self.room { try flush() }
    }

    /// Takes a line.
    package func write(line: String) throws {
        try write(line.utf8)
        try write(CollectionOfOne(0x0A))
    }

    private func flush() throws {
        var done = 0
        while done < buffer.count {
            let written = buffer.withUnsafeBytes { bytes in
                #if canImport(Glibc)
                    Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                #elseif canImport(Musl)
                    Musl.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                #else
                    Darwin.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                #endif
            }
            if written < 0, errno == EINTR { continue }
            guard written >= 0 else { throw JobError(FileFailure.last(partial), "cannot write") }
            done += written
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Puts the file in its place, on the disk before it gets its name.
    package func finish() throws {
        try flush()
        guard fsync(descriptor) == 0 else { throw JobError(FileFailure.last(partial), "cannot write") }
        guard rename(partial, path) == 0 else { throw JobError(FileFailure.last(path), "cannot write") }
        close(descriptor)
        descriptor = -1
        // The new name is in the folder; without this it may be lost with the power.
        let folder = open(path.split(separator: "/").count > 1 ? Self.folder(of: path) : ".", O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// A lock on a file that ends with the process, however that ends.
final class FileLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``JobError`` with code `inUse` where another process holds it.
    init(path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw JobError(FileFailure.last(path), "cannot open") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let failure = FileFailure.last(path)
            close(descriptor)
            throw failure.number == EWOULDBLOCK
                ? JobError(.inUse, "'\(path)' is in use by another process") : JobError(failure, "cannot lock")
        }
    }

    deinit { close(descriptor) }
}
