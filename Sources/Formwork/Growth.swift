// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation

/// Follows a JSON text as it grows, and tells what is certain of the value.
struct Growth<Value: Structured> {
    // A document that the constraint lets grow has its own bounds.
    private var reader = JSONEventReader(depthLimit: 1 << 16)
    /// The values that are not complete, from the outside in.
    private var open: [[String]] = []

    /// Takes a piece of the text.
    ///
    /// - Returns: Nil where the piece told nothing new.
    mutating func take(_ bytes: [UInt8]) throws -> Value.PartiallyFilled? {
        var isNew = false
        for event in try reader.read(bytes) {
            switch event.kind {
            case .start(let kind):
                open.append(event.pointer.tokens)
                if kind == .object || kind == .array { isNew = true }
            case .delta: isNew = true
            case .end:
                if !open.isEmpty { open.removeLast() }
                isNew = true
            }
        }
        guard isNew, let snapshot = reader.snapshot else { return nil }
        return Value.partiallyFilled(from: PartialValue(snapshot, open: open.last?[...]))
    }
}

/// The processors of this machine.
enum ProcessorCount {
    static var current: Int { ProcessInfo.processInfo.activeProcessorCount }
}
