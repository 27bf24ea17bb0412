// SPDX-License-Identifier: Apache-2.0

/// Follows valid JSON byte by byte and knows whether it stands inside a string value, as against a key.
struct JSONPlace {
    private var isObject: [Bool] = []
    private var expectsKey = false
    private var inString = false
    private var stringIsKey = false
    private var escaped = false

    /// Whether the next byte belongs to a string that is a value.
    var isInsideValue: Bool { inString && !stringIsKey }

    mutating func advance(_ bytes: [UInt8]) {
        for byte in bytes {
            if inString {
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""):
                inString = true
                stringIsKey = expectsKey
            case UInt8(ascii: "{"):
                isObject.append(true)
                expectsKey = true
            case UInt8(ascii: "["):
                isObject.append(false)
                expectsKey = false
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = isObject.popLast()
                expectsKey = false
            case UInt8(ascii: ","): expectsKey = isObject.last ?? false
            case UInt8(ascii: ":"): expectsKey = false
            default: break
            }
        }
    }
}
