// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inference
import TestSupport
import Testing

struct PrefixCacheTests {
    private func model(_ architecture: String = "llama", _ format: String = "Q8_0") throws -> Model {
        try load(TinyModel(architecture, format: format, context: 700))
    }

    private func prompt(_ count: Int, from seed: Int = 0) -> [Int32] {
        (0..<count).map { Int32(($0 * 37 + 11 + seed * 29 + $0 / 80) % 80) }
    }

    @Test(arguments: ["llama", "gemma3", "qwen2", "qwen3", "gemma2"], ["F32", "Q8_0", "Q4_1"])
    func copiedPromptsGiveTheSameBits(_ architecture: String, _ format: String) throws {
        let model = try model(architecture, format)
        let cache = PrefixCache(byteLimit: 64 << 20)
        let (first, second) = (
            try InferenceSession(model, contextLength: 600), try InferenceSession(model, contextLength: 450))
        try first.prefillWithoutLogits(prompt(400))
        cache.store(prompt(400), from: first)
        let block = format == "F32" ? 64 : 16
        #expect(model.prefixBlock == block)
        #expect(cache.counters.storedBlocks == 400 / block)
        // Another end, and another length of context.
        let other = prompt(390) + [1, 2, 3]
        #expect(cache.restore(other, into: second) == 384)
        #expect(cache.counters.tokensSaved == 384)
        try second.prefill(Array(other[second.position...]))
        first.truncate(to: 0)
        try first.prefill(other)
        #expect(Array(first.logits) == Array(second.logits))
        for _ in 0..<5 {
            try first.decode(first.argmax())
            try second.decode(second.argmax())
            #expect(Array(first.logits) == Array(second.logits))
        }
    }

    @Test func leavesATokenToCompute() throws {
        let model = try model()
        let block = model.prefixBlock
        let cache = PrefixCache(byteLimit: 64 << 20)
        let (first, second) = (
            try InferenceSession(model, contextLength: 600), try InferenceSession(model, contextLength: 600))
        try first.prefillWithoutLogits(prompt(2 * block))
        cache.store(prompt(2 * block), from: first)
        #expect(cache.restore(prompt(2 * block), into: second) == block)
        second.truncate(to: block - 6)
        #expect(cache.restore(prompt(2 * block), into: second) == block - 6)
        second.truncate(to: 0)
        #expect(cache.restore(Array(prompt(block).dropFirst()), into: second) == 0)
        #expect(cache.restore([], into: second) == 0)
    }

    @Test func doesNotMixModels() throws {
        let (one, other) = (try model(), try model())
        let cache = PrefixCache(byteLimit: 64 << 20)
        let first = try InferenceSession(one, contextLength: 200)
        let second = try InferenceSession(other, contextLength: 200)
        try first.prefillWithoutLogits(prompt(130))
        cache.store(prompt(130), from: first)
        #expect(cache.restore(prompt(150), into: second) == 0)
        #expect(cache.counters.misses == 1)
        cache.removeAll(of: other)
        #expect(cache.counters.blocks == 130 / one.prefixBlock)
        cache.removeAll(of: one)
        #expect(cache.counters.blocks == 0)
        #expect(cache.counters.bytes == 0)
    }

    @Test(arguments: ["F32", "Q8_0"]) func dropsWhatWasUsedLeastLately(_ format: String) throws {
        let model = try model("llama", format)
        let block = model.prefixBlock
        let session = try InferenceSession(model, contextLength: 600)
        let probe = PrefixCache(byteLimit: .max)
        try session.prefillWithoutLogits(prompt(block))
        probe.store(prompt(block), from: session)
        let bytes = probe.counters.bytes
        // Four blocks: a beginning of two, and two others.
        let cache = PrefixCache(byteLimit: 4 * bytes + 100)
        func store(_ seed: Int, blocks: Int) throws {
            session.truncate(to: 0)
            try session.prefillWithoutLogits(prompt(blocks * block, from: seed))
            cache.store(prompt(blocks * block, from: seed), from: session)
        }
        func known(_ seed: Int) throws -> Int {
            let other = try InferenceSession(model, contextLength: 600)
            return cache.restore(prompt(500, from: seed), into: other) / model.prefixBlock
        }
        try store(1, blocks: 2)
        try store(2, blocks: 1)
        try store(3, blocks: 1)
        #expect(try known(1) == 2)
        // 2 is the earliest now.
        try store(4, blocks: 1)
        #expect(cache.counters.evictions == 1)
        #expect(try known(2) == 0)
        #expect(try [known(1), known(3), known(4)] == [2, 1, 1])
        // The end of a beginning goes before its start.
        try store(5, blocks: 1)
        #expect(try known(1) == 1)
        #expect(cache.counters.bytes == 4 * bytes)
        #expect(cache.counters.blocks == 4)
        // More than there is room for: what fits of it.
        try store(6, blocks: 6)
        #expect(try known(6) == 4)
        #expect(cache.counters.bytes <= cache.byteLimit)
        let none = PrefixCache(byteLimit: bytes - 1)
        none.store(prompt(block), from: session)
        #expect(none.counters.blocks == 0)
    }

    @Test func isUsedFromManyThreads() async throws {
        let model = try model()
        let block = model.prefixBlock
        let session = try InferenceSession(model, contextLength: 200)
        try session.prefillWithoutLogits(prompt(block))
        let probe = PrefixCache(byteLimit: .max)
        probe.store(prompt(block), from: session)
        let cache = PrefixCache(byteLimit: 5 * probe.counters.bytes)
        let expected = try (0..<4).map { seed in
            let session = try InferenceSession(model, contextLength: 300)
            try session.prefill(prompt(200, from: seed))
            return Array(session.logits)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<16 {
                group.addTask {
                    let seed = index % 4
                    let session = try InferenceSession(model, contextLength: 300)
                    let text = prompt(200, from: seed)
                    let known = cache.restore(text, into: session)
                    try session.prefill(Array(text[known...]))
                    cache.store(text, from: session)
                    #expect(Array(session.logits) == expected[seed])
                }
            }
            try await group.waitForAll()
        }
        #expect(cache.counters.bytes <= cache.byteLimit)
        #expect(cache.counters.evictions > 0)
    }
}
