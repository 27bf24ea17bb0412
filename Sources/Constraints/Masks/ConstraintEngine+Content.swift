// SPDX-License-Identifier: Apache-2.0

import Patterns

extension ConstraintEngine {
    /// Writes the tokens that begin within a string which an automaton watches over, over all of `words`; what closes it
    /// is looked at by the caller.
    func writeContent(_ knowledge: AutomatonSummary, _ body: StringBody, into words: UnsafeMutablePointer<UInt64>) {
        let most = body.remainingScalars ?? .max
        if body.missingScalars == 0, most >= vocabulary.longestToken {
            // Content alone is the same wherever the automaton is in the same state, for other schemas too, as long as
            // no token comes near the end.
            let masks = knowledge.contentMasks(vocabulary)
            let key = UInt64(UInt32(bitPattern: body.state.rawValue))
            if let reach = knowledge.reach(body.state, vocabulary), reach <= most {
                if masks.read(key, into: words) { return }
            }
            if knowledge.reach(body.state, vocabulary).map({ $0 <= most }) ?? true {
                let reach = walkContent(knowledge, StringBody(state: body.state, remainingScalars: nil), into: words)
                if knowledge.reach(body.state, vocabulary) == nil { masks.store(key, words) }
                knowledge.setReach(body.state, vocabulary, reach)
                if reach <= most { return }
            }
        }
        _ = walkContent(knowledge, body, into: words)
    }

    /// Writes all tokens with content over all of `words`; returns the most scalars that a token and the shortest rest
    /// after it have.
    ///
    /// What any run of some classes keeps alive is taken from slices of the vocabulary; the walk is over the others.
    private func walkContent(
        _ knowledge: AutomatonSummary, _ body: StringBody, into words: UnsafeMutablePointer<UInt64>
    ) -> Int {
        let most = body.remainingScalars ?? .max
        let summary = knowledge.summary(of: body.state)
        let limited = summary.limited(least: body.missingScalars, most: most)
        let runs = addRuns(limited, rest: min(summary.longestRest, 1 << 40), into: words)
        let isAll =
            runs.first.scalars == .max && runs.first.outside & (ScalarClasses.plain | ScalarClasses.partial) == 0
        var walk = ContentWalk(
            trie: isAll ? vocabulary.escaped : vocabulary.trie, automaton: knowledge.automaton,
            longestToken: vocabulary.longestToken,
            window: ContentWindow(knowledge: knowledge, least: body.missingScalars, most: most),
            runs: runs)
        _ = knowledge.beginnings(body.state)
        content[0] = ContentState(
            state: body.state, scalars: 0, lexer: .boundary, summary: summary, isInFirst: true, isInSecond: true)
        walk.add(below: 0, content, words) { _ in }
        return isAll ? max(walk.reach, vocabulary.longestToken + min(summary.longestRest, 1 << 40)) : walk.reach
    }

    /// Writes the tokens of a summary's runs over all of `words`, where they are many.
    private func addRuns(
        _ summary: BodySummary, rest: Int, into words: UnsafeMutablePointer<UInt64>
    ) -> (first: ContentRun, second: ContentRun) {
        var runs = (first: ContentRun(), second: ContentRun())
        if !summary.isEmpty, let (slice, scalars) = vocabulary.contentSlice(summary.classes, scalars: summary.scalars) {
            words.update(from: slice.words, count: vocabulary.wordCapacity)
            runs.first = ContentRun(
                outside: ~summary.classes, scalars: scalars, isFinal: summary.endsDead && scalars == summary.scalars,
                longestRest: rest)
        } else {
            clear(words)
        }
        if let (slice, scalars) = vocabulary.contentSlice(summary.fewerClasses, scalars: summary.moreScalars) {
            for index in 0..<vocabulary.wordCapacity { words[index] |= slice.words[index] }
            runs.second = ContentRun(
                outside: ~summary.fewerClasses, scalars: scalars,
                isFinal: summary.fewerEndDead && scalars == summary.moreScalars, longestRest: rest)
        }
        return runs
    }

    /// Adds the tokens that close a string which an automaton watches over.
    func addContentClosers<Machine: ConstraintMachine>(
        _ machine: Machine, _ knowledge: AutomatonSummary, _ body: StringBody, _ closing: ConfigID,
        into words: UnsafeMutablePointer<UInt64>
    ) {
        let trie = vocabulary.closers.trie
        var walk = ContentWalk(
            trie: trie, automaton: knowledge.automaton, longestToken: vocabulary.longestToken,
            window: ContentWindow(
                knowledge: knowledge, least: body.missingScalars, most: body.remainingScalars ?? .max))
        _ = knowledge.beginnings(body.state)
        content[0] = ContentState(state: body.state, scalars: 0, lexer: .boundary)
        walk.add(below: 0, content, words) { index in
            addTokens(trie, index, into: words)
            self.walk(machine, trie, below: index, closing, into: words)
        }
    }
}

