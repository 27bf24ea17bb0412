// SPDX-License-Identifier: Apache-2.0

/// The lines of a text that are not blank, with their places.
struct LineReader {
    private let bytes: [UInt8]
    private var at: Int
    private var number = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The next line that is not blank, without its line end, and its number counted from 1.
    mutating func next() -> (range: Range<Int>, number: Int)? {
        while at < bytes.count {
            let start = at
            var end = bytes[at...].firstIndex(of: 0x0A) ?? bytes.count
            at = min(end + 1, bytes.count)
            number += 1
            if end > start, bytes[end - 1] == 0x0D { end -= 1 }
            if bytes[start..<end].contains(where: { $0 != 0x20 && $0 != 0x09 }) { return (start..<end, number) }
        }
        return nil
    }
}
