// SPDX-License-Identifier: Apache-2.0

extension ModelConfiguration {
    /// `gemma3`: a norm on the queries and keys of each head, a window in five layers of six with a rotation base of its own.
    mutating func readGemma3(_ metadata: ArchitectureMetadata) throws {
        ropeHalves = true
        usesGELU = true
        normalizesHeads = true
        normalizesOutputs = true
        embeddingScale = Float(embeddingLength).squareRoot()
        // The largest published size, known by its layers, scales by the width per head instead.
        if layerCount == 62 { attentionScale = 1 / Float(max(embeddingLength / headCount, 1)).squareRoot() }
        try readWindow(metadata, period: 6)
    }
}
