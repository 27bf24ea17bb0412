// SPDX-License-Identifier: Apache-2.0

/// Random numbers that are the same in every run (SplitMix64).
struct FuzzRandom: RandomNumberGenerator {
    private var state: UInt64

    /// A stream of its own for each place in a run, so that parts of a run can be repeated alone.
    init(seed: UInt64, _ places: Int...) {
        state = seed
        for place in places {
            state ^= UInt64(bitPattern: Int64(place)) &* 0xD1B5_4A32_D192_ED03
            _ = next()
        }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// A number below `bound`, which is at least 1.
    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    /// True once in `count` times.
    mutating func once(in count: Int) -> Bool { below(count) == 0 }

    /// One of the values, which are not empty.
    mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }
}
