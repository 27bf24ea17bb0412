// SPDX-License-Identifier: Apache-2.0

import Documents
import TestSupport
import Testing

/// Trees of YAML that keep every byte.
struct YAMLSyntaxTests {
    private static func check(_ tree: SyntaxTree) {
        #expect(tree.text == tree.source.bytes)
        var at = 0
        for token in tree.tokens {
            #expect(token.range.lowerBound == at && !token.range.isEmpty)
            at = token.range.upperBound
        }
        #expect(at == tree.source.bytes.count)
        for (number, node) in tree.nodes.enumerated() {
            #expect(node.end > number && node.end <= tree.nodes.count)
            var last = node.tokens.lowerBound
            for child in tree.children(of: number) {
                #expect(tree.nodes[child].tokens.lowerBound >= last)
                last = tree.nodes[child].tokens.upperBound
                #expect(last <= node.tokens.upperBound)
            }
            if let token = node.tokens.last { #expect(!tree.tokens[token].kind.isTrivia) }
        }
    }

    private static func read(_ text: String) throws -> SyntaxTree {
        try YAMLSyntax.read(SourceText(file: nil, bytes: Array(text.utf8)))
    }

    private static func part(_ tree: SyntaxTree, _ node: Int) -> String {
        String(decoding: tree.source.bytes[tree.range(of: node)], as: UTF8.self)
    }

    @Test func knowsItsParts() throws {
        let tree = try Self.read(
            "# a\nk: &x !t [1, # b\n  yes: *x]\n? s\n: |  # c\n  text\n\n# d\n--- \n- ~\n-\n  - 'q'\n...\n")
        Self.check(tree)
        #expect(tree.comments == ["# a", "# b", "# c", "# d"])
        #expect(tree.nodes[0].kind == .stream)
        let documents = tree.children(of: 0)
        #expect(documents.map { tree.nodes[$0].kind } == [.document, .document])
        let mapping = try #require(tree.children(of: documents[0]).first)
        let members = tree.children(of: mapping)
        #expect(members.map { Self.part(tree, $0) } == ["k: &x !t [1, # b\n  yes: *x]", "? s\n: |  # c\n  text"])
        let flow = try #require(tree.children(of: members[0]).first)
        #expect(tree.nodes[flow].kind == .array)
        #expect(tree.children(of: flow).map { Self.part(tree, $0) } == ["yes: *x"])
        let kinds = tree.tokens.filter { !$0.kind.isTrivia && $0.kind != .punctuation }.map(\.kind)
        #expect(
            kinds == [
                .key, .anchor, .tag, .number, .key, .alias, .key, .string, .string, .marker, .word, .string, .marker,
            ])
    }

    @Test func emptyTextsHaveNoDocument() throws {
        for text in ["", "# c\n", "\u{FEFF}\n  \n"] {
            let tree = try Self.read(text)
            Self.check(tree)
            #expect(tree.nodes.count == 1)
        }
    }

    @Test func refusesWhatIsNoYAML() {
        let error = #expect(throws: DiagnosticsError.self) { try Self.read("a: [") }
        #expect(error?.diagnostics.first?.id == "yaml.syntax")
    }

    @Test("damaged texts are kept, where they can be read", arguments: 0..<8)
    func keepsWhateverCanBeRead(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed) &* 86_028_121)
        var read = 0
        for _ in 0..<600 {
            let text = try #require(YAMLFormatterTests.seeds.randomElement(using: &generator))
            let bytes = HostileInputTests.damage(text, &generator)
            guard let tree = try? YAMLSyntax.read(SourceText(file: nil, bytes: bytes)) else { continue }
            read += 1
            Self.check(tree)
        }
        #expect(read > 50)
    }
}
