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

/// A value with a cheap fingerprint of its own.
protocol Fingerprinted: Equatable {
    /// Mixes the value into a seed.
    func fingerprint(_ seed: UInt64) -> UInt64
}

/// Mixes two words.
@inline(__always)
func mixed(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = (a ^ b) &* 0x9E37_79B9_7F4A_7C15
    return product ^ (product >> 29)
}

/// Random per process: asking the system for each machine would cost more than some machines.
enum FingerprintSeed {
    static let value = UInt64.random(in: .min ... .max)
}

/// Gives equal values equal numbers, counted from zero: for the small values of the innermost frames.
///
/// Twice as fast as a dictionary. The seed is random, so that no schema can be made to collide; numbers do not depend
/// on it.
struct FastInterner<Value: Fingerprinted> {
    private(set) var values: ContiguousArray<Value> = []
    private var slots: ContiguousArray<UInt32>
    private var wrap: Int
    private let seed = FingerprintSeed.value

    init() {
        slots = ContiguousArray(repeating: .max, count: 64)
        wrap = 63
    }

    @inline(__always)
    private func slot(_ value: Value) -> Int {
        let print = value.fingerprint(seed)
        return Int(truncatingIfNeeded: print ^ (print >> 32)) & wrap
    }

    /// The number of a value, new if the value is.
    mutating func intern(_ value: Value) -> UInt32 {
        var index = slot(value)
        while true {
            let number = slots[index]
            if number == .max { break }
            if values[Int(number)] == value { return number }
            index = (index &+ 1) & wrap
        }
        let number = UInt32(truncatingIfNeeded: values.count)
        values.append(value)
        slots[index] = number
        if values.count &* 2 > wrap { grow() }
        return number
    }

    private mutating func grow() {
        let count = slots.count * 2
        slots = ContiguousArray(repeating: .max, count: count)
        wrap = count - 1
        for number in values.indices {
            var index = slot(values[number])
            while slots[index] != .max { index = (index &+ 1) & wrap }
            slots[index] = UInt32(number)
        }
    }

    subscript(number: UInt32) -> Value {
        @inline(__always) get { values[Int(number)] }
    }

    var count: Int { values.count }
}

/// A word in a list with a fingerprint.
protocol FingerprintedWord: Equatable {
    var word: UInt64 { get }
}

extension UInt64: FingerprintedWord {
    var word: UInt64 { self }
}
extension UInt32: FingerprintedWord {
    var word: UInt64 { UInt64(self) }
}
extension Literal: FingerprintedWord {
    var word: UInt64 { rawValue }
}

extension Array: Fingerprinted where Element: FingerprintedWord {
    func fingerprint(_ seed: UInt64) -> UInt64 {
        var print = seed &+ UInt64(count)
        for element in self { print = mixed(print, element.word) }
        return print
    }
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

/// The transitions taken so far: an open-addressing table from a number and a byte to a number.
///
/// The storage is manual, so that a lookup is a load and a comparison and needs no exclusivity check: steps are the
/// innermost loop of mask computation.
final class TransitionTable {
    private struct Storage {
        var keys: UnsafeMutablePointer<UInt64>
        var targets: UnsafeMutablePointer<UInt32>
        var used: Int
        var shift: UInt64
        var wrap: Int
    }

    private let storage: UnsafeMutablePointer<Storage>

    init() {
        storage = .allocate(capacity: 1)
        storage.initialize(to: Self.empty(bits: 10))
    }

    deinit {
        storage.pointee.keys.deallocate()
        storage.pointee.targets.deallocate()
        storage.deallocate()
    }

    private static func empty(bits: Int) -> Storage {
        let count = 1 << bits
        let keys = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
        keys.initialize(repeating: .max, count: count)
        let targets = UnsafeMutablePointer<UInt32>.allocate(capacity: count)
        targets.initialize(repeating: 0, count: count)
        return Storage(keys: keys, targets: targets, used: 0, shift: UInt64(64 - bits), wrap: count - 1)
    }

    @inline(__always)
    private static func slot(_ key: UInt64, _ shift: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift)
    }

    @inline(__always)
    func target(_ number: UInt32, _ byte: UInt8) -> UInt32? {
        let key = UInt64(number) << 8 | UInt64(byte)
        let keys = storage.pointee.keys
        let wrap = storage.pointee.wrap
        var index = Self.slot(key, storage.pointee.shift)
        while true {
            let found = keys[index]
            if found == key { return storage.pointee.targets[index] }
            if found == .max { return nil }
            index = (index &+ 1) & wrap
        }
    }

    func set(_ number: UInt32, _ byte: UInt8, _ target: UInt32) {
        if storage.pointee.used &* 2 > storage.pointee.wrap { grow() }
        Self.place(&storage.pointee, UInt64(number) << 8 | UInt64(byte), target)
        storage.pointee.used &+= 1
    }

    private static func place(_ storage: inout Storage, _ key: UInt64, _ target: UInt32) {
        var index = slot(key, storage.shift)
        while storage.keys[index] != .max { index = (index &+ 1) & storage.wrap }
        storage.keys[index] = key
        storage.targets[index] = target
    }

    private func grow() {
        let old = storage.pointee
        var larger = Self.empty(bits: 64 - Int(old.shift) + 1)
        larger.used = old.used
        for index in 0...old.wrap where old.keys[index] != .max {
            Self.place(&larger, old.keys[index], old.targets[index])
        }
        old.keys.deallocate()
        old.targets.deallocate()
        storage.pointee = larger
    }
}
