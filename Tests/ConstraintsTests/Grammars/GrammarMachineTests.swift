// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import JSONSchemas
import Patterns
import TestSupport
import Testing

struct GrammarMachineTests {
    /// All texts of at most so many characters that a grammar of literals derives, by iteration to a fixpoint.
    private static func language(_ grammar: Grammar, length: Int) -> Set<String> {
        var languages = [Set<String>](repeating: [], count: grammar.rules.count)
        func joined(_ a: Set<String>, _ b: Set<String>) -> Set<String> {
            var result: Set<String> = []
            for x in a { for y in b where x.count + y.count <= length { result.insert(x + y) } }
            return result
        }
        func texts(_ node: GrammarNode) -> Set<String> {
            switch node {
            case .bytes(let bytes): return bytes.count <= length ? [String(decoding: bytes, as: UTF8.self)] : []
            case .set(let set): return Set(["a", "b"].filter { set.contains($0.unicodeScalars.first?.value ?? 0) })
            case .rule(let rule): return languages[rule]
            case .sequence(let nodes): return nodes.reduce([""]) { joined($0, texts($1)) }
            case .choice(let nodes): return nodes.reduce([]) { $0.union(texts($1)) }
            case .repeated(let node, let least, let most):
                let one = texts(node)
                var result: Set<String> = []
                var power: Set<String> = [""]
                for round in 0...(most ?? least + length + 1) {
                    if round >= least { result.formUnion(power) }
                    power = joined(power, one)
                }
                return result
            case .terminal, .document, .text: return []
            }
        }
        while true {
            var isChanged = false
            for (rule, body) in grammar.rules.map(\.body).enumerated() {
                let found = texts(body)
                if found != languages[rule] {
                    languages[rule] = found
                    isChanged = true
                }
            }
            if !isChanged { return languages[grammar.start] }
        }
    }

    private static func randomNode(_ generator: inout TestSupport.SeededGenerator, rules: Int, depth: Int) -> GrammarNode {
        switch Int.random(in: 0..<(depth > 0 ? 12 : 5), using: &generator) {
        case 0: return .literal("a")
        case 1: return .literal("b")
        case 2: return .set(ScalarSet(of: Bool.random(using: &generator) ? "ab" : "b"))
        case 3: return .rule(Int.random(in: 0..<rules, using: &generator))
        case 4: return Bool.random(using: &generator) ? .empty : .literal("ab")
        case 5, 6, 7:
            return .sequence((0..<Int.random(in: 1...3, using: &generator)).map { _ in
                randomNode(&generator, rules: rules, depth: depth - 1)
            })
        case 8, 9, 10:
            return .choice((0..<Int.random(in: 1...3, using: &generator)).map { _ in
                randomNode(&generator, rules: rules, depth: depth - 1)
            })
        default:
            let least = Int.random(in: 0...2, using: &generator)
            return .repeated(
                randomNode(&generator, rules: rules, depth: depth - 1), min: least,
                max: Bool.random(using: &generator) ? nil : least + Int.random(in: 0...2, using: &generator))
        }
    }