/// A walk over the tokens of a trie that begin within a string.
///
/// It steps the automaton only. It takes a subtree at once where the automaton stays alive through all of it, and
/// passes over one at the cost of a bit where it dies at once.
struct ContentWalk {
    let trie: TokenTrie
    let automaton: Automaton
    let longestToken: Int
    let window: ContentWindow
    /// Tokens that have been added already.
    let firstRun: ContentRun
    let secondRun: ContentRun
    /// The most scalars that a token and the shortest rest after it have together.
    private(set) var reach = 0

    init(
        trie: TokenTrie, automaton: Automaton, longestToken: Int, window: ContentWindow,
        runs: (first: ContentRun, second: ContentRun) = (ContentRun(), ContentRun())
    ) {
        self.trie = trie
        self.automaton = automaton
        self.longestToken = longestToken
        self.window = window
        (firstRun, secondRun) = runs
        window.knowledge.beginWalk()
    }

    /// Adds the tokens strictly below a node; calls `close` with the nodes of closing quotes.
    @inline(__always)
    mutating func add(
        below top: Int, _ content: UnsafeMutablePointer<ContentState>, _ words: UnsafeMutablePointer<UInt64>,
        _ close: (Int) -> Void
    ) {
        walk(top, content, words, close)
    }

    private mutating func walk(
        _ top: Int, _ content: UnsafeMutablePointer<ContentState>, _ words: UnsafeMutablePointer<UInt64>,
        _ close: (Int) -> Void
    ) {
        let nodes = trie.nodes
        let wide = nodes[top].wide
        let start = content[Int(nodes[top].depth)]
        reach = max(reach, start.scalars &+ 1 &+ window.knowledge.longestNext(start.state))
        guard wide != 0, start.lexer.isBoundary else {
            walk(from: top + 1, to: Int(nodes[top].end), content, words, close)
            return
        }
        // Of many children only those that can begin a character.
        let record = trie.wideNodes[Int(wide) - 1]
        let children = trie.children + Int(record.offset)
        window.knowledge.beginnings(start.state).intersection(record.bytes).forEach { byte in
            let child = Int(children[record.bytes.rank(of: byte)])
            walk(from: child, to: Int(nodes[child].end), content, words, close)
        }
    }

    private mutating func walk(
        from first: Int, to end: Int, _ content: UnsafeMutablePointer<ContentState>,
        _ words: UnsafeMutablePointer<UInt64>, _ close: (Int) -> Void
    ) {
        let nodes = trie.nodes
        let tokens = trie.tokens
        let knowledge = window.knowledge
        let isBounded = window.least > 0 || window.most < .max
        let most = window.most
        var index = first
        while index < end {
            let node = nodes + index
            let after = Int(node.pointee.end)
            let depth = Int(node.pointee.depth)
            let parent = content + (depth &- 1)
            let byte = node.pointee.byte
            let isBoundary = parent.pointee.lexer.isBoundary
            if isBoundary {
                if !knowledge.facts[Int(parent.pointee.state.rawValue)].beginnings.contains(byte) {
                    index = after
                    continue
                }
                if after == index &+ 1, !isBounded, byte < 0x80, byte != 0x22, byte != 0x5C {
                    // What can begin is a whole character here, and nothing comes after it.
                    add(index, words)
                    index = after
                    continue
                }
                let (classes, run) = (node.pointee.ownClasses, node.pointee.ownScalars)
                if parent.pointee.isInFirst && firstRun.covers(classes, run, after: parent.pointee.scalars)
                    || parent.pointee.isInSecond && secondRun.covers(classes, run, after: parent.pointee.scalars)
                {
                    let most = run == .max ? longestToken : Int(run)
                    reach = max(
                        reach, parent.pointee.scalars &+ most &+ max(firstRun.longestRest, secondRun.longestRest))
                    index = after
                    continue
                }
                if window.covers(parent.pointee.summary, classes, run, parent.pointee.scalars) {
                    var rank = node.pointee.firstRank
                    let last = nodes[after].firstRank
                    while rank < last {
                        let id = tokens[Int(rank)]
                        words[Int(id >> 6)] |= 1 << UInt64(id & 63)
                        rank &+= 1
                    }
                    let most = run == .max ? longestToken : Int(run)
                    reach = max(
                        reach, parent.pointee.scalars &+ most &+ min(parent.pointee.summary.longestRest, 1 << 40))
                    index = after
                    continue
                }
            }
            let scalar: UInt32
            if isBoundary, byte < 0x80, byte != 0x22, byte != 0x5C {
                scalar = UInt32(byte)
            } else {
                switch parent.pointee.lexer.read(byte) {
                case .invalid:
                    index = after
                    continue
                case .close:
                    if parent.pointee.scalars >= window.least { close(index) }
                    index = after
                    continue
                case .scalar(let value): scalar = value
                case .more(let lexer):
                    // The first byte of a character has been looked up, unless there are bounds to respect.
                    guard parent.pointee.scalars < most,
                        isBoundary && !isBounded || window.canBegin(lexer, from: parent.pointee)
                    else {
                        index = after
                        continue
                    }
                    add(index, words)
                    content[depth].state = parent.pointee.state
                    content[depth].scalars = parent.pointee.scalars
                    content[depth].lexer = lexer
                    content[depth].summary = parent.pointee.summary
                    content[depth].isInFirst = parent.pointee.isInFirst
                    content[depth].isInSecond = parent.pointee.isInSecond
                    index += 1
                    continue
                }
            }
            let scalarClass =
                scalar < 0x80 ? Int(automaton.asciiClass[Int(scalar)]) : automaton.classOf(scalar: scalar)
            let state = automaton.transition(parent.pointee.state, class: scalarClass)
            let scalars = parent.pointee.scalars &+ 1
            guard scalars <= most, isBounded ? window.isViable(state, scalars) : knowledge.isAlive(state) else {
                index = after
                continue
            }
            add(index, words)
            let below = after &- index
            if below > 1 {
                guard knowledge.admits(state) else {
                    index = after
                    continue
                }
                _ = knowledge.beginnings(state)
                let bit = UInt64(1) << UInt64(ScalarClasses.number(of: scalar))
                // What a few nodes cost is not worth getting to know a state.
                var summary = below > 8 ? knowledge.summary(of: state, nodes: below) : .none
                if summary.isEmpty { summary = parent.pointee.summary.after(bit) }
                content[depth] = ContentState(
                    state: state, scalars: scalars, lexer: .boundary, summary: summary,
                    isInFirst: parent.pointee.isInFirst && bit & firstRun.outside == 0,
                    isInSecond: parent.pointee.isInSecond && bit & secondRun.outside == 0)
                if node.pointee.wide != 0 {
                    walk(index, content, words, close)
                    index = after
                    continue
                }
                reach = max(reach, scalars &+ 1 &+ knowledge.longestNext(state))
            }
            index += 1
        }
    }

