// SPDX-License-Identifier: Apache-2.0

/// The first step of a stored completion in tokens.
struct CompletionStep {
    /// The number of tokens of the whole completion.
    var count: Int
    /// Its first token, and the configuration after it; meaningless where the count is zero.
    var token: UInt32
    var next: ConfigID
}

extension ConstraintEngine {
    /// The most nodes a walk under a budget visits.
    private static let walkLimit = 1 << 20
    /// The most bytes that spell one character of a string.
    private static let longestSpelling = 6
    /// The most configurations looked at in the search for a completion without unspellable bytes.
    private static let searchLimit = 1 << 14

    /// The number of tokens of ``completion(_:)``: enough to complete the text.
    package func minimumTokens(_ configuration: ConfigID) -> Int {
        completionStep(configuration)?.count ?? .max
    }

    /// A short sequence of tokens that completes the text.
    package func completion(_ configuration: ConfigID) -> [Int] {
        var tokens: [Int] = []
        var configuration = configuration
        while let step = completionStep(configuration), step.count > 0 {
            tokens.append(Int(step.token))
            configuration = step.next
        }
        return tokens
    }

    /// Writes the tokens after which the text can still be completed within the budget.
    ///
    /// With a budget of at least ``minimumTokens(_:)`` the mask is never empty, and the same holds after each token it
    /// allows with a budget less by one. Under a tight budget it may leave out some tokens after which the rest would
    /// just fit.
    ///
    /// - Parameter budget: How many tokens may still come, the end of generation not counted.
    package func fillMask(_ configuration: ConfigID, budget: Int, into mask: inout TokenMask) {
        if budget > reach(configuration) {
            fillMask(configuration, into: &mask)
            return
        }
        precondition(mask.tokenCount == vocabulary.count, "TokenMask and vocabulary differ in size")
        let words = mask.storage
        words.update(repeating: 0, count: vocabulary.wordCapacity)
        guard !configuration.isDead else { return }
        if machine.isAccepting(configuration) { addEnds(to: words) }
        guard budget > 0 else { return }
        if let step = completionStep(configuration), step.count > 0, step.count <= budget {
            words[Int(step.token >> 6)] |= 1 << UInt64(step.token & 63)
        }
        _ = survey(vocabulary.trie, configuration, limit: budget - 1, words)
    }

    /// Whether the text can be completed within `budget` tokens.
    package func fits(_ configuration: ConfigID, budget: Int) -> Bool {
        if !isGuarded, machine.minimumCompletion(configuration) <= budget { return true }
        return minimumTokens(configuration) <= budget
    }

    /// The most tokens that a completion may need after any one token: an upper bound.
    private func reach(_ configuration: ConfigID) -> Int {
        if let known = reaches[configuration] { return known }
        let result =
            configuration.isDead
            ? .max : bodyReach(configuration) ?? survey(vocabulary.trie, configuration, limit: .max, nil)
        reaches[configuration] = result
        return result
    }

    /// The same within a string whose end does not depend on its content, without looking at each token.
    private func bodyReach(_ configuration: ConfigID) -> Int? {
        guard !isGuarded, vocabulary.closers.far.isEmpty, let body = machine.stringBody(configuration),
            let closingCost = body.closingCost, let end = machine.stringEnd(configuration), end.exceptions.isEmpty
        else { return nil }
        var content = body.missingScalars
        if let automaton = body.automaton {
            guard body.missingScalars == 0, let rest = AutomatonSummary.of(automaton).longestRest else { return nil }
            content = rest * ConstraintEngine.longestSpelling
        }
        // A token may end within a character.
        let inside = content + ConstraintEngine.longestSpelling + closingCost
        let outside: Int
        if let known = restReaches[end.closing] {
            outside = known
        } else {
            outside = max(
                machine.minimumCompletion(end.closing), survey(vocabulary.closers.rests, end.closing, limit: .max, nil)
            )
            restReaches[end.closing] = outside
        }
        return max(inside, outside)
    }

    /// Visits all tokens that may come next.
    ///
    /// - Parameters:
    ///   - trie: The tokens.
    ///   - limit: How long a completion after the token may be.
    ///   - words: Where to add the tokens that keep to the limit.
    /// - Returns: The longest completion after a token: a bound in tokens, `Int.max` if the walk was cut short.
    private func survey(
        _ trie: TokenTrie, _ configuration: ConfigID, limit: Int, _ words: UnsafeMutablePointer<UInt64>?
    ) -> Int {
        let machine = machine
        let nodes = trie.nodes
        let stack = UnsafeMutablePointer<ConfigID>.allocate(capacity: trie.maximumDepth + 2)
        defer { stack.deallocate() }
        stack.initialize(repeating: .dead, count: trie.maximumDepth + 2)
        stack[0] = configuration
        var longest = 0
        var visited = 0
        var index = 1
        var previous: (configuration: ConfigID, cost: Int) = (.dead, 0)
        func add(_ first: UInt32, _ end: UInt32) {
            guard let words else { return }
            for rank in first..<end {
                let id = trie.tokens[Int(rank)]
                words[Int(id >> 6)] |= 1 << UInt64(id & 63)
            }
        }
        while index < trie.nodeCount {
            let node = nodes[index]
            let next = machine.step(stack[Int(node.depth) - 1], node.byte)
            visited += 1
            if visited > ConstraintEngine.walkLimit { return .max }
            if next.isDead {
                index = Int(node.end)
                continue
            }
            let ownEnd = nodes[index + 1].firstRank
            if node.firstRank < ownEnd {
                if previous.configuration != next {
                    previous = (next, cost(next, limit: limit))
                }
                if previous.cost <= limit, previous.cost < .max { add(node.firstRank, ownEnd) }
                if !(isGuarded && previous.cost == .max) { longest = max(longest, previous.cost) }
            }
            if !isGuarded, Int(node.end) - index > 2, let bound = runBound(next), bound <= limit,
                summaries.summary(of: next, machine).covers(node.classes, scalars: node.maximumScalars)
            {
                add(ownEnd, nodes[Int(node.end)].firstRank)
                longest = max(longest, bound)
                index = Int(node.end)
                continue
            }
            stack[Int(node.depth)] = next
            index += 1
        }
        return longest
    }

