// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file mapped read-only into memory, unmapped when released.
///
/// The mapping is private and never written, and the length is fixed when the file is opened. A file that another
/// process shortens while it is mapped can still end this process by a signal, as with every memory-mapped reader.
package final class MappedFile: @unchecked Sendable {
    // Unchecked: the pointer is to memory that nothing writes and that lives as long as this object.
    private let base: UnsafeMutableRawPointer
    /// The number of bytes.
    package let count: Int

    /// Maps the file at `path`.
    package init(path: String) throws(ModelFileError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ModelFileError(.unreadable, "cannot open '\(path)': \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw ModelFileError(.unreadable, "cannot read '\(path)': \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ModelFileError(.unreadable, "cannot read '\(path)': it is not a regular file")
        }
        guard let size = Int(exactly: status.st_size), size > 0 else {
            throw ModelFileError(.notGGUF, "'\(path)' is empty")
        }
        guard let mapped = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else {
            throw ModelFileError(.unreadable, "cannot map '\(path)': \(String(cString: strerror(errno)))")
        }
        base = mapped
        count = size
    }

    deinit { munmap(base, count) }

    /// The bytes; valid as long as this object.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Gives the memory of the whole pages inside `range` back; a later read loads them from the file again.
    package func releasePages(_ range: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let lower = (max(range.lowerBound, 0) + page - 1) / page * page
        let upper = min(range.upperBound, count) / page * page
        if lower < upper { madvise(base + lower, upper - lower, MADV_DONTNEED) }
    }

    /// Asks for the pages of `range` to be read ahead.
    package func willNeed(_ range: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let lower = max(range.lowerBound, 0) / page * page
        let upper = min(range.upperBound, count)
        if lower < upper { madvise(base + lower, upper - lower, MADV_WILLNEED) }
    }
}
