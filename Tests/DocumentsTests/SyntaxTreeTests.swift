// SPDX-License-Identifier: Apache-2.0

import Documents
import TestSupport
import Testing

/// Trees that keep every byte.
struct SyntaxTreeTests {
    private static let json: [String] = [
        "1", "\u{FEFF} [1, 2]\n",
        "// a\n{\"k\": [1,\t2.50, /* b */ 3,], // c\r\n \"é\\\"\": {\"x\": null,},\n}\n// end",
        "{}\r[]".replacing("\r[]", with: "\r"), "[[], {}, [ ], { } , \"a // no comment\"]",
    ]
    private static let toml: [String] = [
        "", "# a\r\n\r\n[ t . 'u' ] # b\nk . l = [ 1, # c\n  {m = 'x', n.o = 2}, ] \n[[v]]\nw = \"\"\"\n#\\\n \"\"\"\n",
        "a = 1",
    ]

    private static func read(_ text: [UInt8], _ format: DocumentFormat) throws -> (document: Document, tree: SyntaxTree)
    {
        let source = SourceText(file: nil, bytes: text)
        return try format == .toml ? TOMLReader.readSyntax(source) : JSONSyntax.read(source)
    }

    private static func check(_ document: Document, _ tree: SyntaxTree) {
        #expect(tree.text == tree.source.bytes)
        var at = 0
        for token in tree.tokens {
            #expect(token.range.lowerBound == at && !token.range.isEmpty)
            at = token.range.upperBound
        }
        #expect(at == tree.source.bytes.count)
        // Nodes nest, and what is no trivia belongs to them.
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
        // Both sides count the same values.
        var containers = 0
        var members = 0
        var open = [document.root]
        while let node = open.popLast() {
            if node.kind == .object || node.kind == .array { containers += 1 }
            members += node.kind == .object ? node.count : 0
            open += node.elements.map { $0 } + node.members.map(\.value)
        }
        if document.format != .toml {
            #expect(tree.nodes.count { $0.kind == .object || $0.kind == .array } == containers)
            #expect(tree.nodes.count { $0.kind == .member } == members)
            #expect(tree.tokens.count { $0.kind == .key } == members)
        }
    }

    @Test(arguments: json) func keepsJSON(_ text: String) throws {
        let (document, tree) = try Self.read(Array(text.utf8), .jsonc)
        Self.check(document, tree)
    }

    @Test(arguments: toml) func keepsTOML(_ text: String) throws {
        let (document, tree) = try Self.read(Array(text.utf8), .toml)
        Self.check(document, tree)
    }

    @Test("damaged texts are kept too, where they can be read", arguments: 0..<8)
    func keepsWhateverCanBeRead(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed) &* 104_729)
        var read = 0
        for _ in 0..<1_000 {
            let isTOML = Bool.random(using: &generator)
            let text = (isTOML ? Self.toml : Self.json).randomElement(using: &generator) ?? ""
            let bytes = HostileInputTests.damage(text, &generator)
            guard let (document, tree) = try? Self.read(bytes, isTOML ? .toml : .jsonc) else { continue }
            read += 1
            Self.check(document, tree)
        }
        #expect(read > 50)
    }

    @Test func knowsItsParts() throws {
        let tree = try Self.read(Array("{\"a\": [1, // c\n 2]}".utf8), .jsonc).tree
        let member = try #require(tree.children(of: tree.children(of: 0)[0]).first)
        #expect(tree.nodes[member].kind == .member)
        #expect(String(decoding: tree.source.bytes[tree.range(of: member)], as: UTF8.self) == "\"a\": [1, // c\n 2]")
        #expect(tree.comments == ["// c"])
        let toml = try Self.read(Array("# x\n[t] # y\na.b = 1\n".utf8), .toml).tree
        #expect(toml.children(of: 0).map { toml.nodes[$0].kind } == [.table, .member])
        #expect(toml.comments == ["# x", "# y"])
    }
}
