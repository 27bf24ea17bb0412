// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

/// The forward pass written out plainly in double precision, one position at a time: what the engine is checked against.
struct PlainForwardPass {
    let model: TinyModel

    /// The logits after each token.
    func logits(_ tokens: [Int32]) -> [[Double]] {
        let isGemma = model.architecture.hasPrefix("gemma")
        let hasHeadNorms = ["gemma3", "qwen3"].contains(model.architecture)
        var keys = [[[Double]]](repeating: [], count: model.layers)
        var values = keys
        return tokens.enumerated().map { position, token in
            var x = row("token_embd.weight", Int(token))
            if isGemma { x = x.map { $0 * Double(model.width).squareRoot() } }
            for layer in 0..<model.layers {
                let prefix = "blk.\(layer)."
                let hasWindow = isGemma && (layer + 1) % 2 != 0
                let base = model.architecture == "gemma3" && !hasWindow ? 1_000_000.0 : 10_000.0
                let input = norm(x, prefix + "attn_norm.weight")
                let (queries, length) = (model.heads * model.headLength, model.kvHeads * model.headLength)
                let isFused = model.architecture == "phi3"
                let all = isFused ? product(prefix + "attn_qkv.weight", input) : []
                var query = isFused ? Array(all[..<queries]) : product(prefix + "attn_q.weight", input)
                var key =
                    isFused ? Array(all[queries..<queries + length]) : product(prefix + "attn_k.weight", input)
                var value = isFused ? Array(all[(queries + length)...]) : product(prefix + "attn_v.weight", input)
                if model.architecture == "qwen2" {
                    query = sum(query, numbers(prefix + "attn_q.bias"))
                    key = sum(key, numbers(prefix + "attn_k.bias"))
                    value = sum(value, numbers(prefix + "attn_v.bias"))
                }
                query = turn(query, position, base, hasHeadNorms ? prefix + "attn_q_norm.weight" : nil)
                key = turn(key, position, base, hasHeadNorms ? prefix + "attn_k_norm.weight" : nil)
                keys[layer].append(key)
                values[layer].append(value)
                let first = hasWindow ? max(0, position - model.window + 1) : 0
                let mixed = attend(query, keys[layer], values[layer], first...position)
                var out = product(prefix + "attn_output.weight", mixed)
                if isGemma { out = norm(out, prefix + "post_attention_norm.weight") }
                x = sum(x, out)
                let middle = norm(x, prefix + "ffn_norm.weight")
                let both = product(prefix + "ffn_up.weight", middle)
                let gate = (isFused ? Array(both[..<model.hidden]) : product(prefix + "ffn_gate.weight", middle))
                    .map { isGemma ? gelu($0) : $0 / (1 + exp(-$0)) }
                let up = isFused ? Array(both[model.hidden...]) : both
                var down = product(prefix + "ffn_down.weight", zip(gate, up).map { $0 * $1 })
                if isGemma { down = norm(down, prefix + "post_ffw_norm.weight") }
                x = sum(x, down)
            }
            let logits = product(model.isTied ? "token_embd.weight" : "output.weight", norm(x, "output_norm.weight"))
            return model.architecture == "gemma2" ? logits.map { capped($0, TinyModel.logitSoftcap) } : logits
        }
    }

    private func numbers(_ name: String) -> [Double] { (model.values[name] ?? []).map(Double.init) }

    private func row(_ name: String, _ index: Int) -> [Double] {
        Array(numbers(name)[index * model.width..<(index + 1) * model.width])
    }

    private func sum(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 + $1 } }

    private func product(_ name: String, _ x: [Double]) -> [Double] {
        let weights = model.values[name] ?? []
        return (0..<weights.count / x.count).map { row in
            var total = 0.0
            for column in x.indices { total += Double(weights[row * x.count + column]) * x[column] }
            return total
        }
    }

    private func norm(_ x: [Double], _ name: String) -> [Double] {
        let scale = 1 / (x.reduce(0) { $0 + $1 * $1 } / Double(x.count) + 1e-5).squareRoot()
        return zip(x, numbers(name)).map { $0 * scale * $1 }
    }

    private func turn(_ heads: [Double], _ position: Int, _ base: Double, _ normName: String?) -> [Double] {
        let length = model.headLength
        var result: [Double] = []
        for start in stride(from: 0, to: heads.count, by: length) {
            var head = Array(heads[start..<start + length])
            if let normName { head = norm(head, normName) }
            for pair in 0..<length / 2 {
                let angle = Double(position) * pow(base, -2 * Double(pair) / Double(length))
                let (i, j) = model.architecture == "llama" ? (2 * pair, 2 * pair + 1) : (pair, pair + length / 2)
                let (a, b) = (head[i], head[j])
                head[i] = a * cos(angle) - b * sin(angle)
                head[j] = a * sin(angle) + b * cos(angle)
            }
            result += head
        }
        return result
    }

    private func attend(
        _ query: [Double], _ keys: [[Double]], _ values: [[Double]], _ range: ClosedRange<Int>
    ) -> [Double] {
        let length = model.headLength
        var result = [Double](repeating: 0, count: query.count)
        for head in 0..<model.heads {
            let (q, k) = (head * length, head / (model.heads / model.kvHeads) * length)
            let scores = range.map { position -> Double in
                let product = (0..<length).reduce(0) { $0 + query[q + $1] * keys[position][k + $1] }
                let score = product / Double(length).squareRoot()
                return model.architecture == "gemma2" ? capped(score, TinyModel.attentionSoftcap) : score
            }
            let peak = scores.max() ?? 0
            let weights = scores.map { exp($0 - peak) }
            let total = weights.reduce(0, +)
            for (position, weight) in zip(range, weights) {
                for i in 0..<length { result[q + i] += weight / total * values[position][k + i] }
            }
        }
        return result
    }

    private func capped(_ x: Double, _ cap: Double) -> Double { cap * tanh(x / cap) }

    private func gelu(_ x: Double) -> Double {
        0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }
}
