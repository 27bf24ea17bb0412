// SPDX-License-Identifier: Apache-2.0

extension ModelConfiguration {
    /// `qwen3`: a norm on the queries and keys of each head, no biases.
    mutating func readQwen3(_ metadata: ArchitectureMetadata) throws {
        try metadata.refuseWindow()
        ropeHalves = true
        normalizesHeads = true
    }
}
