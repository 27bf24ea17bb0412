// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import JSONSchemas

/// The innermost operations of constrained decoding, each in a loop of its own, so that their instructions can be
/// counted.
///
/// Everything is made up here and depends on nothing random, so that counts can be compared. Counting two lengths of a
/// loop and taking the difference leaves out what comes before it.
public enum HotLoop: String, CaseIterable, Sendable {
    /// A mask of few tokens from the cache.
    case sparseHit = "sparse-hit"
    /// A mask of most of the vocabulary from the cache.
    case denseHit = "dense-hit"
    /// A token within a string.
    case commit
    /// The mask of an unconstrained string, without the cache.
    case stringMask = "string-mask"
    /// The mask of a string with a pattern, without the cache of finished masks.
    case patternMask = "pattern-mask"

    /// Runs a loop; returns a number that depends on all of its results.
    public func run(rounds: Int) throws -> Int {
        let vocabulary = HotLoop.vocabulary()
        let schema =
            #"{"type":"object","properties":{"name":{"type":"string"},"code":{"type":"string","pattern":"^[a-z ]+$"}},"#
            + #""required":["name","code"],"additionalProperties":false}"#
        let graph = try SchemaGraph.load(try JSONReader.read(Array(schema.utf8), file: nil).root)
        let machine = try SchemaMachine(graph, profile: .compact, formats: .assert)
        let isCached = self == .sparseHit || self == .denseHit
        let engine = try ConstraintEngine(
            machine: machine, vocabulary: vocabulary, cacheLimit: isCached ? 64 << 20 : 0)
        let prefix: String
        switch self {
        case .sparseHit: prefix = #"{""#
        case .denseHit, .commit, .stringMask: prefix = #"{"name":"some"#
        case .patternMask: prefix = #"{"name":"some","code":"so"#
        }
        guard let configuration = engine.advance(engine.start(), Array(prefix.utf8)) else {
            throw MaskBench.Failure(message: "'\(prefix)' is not accepted")
        }
        var mask = TokenMask(tokenCount: vocabulary.count)
        engine.fillMask(configuration, into: &mask)
        var total = mask.count
        if self == .commit {
            let token = 300
            for _ in 0..<rounds { total &+= Int(engine.commit(configuration, token)?.rawValue ?? 0) }
        } else {
            for round in 0..<rounds {
                engine.fillMask(configuration, into: &mask)
                total &+= mask.contains(round & 255) ? 1 : 2
            }
        }
        return total
    }

    /// The single bytes, 32,000 words and what joins them in JSON.
    private static func vocabulary() -> TokenVocabulary {
        var tokens: [[UInt8]?] = (0..<256).map { [UInt8($0)] }
        for text in [#"":""#, #"":"#, #"",""#, #"","#, #""}"#, #"{""#, #"},"#, #"}]"#, #"["#, #"],"#, "null", "true"] {
            tokens.append(Array(text.utf8))
        }
        var state: UInt32 = 1
        var seen: Set<[UInt8]> = []
        while tokens.count < 32_768 {
            var word: [UInt8] = []
            state = state &* 1_664_525 &+ 1_013_904_223
            for _ in 0..<(2 + Int(state >> 29)) {
                state = state &* 1_664_525 &+ 1_013_904_223
                let letter = UInt8((state >> 24) % 27)
                word.append(letter == 26 ? 0x20 : 0x61 + letter)
            }
            if seen.insert(word).inserted { tokens.append(word) }
        }
        return TokenVocabulary(tokens: tokens + [nil], endOfGeneration: [tokens.count])
    }
}