    @Test("random grammars accept what they derive, and complete it as shortly as can be", arguments: UInt64(1)...400)
    func bruteForce(seed: UInt64) throws {
        var generator = TestSupport.SeededGenerator(seed: seed)
        let rules = Int.random(in: 1...4, using: &generator)
        var grammar = Grammar()
        for rule in 0..<rules {
            _ = grammar.add("r\(rule)", Self.randomNode(&generator, rules: rules, depth: 3))
        }
        let length = 5
        let derived = Self.language(grammar, length: length)
        let machine: GrammarMachine
        do {
            machine = try GrammarMachine(grammar)
        } catch {
            #expect(error.diagnostics.map(\.id) == ["grammar.unsatisfiable"])
            #expect(derived.isEmpty, "\(grammar.rules)")
            return
        }
        let recogniser = try GrammarRecogniser(grammar)
        var texts = [""]
        var head = 0
        while head < texts.count {
            let text = texts[head]
            head += 1
            if text.count < length { texts += [text + "a", text + "b"] }
            var configuration = machine.start
            for byte in text.utf8 { configuration = machine.step(configuration, byte) }
            let isDerived = derived.contains(text)
            #expect(machine.isAccepting(configuration) == isDerived, "'\(text)' \(grammar.rules)")
            #expect(
                (recogniser.accepts(Array(text.utf8)) == .accepted) == isDerived, "recogniser '\(text)' \(grammar.rules)")
            let longer = derived.filter { $0.hasPrefix(text) }.map(\.count).min()
            if configuration.isDead {
                #expect(longer == nil, "'\(text)' \(grammar.rules)")
            } else {
                let rest = machine.witness(configuration)
                #expect(rest.count == machine.minimumCompletion(configuration))
                #expect(recogniser.accepts(Array(text.utf8) + rest) == .accepted, "'\(text)' \(grammar.rules)")
                if let longer {
                    #expect(text.count + rest.count == longer, "'\(text)' \(grammar.rules)")
                } else {
                    #expect(text.count + rest.count > length)
                }
            }
        }
    }

    @Test func regularExpressions() throws {
        for (pattern, accepts, rejects) in [
            ("(positive|negative|neutral)", ["positive", "neutral"], ["", "pos", "positive "]),
            (#"\d{4}-\d\d-\d\d"#, ["2024-01-31"], ["2024-1-31", "x2024-01-31"]),
            (#"^[a-zé]+$"#, ["a", "été"], ["", "A"]),
            (#"(?!a)[ab]{1,3}"#, ["b", "ba", "bab"], ["a", "ab", ""]),
            ("(?i:yes|no)", ["YES", "No"], ["maybe"]),
            (#".{2,4}"#, ["ab", "é中😀x"], ["a", "abcde", "a\nb"]),
            (#"\u{1F600}?x"#, ["x", "😀x"], ["😀"]),
        ] as [(String, [String], [String])] {
            let grammar = try Grammar.regularExpression(pattern)
            try expectGrammar(grammar, accepts: accepts, rejects: rejects)
            for seed in UInt64(1)...3 { try walkGrammar(grammar, seed: seed) }
        }
    }

    @Test func nestingDoesNotAddUp() throws {
        // What is open does not change what may come: equal texts lead to equal configurations.
        let machine = try GrammarMachine(try gbnf("root ::= item (\",\" item)*\nitem ::= [a-z]+ | \"[\" root \"]\""))
        func configuration(_ text: String) -> ConfigID {
            text.utf8.reduce(machine.start) { machine.step($0, $1) }
        }
        #expect(configuration("a") == configuration("abc,xyz,q"))
        #expect(configuration("[a,[b") == configuration("[a,[b,c,[d],e"))
        #expect(machine.witness(configuration("[[a")) == Array("]]".utf8))
    }

    @Test func longTextsStayCheap() throws {
        for source in [
            "root ::= \"a\" root | \"a\"", "root ::= root \"a\" | \"a\"", "root ::= (\"a\" | b)*\nb ::= \"a\"",
            "root ::= list\nlist ::= item list | item\nitem ::= \"a\"",
        ] {
            let machine = try GrammarMachine(try gbnf(source))
            let once = machine.step(machine.step(machine.start, 0x61), 0x61)
            var configuration = once
            for _ in 0..<1000 { configuration = machine.step(configuration, 0x61) }
            #expect(configuration == once, "\(source)")
        }
    }

    @Test func ambiguityIsMerged() throws {
        let machine = try GrammarMachine(try gbnf("root ::= root root | \"a\" | root root root | \"\""))
        var configuration = machine.start
        for _ in 0..<300 { configuration = machine.step(configuration, 0x61) }
        #expect(machine.isAccepting(configuration))
        #expect(machine.minimumCompletion(configuration) == 0)
    }

    @Test func tooManyWaysAreCutWithoutADeadEnd() throws {
        var limits = GrammarLimits()
        limits.maximumBranches = 4
        // Each opening bracket may be closed in two ways.
        let source = "root ::= \"(\" root \")\" | \"(\" root \"]\" | \"(\" root \"}\" root | \"x\" | root \"y\" root"
        let machine = try GrammarMachine(try gbnf(source), limits: limits)
        var generator = TestSupport.SeededGenerator(seed: 5)
        let recogniser = try GrammarRecogniser(try gbnf(source))
        for _ in 0..<20 {
            var configuration = machine.start
            var text: [UInt8] = []
            for _ in 0..<40 {
                var allowed: [UInt8] = []
                machine.allowedBytes(configuration).forEach { allowed.append($0) }
                guard let byte = allowed.randomElement(using: &generator) else { break }
                text.append(byte)
                configuration = machine.step(configuration, byte)
            }
            let rest = machine.witness(configuration)
            #expect(rest.count == machine.minimumCompletion(configuration))
            #expect(recogniser.accepts(text + rest) == .accepted)
        }
    }

    @Test(arguments: [
        ("root ::= \"a\"{1,1000000000}", "grammar.too-complex"),
        ("root ::= (\"abcdef\" | \"b\"{0,90000} \"c\"){1,90000}", ""),
        ("root ::= ([a-z]{0,90000} \"abcdefgh\"){1,3}\nb ::= root{90000}{90000}", ""),
        ("root ::= " + String(repeating: "(", count: 100_000), "grammar.too-complex"),
        ("root ::= " + String(repeating: "(\"a\" | ", count: 200) + "\"b\"" + String(repeating: ")", count: 200), ""),
        ("root ::= a\na ::= b\nb ::= c | \"\"\nc ::= a a", ""),
        ("root ::= root", "grammar.unsatisfiable"),
        ("root ::= \"a\" | root | root root", ""),
        (
            "root ::= r0\n" + (0..<60).map { "r\($0) ::= r\($0 + 1) r\($0 + 1)\n" }.joined() + "r60 ::= \"a\"",
            "grammar.unsatisfiable"
        ),
        ("root ::= " + (0..<20_000).map { "\"word\($0)\"" }.joined(separator: " | "), ""),
        (
            "root ::= " + (0..<5_000).map { "r\($0)" }.joined(separator: " | ") + "\n"
                + (0..<5_000).map { "r\($0) ::= \"x\" [a-z]* \"\($0)\"" }.joined(separator: "\n"), ""
        ),
        ("root ::= a{3000}\na ::= [a-z] | [^x] | \"a\" \"b\"?", ""),
    ])
    func hostileGrammarsEnd(source: String, problem: String) throws {
        let problems = try grammarProblems { try gbnf(source) }
        #expect(problems.map { String($0.split(separator: " ")[1]) } == (problem.isEmpty ? [] : [problem]))
        guard problem.isEmpty else { return }
        let machine = try GrammarMachine(try gbnf(source))
        var configuration = machine.start
        for _ in 0..<50 {
            guard let byte = machine.allowedBytes(configuration).first else { break }
            configuration = machine.step(configuration, byte)
        }
        #expect(!configuration.isDead)
        #expect(machine.witness(configuration).count == machine.minimumCompletion(configuration))
    }

    @Test func statesAreLimited() throws {
        var limits = GrammarLimits()
        limits.maximumStates = 500
        let source = "root ::= (\"ab\" | \"c\" root?){900}{3}"
        let error = #expect(throws: DiagnosticsError.self) {
            _ = try GrammarMachine(try gbnf(source), limits: limits)
        }
        #expect(error?.diagnostics.map(\.id) == ["grammar.too-complex"])
    }
}

extension GrammarMachineTests {
    @Test func charactersWithoutBytesAreLeftOut() throws {
        var bytes = ByteSet.all
        for byte: UInt8 in [0x01, 0x09, 0xC3, 0xF1] { bytes.remove(byte) }
        for grammar in [
            try gbnf("root ::= [^x]{1,9} \"é\""), try gbnf("root ::= [^x]+"), try Grammar.regularExpression("[^x]+|\\t"),
            try BlocksReader(registry: .init(), limits: .init(), readFile: nil).read(
                Array("triggers: [{begin: x, regex: a}]".utf8), file: "a.yaml"),
        ] {
            let machine = try GrammarMachine(grammar, bytes: bytes)
            for text in ["\u{1}", "\t", "é", "\u{40000}"] {
                #expect(machine.step(machine.start, Array(text.utf8)[0]).isDead, "\(text)")
            }
            for text in ["a", "中", "😀"] {
                #expect(!text.utf8.reduce(machine.start) { machine.step($0, $1) }.isDead, "\(text)")
            }
        }
        // A literal leaves no choice.
        let machine = try GrammarMachine(try gbnf("root ::= [^x]{1,9} \"é\""), bytes: bytes)
        #expect(String(decoding: machine.witness(machine.start), as: UTF8.self) == "aé")
        #expect(machine.alphabet.contains(0xC3))
    }
}
