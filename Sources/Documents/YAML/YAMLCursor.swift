// SPDX-License-Identifier: Apache-2.0

import CLibYAML

/// Turns libyaml's marks, which count characters, into byte offsets; it moves along with them.
struct YAMLCursor {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var scalar = 0
    private var offset: Int

    /// Where the text begins, behind a byte order mark.
    let start: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        start = bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0
        offset = start
    }

    mutating func offset(_ mark: yaml_mark_t) -> Int {
        let target = Int(clamping: mark.index)
        while scalar < target, offset < bytes.count {
            offset += 1
            while offset < bytes.count, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
            scalar += 1
        }
        while scalar > target, offset > 0 {
            offset -= 1
            while offset > 0, bytes[offset] & 0xC0 == 0x80 { offset -= 1 }
            scalar -= 1
        }
        return offset
    }
}
