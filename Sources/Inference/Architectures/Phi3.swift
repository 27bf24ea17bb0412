// SPDX-License-Identifier: Apache-2.0

extension ModelConfiguration {
    /// `phi3`: fused projections, part of each head rotated, long and short factors of the rotation.
    ///
    /// Published files name a sliding window; it is ignored, for the models were made without one.
    mutating func readPhi3(_ metadata: ArchitectureMetadata) throws {
        ropeHalves = true
        fusesProjections = true
        ropeMagnitude = Float(try metadata.positive("rope.scaling.attn_factor", default: 1))
        originalContextLength = try metadata.size(
            "rope.scaling.original_context_length", upTo: 1 << 27, default: contextLength)
    }
}
