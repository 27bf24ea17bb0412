// SPDX-License-Identifier: Apache-2.0

import Constraints
import Inference
package import Tokenizers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A text that a value can have, and its spelling in tokens.
package struct ValueCandidate {
    var alternative: ConstraintEngine.Alternative
    var tokens: [TokenID]
}

/// Chooses among the few texts that a value can have by the probability of each as a whole.
///
/// Taking the likeliest token at each step can lead into a value that is unlikely as a whole: after `"re`, `refused` may
/// follow with a small part of the probability that `timeout` had. The search goes best first over the tree of the texts'
/// tokens: a beginning is at least as likely as anything that follows from it, so that the first whole text that comes up
/// is the likeliest, and mostly no more is computed than the tokens that are taken in the end.
struct ValueChooser {
    /// What was found.
    struct Choice {
        /// The chosen candidate.
        var index: Int
        /// The natural logarithm of each candidate's probability, as far as it was computed.
        var logProbabilities: [Double?]
        /// Tokens after the base that the model's cache holds now.
        var path: [TokenID]
    }

    private struct Node {
        var parent: Int
        var token: TokenID
        var children: [Int] = []
        /// The candidate that ends here.
        var candidate: Int?
    }

    private struct Entry {
        var score: Double
        var node: Int
        /// Whether the score includes the end of the candidate there.
        var isFinal: Bool
    }

    private var nodes = [Node(parent: -1, token: -1)]
    private let candidates: [ValueCandidate]

    /// - Parameter candidates: At least one; no two with the same tokens.
    init(_ candidates: [ValueCandidate]) {
        self.candidates = candidates
        for (index, candidate) in candidates.enumerated() {
            var node = 0
            for token in candidate.tokens {
                if let child = nodes[node].children.first(where: { nodes[$0].token == token }) {
                    node = child
                } else {
                    nodes.append(Node(parent: node, token: token))
                    nodes[node].children.append(nodes.count - 1)
                    node = nodes.count - 1
                }
            }
            nodes[node].candidate = index
        }
    }

    private func path(to node: Int) -> [TokenID] {
        var tokens: [TokenID] = []
        var node = node
        while node > 0 {
            tokens.append(nodes[node].token)
            node = nodes[node].parent
        }
        return tokens.reversed()
    }

    /// Searches for the likeliest candidate.
    ///
    /// - Parameters:
    ///   - model: Its last token is the one before the candidates.
    ///   - closers: The tokens that begin with the closing quote.
    ///   - all: Whether the probability of every candidate is computed.
    /// - Returns: Nil if the model gives no usable probabilities.
    func choose(model: any LanguageModel, closers: () -> [TokenID], all: Bool) throws(InferenceError) -> Choice? {
        let base = model.position
        var path: [TokenID] = []
        var open = [Entry(score: 0, node: 0, isFinal: false)]
        var choice = Choice(index: -1, logProbabilities: Array(repeating: nil, count: candidates.count), path: [])
        while let best = open.indices.max(by: { open[$0].score < open[$1].score }) {
            let entry = open.remove(at: best)
            let node = nodes[entry.node]
            if let candidate = node.candidate, entry.isFinal || node.children.isEmpty {
                choice.logProbabilities[candidate] = entry.score
                if choice.index < 0 { choice.index = candidate }
                if all { continue } else { break }
            }
            let target = self.path(to: entry.node)
            let common = zip(path, target).prefix { $0 == $1 }.count
            if common < path.count { model.truncate(to: base + common) }
            if common < target.count { try model.append(Array(target[common...])) }
            path = target
            try model.computeLogits()
            let logits = model.logits
            guard let norm = Self.logSumExp(logits) else { return nil }
            for child in node.children {
                let token = Int(nodes[child].token)
                guard logits.indices.contains(token) else { return nil }
                open.append(Entry(score: entry.score + Double(logits[token]) - norm, node: child, isFinal: false))
            }
            if node.candidate != nil {
                // Another candidate goes on from here: the end counts as a step of its own.
                var ends = 0.0
                for token in closers() where logits.indices.contains(Int(token)) {
                    ends += exp(Double(logits[Int(token)]) - norm)
                }
                open.append(Entry(score: entry.score + log(ends), node: entry.node, isFinal: true))
            }
        }
        guard choice.index >= 0 else { return nil }
        choice.path = path
        return choice
    }

    /// The logarithm of the sum of the exponentials; nil where a logit is not a number or none is finite.
    private static func logSumExp(_ logits: UnsafeBufferPointer<Float>) -> Double? {
        var top = -Float.infinity
        for logit in logits {
            if logit.isNaN { return nil }
            top = max(top, logit)
        }
        guard top.isFinite else { return nil }
        var sum: Float = 0
        for logit in logits { sum += expf(logit - top) }
        return Double(top) + log(Double(sum))
    }
}
