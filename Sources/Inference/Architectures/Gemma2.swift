// SPDX-License-Identifier: Apache-2.0

extension ModelConfiguration {
    /// `gemma2`: bounded scores and logits, a window in every other layer, norms before and after each part.
    mutating func readGemma2(_ metadata: ArchitectureMetadata) throws {
        ropeHalves = true
        usesGELU = true
        normalizesOutputs = true
        embeddingScale = Float(embeddingLength).squareRoot()
        // The 27B size, known by its layers, scales by the width per head instead.
        if layerCount == 46 { attentionScale = 1 / Float(max(embeddingLength / headCount, 1)).squareRoot() }
        attentionSoftcap = try metadata.softcap("attn_logit_softcapping", default: 50)
        logitSoftcap = try metadata.softcap("final_logit_softcapping", default: 30)
        try readWindow(metadata, period: 2, default: 4096)
        windowRopeBase = try metadata.positive("rope.freq_base_swa", default: ropeBase)
        windowRopeScale = ropeScale
    }
}
