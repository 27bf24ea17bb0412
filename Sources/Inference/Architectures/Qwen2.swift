// SPDX-License-Identifier: Apache-2.0

extension ModelConfiguration {
    /// `qwen2`: biases on queries, keys and values.
    mutating func readQwen2(_ metadata: ArchitectureMetadata) throws {
        try metadata.refuseWindow()
        ropeHalves = true
    }
}
