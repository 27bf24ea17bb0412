// SPDX-License-Identifier: Apache-2.0

/// Gives equal values equal numbers, counted from zero.
struct Interner<Value: Hashable> {
    private var numbers: [Value: UInt32] = [:]
    private(set) var values: [Value] = []

    /// The number of a value, new if the value is.
    mutating func intern(_ value: Value) -> UInt32 {
        if let number = numbers[value] { return number }
        let number = UInt32(truncatingIfNeeded: values.count)
        numbers[value] = number
        values.append(value)
        return number
    }

    /// The number of a value that has one.
    func number(of value: Value) -> UInt32? { numbers[value] }

    subscript(number: UInt32) -> Value {
        _read { yield values[Int(number)] }
    }

    var count: Int { values.count }
}

/// The number of bytes of a shortest completion; ``infinite`` where there is none.
typealias Cost = Int

extension Cost {
    /// No completion, or none that could be proven.
    static let infinite: Cost = Int.max / 4

    /// Costs from here on are not worth a witness and count as infinite.
    static let unreasonable: Cost = 1 << 32

    /// The sum, infinite as soon as it is unreasonable.
    static func sum(_ a: Cost, _ b: Cost) -> Cost {
        let (total, overflow) = a.addingReportingOverflow(b)
        return overflow || total >= unreasonable ? infinite : total
    }

    /// `count` times the cost, infinite as soon as it is unreasonable.
    static func product(_ cost: Cost, _ count: Int) -> Cost {
        if count == 0 { return 0 }
        let (total, overflow) = cost.multipliedReportingOverflow(by: count)
        return overflow || total >= unreasonable ? infinite : total
    }
}

/// The transitions taken so far: an open-addressing table from configuration and byte to configuration.
struct TransitionTable {
    private var keys: [UInt64]
    private var targets: [UInt32]
    private var used = 0
    private var bits: UInt64

    init() {
        bits = 12
        keys = Array(repeating: .max, count: 1 << 12)
        targets = Array(repeating: 0, count: 1 << 12)
    }

    private func slot(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> (64 &- bits))
    }

    func target(_ configuration: UInt32, _ byte: UInt8) -> UInt32? {
        let key = UInt64(configuration) << 8 | UInt64(byte)
        var index = slot(key)
        let wrap = keys.count &- 1
        while true {
            let found = keys[index]
            if found == key { return targets[index] }
            if found == .max { return nil }
            index = (index &+ 1) & wrap
        }
    }

    mutating func set(_ configuration: UInt32, _ byte: UInt8, _ target: UInt32) {
        if used &* 2 >= keys.count { grow() }
        place(UInt64(configuration) << 8 | UInt64(byte), target)
        used &+= 1
    }

    private mutating func place(_ key: UInt64, _ target: UInt32) {
        var index = slot(key)
        let wrap = keys.count &- 1
        while keys[index] != .max { index = (index &+ 1) & wrap }
        keys[index] = key
        targets[index] = target
    }

    private mutating func grow() {
        let oldKeys = keys
        let oldTargets = targets
        bits += 1
        keys = Array(repeating: .max, count: 1 << Int(bits))
        targets = Array(repeating: 0, count: 1 << Int(bits))
        for index in oldKeys.indices where oldKeys[index] != .max { place(oldKeys[index], oldTargets[index]) }
    }
}