    /// The bytes of a completion after any run that the summary of a string's configuration covers; nil where none is
    /// known.
    private func runBound(_ configuration: ConfigID) -> Int? {
        guard let body = machine.stringBody(configuration), let closingCost = body.closingCost else { return nil }
        guard body.automaton != nil else {
            return body.missingScalars + ConstraintEngine.longestSpelling + closingCost
        }
        let summary = summaries.summary(of: configuration, machine)
        let rest = max(summary.longestRest, body.missingScalars)
        guard body.missingScalars == 0 || summary.canWait, rest < 1 << 32 else { return nil }
        return (rest + 1) * ConstraintEngine.longestSpelling + closingCost
    }

    /// The tokens of a completion: the number of bytes where that keeps to the limit, because each is a token.
    private func cost(_ configuration: ConfigID, limit: Int) -> Int {
        if !isGuarded {
            let bytes = machine.minimumCompletion(configuration)
            if bytes <= limit { return bytes }
        }
        return minimumTokens(configuration)
    }

    /// The first step of a completion; nil if none was found, which happens only to an engine that lacks bytes.
    ///
    /// Steps are kept for good and a step's count only falls, so that following a completion always leads to its end.
    func completionStep(_ configuration: ConfigID) -> CompletionStep? {
        if let known = completions[configuration] { return known.count == .max ? nil : known }
        guard !configuration.isDead else { return nil }
        let tokens = tokenise(machine.witness(configuration)) ?? searchSpelling(configuration).flatMap(tokenise)
        guard let tokens else {
            completions[configuration] = CompletionStep(count: .max, token: 0, next: .dead)
            return nil
        }
        var next = configuration
        for (index, token) in tokens.enumerated() {
            let after = vocabulary.withBytes(of: Int(token)) { bytes in
                bytes.reduce(next) { machine.step($0, $1) }
            }
            let count = tokens.count - index
            if count < completions[next]?.count ?? .max {
                completions[next] = CompletionStep(count: count, token: token, next: after)
            }
            next = after
        }
        completions[next] = CompletionStep(count: 0, token: 0, next: .dead)
        return completions[configuration]
    }

    /// The fewest tokens that spell `bytes`; nil if none do.
    func tokenise(_ bytes: [UInt8]) -> [UInt32]? {
        let trie = vocabulary.trie
        let count = bytes.count
        var fewest = [Int](repeating: .max, count: count + 1)
        var token = [UInt32](repeating: 0, count: count + 1)
        var length = [Int](repeating: 0, count: count + 1)
        fewest[count] = 0
        for start in stride(from: count - 1, through: 0, by: -1) {
            var node = 0
            var position = start
            while position < count, let child = trie.child(of: node, bytes[position]) {
                node = child
                position += 1
                // Of equally few tokens the longest first.
                if trie.hasToken(at: node), fewest[position] < .max, fewest[position] + 1 <= fewest[start] {
                    fewest[start] = fewest[position] + 1
                    token[start] = trie.token(at: node)
                    length[start] = position - start
                }
            }
        }
        guard fewest[0] < .max else { return nil }
        var tokens: [UInt32] = []
        var position = 0
        while position < count {
            tokens.append(token[position])
            position += length[position]
        }
        return tokens
    }

    /// A completion in bytes that are tokens of their own, found breadth first within a limit.
    private func searchSpelling(_ configuration: ConfigID) -> [UInt8]? {
        var cameFrom: [ConfigID: (from: ConfigID, byte: UInt8)] = [configuration: (.dead, 0)]
        var queue = [configuration]
        var head = 0
        while head < queue.count, queue.count < ConstraintEngine.searchLimit {
            let current = queue[head]
            head += 1
            if machine.isAccepting(current) {
                var bytes: [UInt8] = []
                var at = current
                while at != configuration, let step = cameFrom[at] {
                    bytes.append(step.byte)
                    at = step.from
                }
                return bytes.reversed()
            }
            machine.allowedBytes(current).intersection(vocabulary.singleBytes).forEach { byte in
                let next = machine.step(current, byte)
                if !next.isDead, cameFrom[next] == nil {
                    cameFrom[next] = (current, byte)
                    queue.append(next)
                }
            }
        }
        return nil
    }
}
