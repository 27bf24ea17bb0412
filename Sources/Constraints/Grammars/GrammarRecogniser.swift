// SPDX-License-Identifier: Apache-2.0

package import Documents
package import JSONSchemas
import Patterns

/// Decides whether a text matches a grammar, by the textbook: Earley's algorithm over the grammar's expressions.
///
/// It shares nothing with ``GrammarMachine`` but the grammar itself, and checks what was generated.
package final class GrammarRecogniser {
    /// An answer.
    package enum Answer: Hashable, Sendable {
        case accepted, rejected
        /// The search took more steps than allowed.
        case unknown
    }

    /// A part of a rule that is matched element by element.
    private enum Part {
        case sequence([Int])
        case choice([Int])
        /// At least so many rounds, and then at most so many more; each round reads something.
        case repeated(Int, least: Int, most: Int?)
        case leaf(GrammarNode)
        case rule(Int)
        case text([(bytes: [UInt8], part: Int?)], mayEnd: Bool)
    }

    private var parts: [Part] = []
    private var roots: [Int] = []
    private let start: Int
    private let innerRule: Int?
    private let automata: [(automaton: Automaton, isLazy: Bool)]
    private let validators: [Validator]
    private let stepLimit: Int

    /// Prepares a grammar.
    ///
    /// - Throws: What is wrong with a terminal.
    package init(
        _ grammar: Grammar, formats: FormatPolicy = .assert, stepLimit: Int = 4_000_000
    ) throws(DiagnosticsError) {
        var automata: [(automaton: Automaton, isLazy: Bool)] = []
        for terminal in grammar.terminals {
            do throws(PatternError) {
                automata.append((try Automaton(terminal.language), terminal.isLazy))
            } catch {
                throw DiagnosticsError([terminal.diagnostic(error)], sources: grammar.sources)
            }
        }
        self.automata = automata
        self.stepLimit = stepLimit
        validators = grammar.documents.map { Validator($0.graph, formats: formats) }
        start = grammar.start
        innerRule = grammar.innerRule
        for rule in grammar.rules { roots.append(add(rule.body)) }
    }

    private func add(_ node: GrammarNode) -> Int {
        let part: Part
        switch node {
        case .sequence(let nodes): part = .sequence(nodes.map(add))
        case .choice(let nodes): part = .choice(nodes.map(add))
        case .repeated(let node, let least, let most): part = .repeated(add(node), least: least, most: most)
        case .rule(let rule): part = .rule(rule)
        case .text(let triggers, let mayEnd):
            part = .text(triggers.map { ($0.bytes, $0.node.map(add)) }, mayEnd: mayEnd)
        case .bytes, .set, .terminal, .document: part = .leaf(node)
        }
        parts.append(part)
        return parts.count - 1
    }

    // MARK: Recognition

    /// A part that began at a place, with how far it has come.
    private struct Item: Hashable {
        var part: Int
        var begin: Int
        var progress: Int
    }

    private struct Call: Hashable {
        var part: Int
        var begin: Int
    }

    /// The state of one search.
    private struct Search {
        let bytes: [UInt8]
        /// By call: the items that wait for its end, and its ends so far.
        var waiting: [Call: Set<Item>] = [:]
        var ends: [Call: Set<Int>] = [:]
        var work: [(call: Call, end: Int)] = []
        var pending: [Call] = []
        var steps = 0
    }

    /// Whether the text matches from beginning to end.
    package func accepts(_ bytes: [UInt8]) -> Answer {
        var search = Search(bytes: bytes)
        let root = Call(part: roots[start], begin: 0)
        begin(root, &search)
        while true {
            if search.steps > stepLimit { return .unknown }
            search.steps += 1
            if let call = search.pending.popLast() {
                open(call, &search)
            } else if let (call, end) = search.work.popLast() {
                for item in search.waiting[call] ?? [] { resume(item, call.begin, end, &search) }
            } else {
                break
            }
        }
        return search.ends[root]?.contains(bytes.count) == true ? .accepted : .rejected
    }

    private func begin(_ call: Call, _ search: inout Search) {
        guard search.ends[call] == nil else { return }
        search.ends[call] = []
        search.pending.append(call)
    }

    private func finish(_ call: Call, _ end: Int, _ search: inout Search) {
        if search.ends[call, default: []].insert(end).inserted { search.work.append((call, end)) }
    }

    /// Lets an item wait for a part at a place.
    private func wait(_ item: Item, for part: Int, at place: Int, _ search: inout Search) {
        let call = Call(part: part, begin: place)
        guard search.waiting[call, default: []].insert(item).inserted else { return }
        let known = search.ends[call]
        begin(call, &search)
        for end in known ?? [] { resume(item, place, end, &search) }
    }

    private func open(_ call: Call, _ search: inout Search) {
        let item = Item(part: call.part, begin: call.begin, progress: 0)
        switch parts[call.part] {
        case .leaf(let node):
            for end in ends(node, call.begin, search.bytes) { finish(call, end, &search) }
        case .rule(let rule):
            if rule == innerRule, call.begin == 0 {
                finish(call, 0, &search)
            } else {
                wait(item, for: roots[rule], at: call.begin, &search)
            }
        case .choice(let nodes): for node in nodes { wait(item, for: node, at: call.begin, &search) }
        case .sequence, .repeated: advance(item, call.begin, &search)
        case .text(let triggers, let mayEnd):
            var place = call.begin
            // A trigger ends the text at its first place.
            while true {
                if mayEnd, isBoundary(place, search.bytes) { finish(call, place, &search) }
                if place == search.bytes.count { return }
                place += 1
                let read = search.bytes[call.begin..<place]
                let hit = triggers.firstIndex { trigger in
                    read.count >= trigger.bytes.count && read.suffix(trigger.bytes.count).elementsEqual(trigger.bytes)
                }
                if let hit {
                    if let part = triggers[hit].part {
                        wait(Item(part: call.part, begin: call.begin, progress: 1), for: part, at: place, &search)
                    }
                    return
                }
            }
        }
    }

    /// Goes on with an item after one of its elements.
    private func resume(_ item: Item, _ begin: Int, _ end: Int, _ search: inout Search) {
        search.steps += 1
        let call = Call(part: item.part, begin: item.begin)
        var next = item
        switch parts[item.part] {
        case .sequence:
            next.progress += 1
            advance(next, end, &search)
        case .repeated(_, let least, _):
            // A round that reads nothing counts for as many as are missing.
            next.progress = end == begin ? max(item.progress + 1, least) : item.progress + 1
            if end == begin, item.progress >= least { return }
            advance(next, end, &search)
        default: finish(call, end, &search)
        }
    }

    private func advance(_ item: Item, _ place: Int, _ search: inout Search) {
        let call = Call(part: item.part, begin: item.begin)
        switch parts[item.part] {
        case .sequence(let nodes):
            if item.progress == nodes.count {
                finish(call, place, &search)
            } else {
                wait(item, for: nodes[item.progress], at: place, &search)
            }
        case .repeated(let node, let least, let most):
            if item.progress >= least { finish(call, place, &search) }
            if item.progress < most ?? .max {
                var next = item
                // Without an upper bound, rounds beyond the least are all alike.
                if most == nil { next.progress = min(item.progress, least) }
                wait(next, for: node, at: place, &search)
            }
        default: break
        }
    }

    // MARK: Leaves

    private func isBoundary(_ place: Int, _ bytes: [UInt8]) -> Bool {
        place == bytes.count || bytes[place] & 0xC0 != 0x80
    }

    /// Where a leaf that begins at a place may end.
    private func ends(_ node: GrammarNode, _ begin: Int, _ bytes: [UInt8]) -> [Int] {
        switch node {
        case .bytes(let text):
            let end = begin + text.count
            return end <= bytes.count && bytes[begin..<end].elementsEqual(text) ? [end] : []
        case .set(let set):
            guard let (scalar, end) = scalar(begin, bytes) else { return [] }
            return set.contains(scalar) ? [end] : []
        case .terminal(let terminal):
            let (automaton, isLazy) = automata[terminal]
            var result: [Int] = []
            var state = automaton.start
            var place = begin
            while true {
                if automaton.isAccepting(state) {
                    result.append(place)
                    if isLazy { return result }
                }
                guard let (scalar, end) = scalar(place, bytes) else { return result }
                state = automaton.transition(state, class: automaton.classOf(scalar: scalar))
                if state.isDead { return result }
                place = end
            }
        case .document(let document):
            return JSONExtent.ends(bytes, from: begin).filter { end in
                guard let value = try? JSONReader.read(Array(bytes[begin..<end]), file: nil) else { return false }
                return validators[document].isValid(value.root)
            }
        default: return []
        }
    }

    private func scalar(_ begin: Int, _ bytes: [UInt8]) -> (UInt32, Int)? {
        var decoder = ScalarDecoder()
        var place = begin
        while place < bytes.count {
            switch decoder.feed(bytes[place]) {
            case .malformed: return nil
            case .scalar(let scalar): return (scalar, place + 1)
            case .incomplete: place += 1
            }
        }
        return nil
    }
}

/// Where a JSON value in a longer text may end.
enum JSONExtent {
    /// The ends of the values that begin at a place: more than one for a number only.
    static func ends(_ bytes: [UInt8], from begin: Int) -> [Int] {
        guard begin < bytes.count else { return [] }
        switch bytes[begin] {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""):
            return end(ofBracketed: bytes, from: begin).map { [$0] } ?? []
        case UInt8(ascii: "t"), UInt8(ascii: "n"): return begin + 4 <= bytes.count ? [begin + 4] : []
        case UInt8(ascii: "f"): return begin + 5 <= bytes.count ? [begin + 5] : []
        default:
            var end = begin
            while end < bytes.count, Array("0123456789+-.eE".utf8).contains(bytes[end]) { end += 1 }
            return begin < end ? Array((begin + 1)...end) : []
        }
    }

    /// The end of an object, an array or a string.
    static func end(ofBracketed bytes: [UInt8], from begin: Int) -> Int? {
        var depth = 0
        var isInString = false
        var place = begin
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            if isInString {
                if byte == UInt8(ascii: "\\") {
                    place += 1
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                default: break
                }
            }
            if depth <= 0, !isInString { return min(place, bytes.count) }
        }
        return nil
    }
}
