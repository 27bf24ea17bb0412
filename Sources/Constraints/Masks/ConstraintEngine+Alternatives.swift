// SPDX-License-Identifier: Apache-2.0

extension ConstraintEngine {
    /// One of the few texts that the value at hand can have.
    package struct Alternative: Hashable, Sendable {
        /// The bytes from here to the end of the value; those of a string without its closing quote.
        package var bytes: [UInt8]
        /// Whether a closing quote follows ``bytes``.
        package var isString: Bool

        package init(bytes: [UInt8], isString: Bool) {
            self.bytes = bytes
            self.isString = isString
        }
    }

    /// All texts that the value at hand can have, if they are few: an `enum` of strings, a boolean, a null.
    ///
    /// - Parameters:
    ///   - configuration: The beginning of a value, or a place inside a string.
    ///   - isInsideString: Which of the two it is.
    ///   - limit: The most texts that are listed.
    /// - Returns: At least two texts, ordered by their bytes; nil where there are more than `limit`, only one, or others
    ///   than strings, booleans and null.
    /// - Complexity: O(bytes of the texts), and never more than `limit` times 128 steps of the machine.
    package func alternatives(
        _ configuration: ConfigID, isInsideString: Bool, limit: Int
    ) -> [Alternative]? {
        struct Entry {
            var configuration: ConfigID
            var bytes: [UInt8]
            /// Bytes of the value itself, without spaces before it.
            var length = 0
            /// Whether the bytes end inside a string, and after a backslash there.
            var inString: Bool
            var escaped: Bool
            var isFalse = false
        }
        var found: [Alternative] = []
        var open = [Entry(configuration: configuration, bytes: [], inString: isInsideString, escaped: false)]
        var steps = 0
        while let entry = open.popLast() {
            let allowed = machine.allowedBytes(entry.configuration)
            // Free text is recognised by its first byte.
            guard allowed.count <= limit else { return nil }
            var next: [Entry] = []
            for byte in UInt8.min...UInt8.max where allowed.contains(byte) {
                if entry.inString, !entry.escaped, byte == UInt8(ascii: "\"") {
                    found.append(Alternative(bytes: entry.bytes, isString: true))
                    continue
                }
                steps += 1
                guard steps <= limit * 128 else { return nil }
                var following = Entry(
                    configuration: machine.step(entry.configuration, byte), bytes: entry.bytes + CollectionOfOne(byte),
                    inString: entry.inString, escaped: false, isFalse: entry.isFalse)
                following.length = entry.length + 1
                if entry.inString {
                    following.escaped = !entry.escaped && byte == UInt8(ascii: "\\")
                } else if entry.length == 0 {
                    switch byte {
                    case UInt8(ascii: " "): following.length = 0
                    case UInt8(ascii: "\""): following.inString = true
                    case UInt8(ascii: "f"): following.isFalse = true
                    case UInt8(ascii: "t"), UInt8(ascii: "n"): break
                    default: return nil
                    }
                } else if following.length == (following.isFalse ? 5 : 4) {
                    found.append(Alternative(bytes: following.bytes, isString: false))
                    continue
                }
                next.append(following)
            }
            guard found.count + open.count + next.count <= limit else { return nil }
            open += next.reversed()
        }
        return found.count < 2 ? nil : found
    }
}
