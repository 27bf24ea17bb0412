// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Keys and values of prompts' beginnings, for sequences that begin in the same way.
///
/// The cache is a tree of blocks of ``Model/prefixBlock`` tokens: a path from the root spells a beginning. A block is copied into a sequence, which takes a few milliseconds for hundreds of tokens, and the sequence goes on with
/// the same bits as if it had computed them. What was used least lately goes first when the cache is full.
///
///     let cache = PrefixCache(byteLimit: 256 << 20)
///     let known = cache.restore(prompt, into: session)
///     try session.prefill(Array(prompt[known...]))
///     cache.store(prompt, from: session)
///
/// One cache serves any number of models and threads.
public final class PrefixCache: Sendable {
    /// What a cache did so far.
    public struct Counters: Hashable, Sendable {
        /// Calls of ``PrefixCache/restore(_:into:)`` that copied something, and that did not.
        public var hits = 0
        public var misses = 0
        /// Tokens that were copied and not computed.
        public var tokensSaved = 0
        /// Blocks that were stored, and that had to go again.
        public var storedBlocks = 0
        public var evictions = 0
        /// What is held now.
        public var blocks = 0
        public var bytes = 0
    }

    /// The most bytes of keys and values that are held.
    public let byteLimit: Int

    private let tree: Mutex<Tree>

    /// Creates an empty cache.
    public init(byteLimit: Int) {
        self.byteLimit = byteLimit
        tree = Mutex(Tree())
    }

    /// What the cache did so far.
    public var counters: Counters { tree.withLock { $0.counters } }

    /// Copies the longest known beginning of a prompt into a sequence, from its present length on.
    ///
    /// At least the prompt's last token is left to be computed, so that there are logits afterwards.
    ///
    /// - Parameter session: Its tokens are the beginning of `prompt`. Nothing is copied unless it holds whole blocks.
    /// - Returns: The new length of the sequence.
    @discardableResult
    public func restore(_ prompt: [Int32], into session: InferenceSession) -> Int {
        let size = session.model.prefixBlock
        guard session.position % size == 0 else { return session.position }
        let last = min(prompt.count - 1, session.contextLength) / size
        guard session.position / size < last else { return session.position }
        // Copying needs no lock: blocks are never changed, and stay alive while they are held here.
        let found = tree.withLock { $0.find(prompt, blocks: last, Root(session), skipping: session.position / size) }
        for block in found {
            session.cache.view.write(
                block.memory.base, from: session.position, count: size, layers: session.model.layerCount)
            session.didAppend(size)
        }
        return session.position
    }

    /// Keeps the whole blocks of a prompt that a sequence has computed.
    ///
    /// - Parameter session: Its first tokens, as far as both reach, are those of `prompt`, and were given as a prompt.
    public func store(_ prompt: [Int32], from session: InferenceSession) {
        let size = session.model.prefixBlock
        let count = min(prompt.count, session.position) / size
        let (root, layers) = (Root(session), session.model.layerCount)
        let bytes = session.cache.view.byteCount(positions: size, layers: layers)
        guard count > 0, bytes <= byteLimit else { return }
        var known = tree.withLock { $0.known(prompt, blocks: count, root) }
        while known < count {
            guard let memory = try? Memory(byteCount: bytes, for: "the prefix cache") else { return }
            session.cache.view.read(into: memory.base, from: known * size, count: size, layers: layers)
            let length = tree.withLock {
                $0.insert(prompt, block: known, root, Block(memory, bytes: bytes), limit: byteLimit)
            }
            guard let length else { return }
            known = length
        }
    }

    /// Forgets everything, or what belongs to a model.
    public func removeAll(of model: Model? = nil) {
        tree.withLock { $0.removeAll { model == nil || $0.model == model?.identity } }
    }

    /// What keys and values depend on besides the tokens.
    private struct Root: Hashable {
        var model: Int
        /// Whether the sequence is rotated for long contexts.
        var isLong: Bool
        /// The tokens of a block.
        var block: Int

        init(_ session: InferenceSession) {
            model = session.model.identity
            isLong = session.isLong
            block = session.model.prefixBlock
        }
    }

    /// Keys and values of a block, and its place in the tree and in the order of use.
    private final class Block {
        let memory: Memory
        let bytes: Int
        var children: [ArraySlice<Int32>: Block] = [:]
        /// Nil for the first block of a prompt.
        weak var parent: Block?
        var key: ArraySlice<Int32> = []
        var root: Root?
        // The order of use: towards what was used later, and earlier.
        unowned(unsafe) var later: Block?
        unowned(unsafe) var earlier: Block?

        init(_ memory: Memory, bytes: Int) {
            self.memory = memory
            self.bytes = bytes
        }
    }

    private struct Tree: ~Copyable {
        var counters = Counters()
        private var roots: [Root: [ArraySlice<Int32>: Block]] = [:]
        private var latest: Block?
        private var earliest: Block?

