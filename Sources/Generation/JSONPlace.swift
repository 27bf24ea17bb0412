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
    /// Values that began so far, or are about to: another number is another value.
    private(set) var valueCount = 0
    /// Whether the next byte begins a value, but for white space.
    private(set) var expectsValue = true

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
            case UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: ","):
                expectsValue = byte != UInt8(ascii: ",") || isObject.last == false
                if expectsValue { valueCount += 1 }
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
            default: expectsValue = false
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
