// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import JSONSchemas
import Testing

struct AlternativesTests {
    private static let vocabulary = TokenVocabulary(tokens: (0...255).map { [UInt8($0)] } + [nil], endOfGeneration: [256])

    private func alternatives(_ schema: String, after text: String = "", limit: Int = 64) throws -> [String]? {
        let graph = try SchemaGraph.load(try JSONReader.read(Array(schema.utf8), file: nil).root)
        let engine = try ConstraintEngine(
            machine: SchemaMachine(graph, profile: .spaced, formats: .assert), vocabulary: Self.vocabulary)
        let place = try #require(engine.advance(engine.start(), Array(text.utf8)))
        let inside = text.filter { $0 == "\"" }.count % 2 == 1
        return engine.alternatives(place, isInsideString: inside, limit: limit)?
            .map { String(decoding: $0.bytes, as: UTF8.self) + ($0.isString ? "\"" : "") }
    }

    @Test func listsEnumsBooleansAndNull() throws {
        #expect(try alternatives(#"{"type":"boolean"}"#) == ["false", "true"])
        #expect(try alternatives(#"{"enum":["a","b\"c",null]}"#) == [#""a""#, #""b\"c""#, "null"])
        #expect(try alternatives(#"{"enum":["ab","ac","d"]}"#, after: "\"a") == ["b\"", "c\""])
        #expect(try alternatives(#"{"enum":["log","login"]}"#, after: "\"") == ["log\"", "login\""])
        let record = #"{"properties":{"k":{"type":["boolean","null"]}},"required":["k"],"additionalProperties":false}"#
        #expect(try alternatives(#"{"type":"object","# + record.dropFirst(), after: #"{"k":"#) == [" false", " null", " true"])
    }

    @Test func isSilentAboutEverythingElse() throws {
        #expect(try alternatives(#"{"type":"string"}"#) == nil)
        #expect(try alternatives(#"{"type":"string"}"#, after: "\"x") == nil)
        #expect(try alternatives(#"{"enum":["a",1]}"#) == nil)
        #expect(try alternatives(#"{"enum":["a",[]]}"#) == nil)
        #expect(try alternatives(#"{"const":"a"}"#) == nil)
        #expect(try alternatives(#"{"type":"string","pattern":"^[a-z]{3}$"}"#) == nil)
        #expect(try alternatives(#"{"enum":["a","b","c"]}"#, limit: 2) == nil)
        #expect(try alternatives(#"{"type":["string","null"],"maxLength":400}"#) == nil)
    }
}
