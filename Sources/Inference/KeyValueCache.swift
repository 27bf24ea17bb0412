// SPDX-License-Identifier: Apache-2.0

import CKernels

/// The keys and values of one sequence: per layer and head, positions in order.
///
/// The memory is given by the system as positions are first written.
final class KeyValueCache {
    let contextLength: Int
    let isHalf: Bool
    private let headLength: Int
    private let headCount: Int
    private let elementBytes: Int
    private let memory: Memory

    init(_ configuration: ModelConfiguration, contextLength: Int, format: ModelOptions.CacheFormat)
        throws(InferenceError)
    {
        self.contextLength = contextLength
        isHalf = format == .f16
        elementBytes = isHalf ? 2 : 4
        headLength = configuration.headLength
        headCount = configuration.kvHeadCount
        var bytes = contextLength
        for factor in [headLength, headCount, configuration.layerCount, 2 * elementBytes] {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: factor)
            guard !overflow else {
                throw InferenceError(.outOfMemory, "a context of \(contextLength) positions does not fit into memory")
            }
            bytes = product
        }
        memory = try Memory(byteCount: bytes, for: "a context of \(contextLength) positions")
    }

    /// Position 0 of a head's keys.
    @inline(__always)
    func keys(layer: Int, head: Int) -> UnsafeMutableRawPointer {
        memory.base + (layer * 2 * headCount + head) * contextLength * headLength * elementBytes
    }

    /// Position 0 of a head's values.
    @inline(__always)
    func values(layer: Int, head: Int) -> UnsafeMutableRawPointer {
        memory.base + ((layer * 2 + 1) * headCount + head) * contextLength * headLength * elementBytes
    }

    /// Writes one position of a head, given its position 0.
    @inline(__always)
    func store(_ source: UnsafePointer<Float>, at position: Int, in head: UnsafeMutableRawPointer) {
        let target = head + position * headLength * elementBytes
        if isHalf {
            ck_f32_to_f16(source, target.assumingMemoryBound(to: UInt16.self), headLength)
        } else {
            target.assumingMemoryBound(to: Float.self).update(from: source, count: headLength)
        }
    }
}