        /// The blocks that spell the beginning of a prompt, in order.
        private func path(_ prompt: [Int32], blocks: Int, _ root: Root) -> [Block] {
            let size = root.block
            var path: [Block] = []
            var level = roots[root] ?? [:]
            while path.count < blocks, let next = level[prompt[path.count * size..<(path.count + 1) * size]] {
                path.append(next)
                level = next.children
            }
            return path
        }

        mutating func known(_ prompt: [Int32], blocks: Int, _ root: Root) -> Int {
            path(prompt, blocks: blocks, root).count
        }

        mutating func find(_ prompt: [Int32], blocks: Int, _ root: Root, skipping: Int) -> ArraySlice<Block> {
            let path = path(prompt, blocks: blocks, root)
            touch(path)
            let new = path.dropFirst(skipping)
            if new.isEmpty { counters.misses += 1 } else { counters.hits += 1 }
            counters.tokensSaved += new.count * root.block
            return new
        }

        /// Adds a block where the blocks before it are known.
        ///
        /// - Returns: The number of blocks that are known now, or nil if there is no place for this one.
        mutating func insert(_ prompt: [Int32], block index: Int, _ root: Root, _ block: Block, limit: Int) -> Int? {
            let size = root.block
            let path = path(prompt, blocks: index + 1, root)
            // Another thread may have stored it, or the blocks before it may have had to go.
            guard path.count == index else { return path.count > index ? path.count : nil }
            touch(path)
            while counters.bytes + block.bytes > limit {
                // The earliest block has no children: its parents were used whenever it was.
                guard let victim = earliest, !path.contains(where: { $0 === victim }) else { return nil }
                remove(victim)
                counters.evictions += 1
            }
            // A key of its own: a slice would keep the whole prompt alive.
            block.key = Array(prompt[index * size..<(index + 1) * size])[...]
            block.root = root
            block.parent = path.last
            if let parent = path.last {
                parent.children[block.key] = block
            } else {
                roots[root, default: [:]][block.key] = block
            }
            link(block)
            touch(path)
            counters.storedBlocks += 1
            counters.blocks += 1
            counters.bytes += block.bytes
            return index + 1
        }

        /// Makes the blocks the latest, the first block last of all.
        private mutating func touch(_ path: [Block]) {
            for block in path.reversed() {
                unlink(block)
                link(block)
            }
        }

        private mutating func link(_ block: Block) {
            block.earlier = latest
            block.later = nil
            latest?.later = block
            latest = block
            if earliest == nil { earliest = block }
        }

        private mutating func unlink(_ block: Block) {
            if let later = block.later { later.earlier = block.earlier } else { latest = block.earlier }
            if let earlier = block.earlier { earlier.later = block.later } else { earliest = block.later }
            block.later = nil
            block.earlier = nil
        }

        private mutating func remove(_ block: Block) {
            unlink(block)
            counters.blocks -= 1
            counters.bytes -= block.bytes
            if let parent = block.parent {
                parent.children[block.key] = nil
            } else if let root = block.root {
                roots[root]?[block.key] = nil
                if roots[root]?.isEmpty == true { roots[root] = nil }
            }
        }

        mutating func removeAll(where matches: (Root) -> Bool) {
            var open = roots.filter { matches($0.key) }.flatMap { $0.value.values }
            while let block = open.popLast() {
                open += block.children.values
                block.children = [:]
                block.parent = nil
                unlink(block)
                counters.blocks -= 1
                counters.bytes -= block.bytes
            }
            for root in roots.keys where matches(root) { roots[root] = nil }
        }
    }
}

/// Positions that are copied are whole panels of keys, so that each head's are in one piece, as its values are.
extension KeyValueCache.View {
    /// Bytes of a number of positions in all layers.
    func byteCount(positions: Int, layers: Int) -> Int {
        layers * 2 * headCount * positions * headLength * elementBytes
    }

    /// Copies positions out of the cache.
    func read(into memory: UnsafeMutableRawPointer, from position: Int, count: Int, layers: Int) {
        let bytes = count * headLength * elementBytes
        for piece in 0..<layers * 2 * headCount {
            (memory + piece * bytes).copyMemory(from: self.piece(piece, position), byteCount: bytes)
        }
    }

    /// Copies positions into the cache.
    func write(_ memory: UnsafeMutableRawPointer, from position: Int, count: Int, layers: Int) {
        let bytes = count * headLength * elementBytes
        for piece in 0..<layers * 2 * headCount {
            self.piece(piece, position).copyMemory(from: memory + piece * bytes, byteCount: bytes)
        }
    }

    private func piece(_ piece: Int, _ position: Int) -> UnsafeMutableRawPointer {
        base + (piece * capacity + position) * headLength * elementBytes
    }
}
