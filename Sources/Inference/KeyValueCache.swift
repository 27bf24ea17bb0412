// SPDX-License-Identifier: Apache-2.0

import CKernels

/// The keys and values of one sequence: per layer and head, values by position and keys in the panels that attention
/// reads.
///
/// The memory is given by the system as positions are first written.
final class KeyValueCache {
    let contextLength: Int
    /// Positions there is memory for: whole blocks of keys.
    private let capacity: Int
    private let memory: Memory

    /// What reads and writes the cache, without owning it: all threads of a pass have it at hand.
    struct View {
        let base: UnsafeMutableRawPointer
        let capacity: Int
        let headLength: Int
        let headCount: Int
        let elementBytes: Int

        @inline(__always)
        var isHalf: Bool { elementBytes == 2 }
    }

    /// The cache for a pass; valid as long as the cache lives.
    let view: View

    init(_ configuration: ModelConfiguration, contextLength: Int, format: ModelOptions.CacheFormat)
        throws(InferenceError)
    {
        self.contextLength = contextLength
        let elementBytes = format == .f16 ? 2 : 4
        let (headLength, headCount) = (configuration.headLength, configuration.kvHeadCount)
        let bytes = try Self.byteCount(configuration, contextLength: contextLength, format: format)
        let block = Int(CK_CACHE_BLOCK)
        capacity = (contextLength + block - 1) / block * block
        memory = try Memory(byteCount: bytes, for: "a context of \(contextLength) positions")
        view = View(
            base: memory.base, capacity: capacity, headLength: headLength, headCount: headCount,
            elementBytes: elementBytes)
    }

    /// Bytes of a cache: whole blocks of positions.
    static func byteCount(
        _ configuration: ModelConfiguration, contextLength: Int, format: ModelOptions.CacheFormat
    ) throws(InferenceError) -> Int {
        let block = Int(CK_CACHE_BLOCK)
        let (rounded, isTooLong) = contextLength.addingReportingOverflow(block - 1)
        guard !isTooLong else {
            throw InferenceError(.outOfMemory, "a context of \(contextLength) positions does not fit into memory")
        }
        return try byteCount(configuration, positions: rounded / block * block, format: format)
    }

    /// Bytes of the keys and values of some positions.
    static func byteCount(
        _ configuration: ModelConfiguration, positions: Int, format: ModelOptions.CacheFormat
    ) throws(InferenceError) -> Int {
        var bytes = positions
        let elementBytes = format == .f16 ? 2 : 4
        for factor in [configuration.headLength, configuration.kvHeadCount, configuration.layerCount, 2 * elementBytes] {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: factor)
            guard !overflow else {
                throw InferenceError(.outOfMemory, "a context of \(positions) positions does not fit into memory")
            }
            bytes = product
        }
        return bytes
    }
}

extension KeyValueCache.View {
    /// The first panel of a head's keys.
    @inline(__always)
    func keys(layer: Int, head: Int) -> UnsafeMutableRawPointer {
        base + (layer * 2 * headCount + head) * capacity * headLength * elementBytes
    }

    /// Position 0 of a head's values.
    @inline(__always)
    func values(layer: Int, head: Int) -> UnsafeMutableRawPointer {
        base + ((layer * 2 + 1) * headCount + head) * capacity * headLength * elementBytes
    }

    /// Writes one position of a head's keys, given its first panel.
    @inline(__always)
    func storeKey(_ source: UnsafePointer<Float>, at position: Int, in head: UnsafeMutableRawPointer) {
        ck_store_key(source, headLength, position, isHalf, head)
    }

    /// Writes one position of a head's values, given its position 0.
    @inline(__always)
    func storeValue(_ source: UnsafePointer<Float>, at position: Int, in head: UnsafeMutableRawPointer) {
        let target = head + position * headLength * elementBytes
        if isHalf {
            ck_f32_to_f16(source, target.assumingMemoryBound(to: UInt16.self), headLength)
        } else {
            target.assumingMemoryBound(to: Float.self).update(from: source, count: headLength)
        }
    }
}
