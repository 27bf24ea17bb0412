// SPDX-License-Identifier: Apache-2.0

/// The encoding of Unicode labels in ASCII (RFC 3492).
enum Punycode {
    private static let base = 36
    private static let tMin = 1
    private static let tMax = 26

    /// The scalars of an encoded label, without its `xn--`; nil if it is malformed.
    static func decode(_ input: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar]? {
        var output: [Unicode.Scalar] = []
        var rest = input
        if let delimiter = input.lastIndex(of: "-") {
            output = Array(input[..<delimiter])
            rest = input[(delimiter + 1)...]
            guard !output.isEmpty else { return nil }
        }
        guard !rest.isEmpty, output.allSatisfy(\.isASCII) else { return nil }
        var n = 0x80
        var i = 0
        var bias = 72
        while !rest.isEmpty {
            let old = i
            var weight = 1
            var k = base
            while true {
                guard let scalar = rest.popFirst(), let digit = digit(scalar) else { return nil }
                let (product, overflow) = digit.multipliedReportingOverflow(by: weight)
                guard !overflow, product < 1 << 40 else { return nil }
                i += product
                guard i < 1 << 40 else { return nil }
                let threshold = k <= bias ? tMin : k >= bias + tMax ? tMax : k - bias
                if digit < threshold { break }
                weight *= base - threshold
                guard weight < 1 << 40 else { return nil }
                k += base
            }
            let count = output.count + 1
            bias = adapt(i - old, count, old == 0)
            n += i / count
            i %= count
            guard n <= 0x10FFFF, let scalar = Unicode.Scalar(UInt32(n)) else { return nil }
            output.insert(scalar, at: i)
            i += 1
        }
        return output
    }

    /// The encoded form of a label, without `xn--`; nil for labels far beyond the length of a domain name.
    static func encode(_ input: [Unicode.Scalar]) -> [UInt8]? {
        guard input.count <= 256 else { return nil }
        var output = input.filter(\.isASCII).map { UInt8(truncatingIfNeeded: $0.value) }
        let basic = output.count
        if basic > 0 { output.append(0x2D) }
        var n = 0x80
        var delta = 0
        var bias = 72
        var handled = basic
        while handled < input.count {
            guard let next = input.lazy.map({ Int($0.value) }).filter({ $0 >= n }).min() else { return nil }
            delta += (next - n) * (handled + 1)
            n = next
            for scalar in input {
                if scalar.value < n { delta += 1 }
                guard scalar.value == n else { continue }
                var q = delta
                var k = base
                while true {
                    let threshold = k <= bias ? tMin : k >= bias + tMax ? tMax : k - bias
                    if q < threshold { break }
                    output.append(character(threshold + (q - threshold) % (base - threshold)))
                    q = (q - threshold) / (base - threshold)
                    k += base
                }
                output.append(character(q))
                bias = adapt(delta, handled + 1, handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return output
    }

    private static func adapt(_ delta: Int, _ count: Int, _ isFirst: Bool) -> Int {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / count
        var k = 0
        while delta > (base - tMin) * tMax / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + 38)
    }

    private static func digit(_ scalar: Unicode.Scalar) -> Int? {
        switch scalar {
        case "a"..."z": Int(scalar.value) - 97
        case "A"..."Z": Int(scalar.value) - 65
        case "0"..."9": Int(scalar.value) - 48 + 26
        default: nil
        }
    }

    private static func character(_ digit: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: digit < 26 ? digit + 97 : digit - 26 + 48)
    }
}
