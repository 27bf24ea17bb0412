// SPDX-License-Identifier: Apache-2.0

extension ModelConfiguration {
    /// `llama`: rotation of neighbouring values, its frequencies divided by `rope_freqs.weight` where the file has it.
    mutating func readLlama(_ metadata: ArchitectureMetadata) throws {
        try metadata.refuseWindow()
    }
}
