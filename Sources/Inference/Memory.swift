// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Anonymous memory: zero at first, page-aligned, given by the system when first touched.
final class Memory: @unchecked Sendable {
    // Unchecked: owners order their accesses; this only holds the region.
    let base: UnsafeMutableRawPointer
    let count: Int

    /// Maps `count` bytes. Large pages are asked for where `large` is set.
    init(byteCount: Int, large: Bool = false, for purpose: String) throws(InferenceError) {
        let size = max(byteCount, 1)
        let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else {
            throw InferenceError(.outOfMemory, "cannot get \(size) bytes of memory for \(purpose)")
        }
        #if os(Linux)
            // Streaming weights through 4 KB pages costs a TLB miss each.
            if large { madvise(mapped, size, MADV_HUGEPAGE) }
        #endif
        base = mapped
        count = size
    }

    deinit { munmap(base, count) }
}
