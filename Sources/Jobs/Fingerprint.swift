// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// Stands for all that the results of a job depend on: a SHA-256 of its parts.
package struct Fingerprint {
    private var hash = SHA256()

    package init() {}

    /// Adds a text. Its length comes first, so that one text cannot run into the next.
    package mutating func add(_ text: String) { hash.update(data: Array("\(text.utf8.count):\(text)".utf8)) }

    /// Adds the content of a file.
    ///
    /// - Throws: ``JobError`` where it cannot be read.
    package mutating func add(file path: String) throws {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw JobError(.unavailable, "cannot read '\(path)'")
        }
        defer { try? handle.close() }
        do {
            while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty { hash.update(data: piece) }
        } catch {
            throw JobError(.unavailable, "cannot read '\(path)': \(error.localizedDescription)")
        }
    }

    /// The hash of what was added so far, in hexadecimal.
    package var text: String {
        hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