    /// Adds the tokens that end at a node.
    @inline(__always)
    private func add(_ index: Int, _ words: UnsafeMutablePointer<UInt64>) {
        var rank = trie.nodes[index].firstRank
        let end = trie.nodes[index + 1].firstRank
        while rank < end {
            let id = trie.tokens[Int(rank)]
            words[Int(id >> 6)] |= 1 << UInt64(id & 63)
            rank &+= 1
        }
    }
}

/// Where a walk over the content of a string stands.
struct ContentState {
    var state: Automaton.StateID
    /// The scalars complete so far.
    var scalars: Int
    var lexer: StringLexer
    /// What runs of content keep the automaton alive; none where that is not worth knowing.
    var summary = BodySummary.none
    /// Whether the scalars so far are of the classes of the runs that have been added.
    var isInFirst = false
    var isInSecond = false
}

/// An automaton together with the number of scalars that must and may still come.
struct ContentWindow {
    let knowledge: AutomatonSummary
    let least: Int
    let most: Int

    /// Whether the string can be finished from a state after so many scalars.
    @inline(__always)
    func isViable(_ state: Automaton.StateID, _ scalars: Int) -> Bool {
        if scalars < least { return canFinish(state, scalars) }
        return knowledge.shortest(state) <= most &- scalars
    }

    private func canFinish(_ state: Automaton.StateID, _ scalars: Int) -> Bool {
        !state.isDead
            && knowledge.automaton.canFinish(
                state, minScalars: max(0, least - scalars), maxScalars: most == .max ? nil : most - scalars
            ) == .alive
    }

    /// Whether some character that begins like this leads to a viable state.
    func canBegin(_ lexer: StringLexer, from current: ContentState) -> Bool {
        let automaton = knowledge.automaton
        let classes = knowledge.classes(after: lexer)
        for (index, var word) in classes.words.enumerated() {
            while word != 0 {
                let target = automaton.transition(current.state, class: index << 6 | word.trailingZeroBitCount)
                if isViable(target, current.scalars + 1) { return true }
                word &= word &- 1
            }
        }
        return false
    }

    /// Whether every run of some classes and at most so many scalars is viable after other scalars, where the automaton
    /// is in a state with the given summary.
    @inline(__always)
    func covers(_ summary: BodySummary, _ classes: UInt64, _ run: UInt8, _ scalars: Int) -> Bool {
        guard !summary.isEmpty, summary.covers(classes, scalars: run) else { return false }
        let missing = max(0, least &- scalars)
        if most == .max { return missing == 0 || summary.canWait }
        // What the longest token below leaves must be enough for the longest rest.
        let below = run == .max ? Int.max : Int(run)
        let left = most &- scalars
        guard below <= left, missing == 0 || summary.canWait else { return false }
        return max(summary.longestRest, missing) <= left &- below
    }
}
