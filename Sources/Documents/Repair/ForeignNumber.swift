// SPDX-License-Identifier: Apache-2.0

/// Numbers as other notations write them.
package enum ForeignNumber {
    /// The number that `+1`, `.5`, `1_000`, `0x1F`, `007` and their like mean, as JSON writes it; nil for other text.
    package static func json(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        return JSONMender.number(bytes[...], isCut: false).map { String(decoding: $0, as: UTF8.self) }
    }
}
