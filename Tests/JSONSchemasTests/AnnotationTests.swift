// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Testing

/// What schemas say about valid values, and the output formats of the specification.
struct AnnotationTests {
    private func validator(_ schema: String, formats: FormatPolicy = .assert) throws -> Validator {
        try Validator(SchemaGraph.load(JSONReader.read(Array(schema.utf8), file: nil).root), formats: formats)
    }

    private func node(_ text: String) throws -> Node { try JSONReader.read(Array(text.utf8), file: nil).root }

    private func json(_ text: String) throws -> JSONValue { try node(text).value }

    /// `place keyword=value` of each annotation.
    private func said(_ schema: String, _ value: String) throws -> [String]? {
        try validator(schema).annotations(node(value))?.map {
            "\($0.instanceLocation) \($0.keyword)=\(JSONWriter(style: .compact).write($0.value))"
        }
    }

    @Test
    func partsComeBeforeTheWhole() throws {
        let schema = #"{"title":"T","properties":{"a":{"description":"A","default":1,"x-unit":"m"},"b":{"title":"B"}}}"#
        #expect(try said(schema, #"{"a":2}"#) == ["/a description=\"A\"", "/a default=1", "/a x-unit=\"m\"", " title=\"T\""])
    }

    @Test
    func branchesThatFailSayNothing() throws {
        let schema = ##"{"anyOf":[{"title":"S","type":"string"},{"title":"N","type":"number"}],"not":{"title":"X","const":0}}"##
        #expect(try said(schema, "1") == [" title=\"N\""])
        #expect(try said(schema, "0") == nil)
        let conditional = #"{"if":{"title":"I","minimum":5},"then":{"title":"large"},"else":{"title":"small"}}"#
        #expect(try said(conditional, "7") == [" title=\"I\"", " title=\"large\""])
        #expect(try said(conditional, "3") == [" title=\"small\""])
    }

    @Test
    func keysAndContentAreToldApart() throws {
        #expect(try said(#"{"propertyNames":{"title":"K"}}"#, #"{"a":1}"#) == [])
        #expect(try said(#"{"contentSchema":{"type":"number"}}"#, #""1""#) == [])
        #expect(try said(#"{"contentMediaType":"text/plain"}"#, "1") == [])
        #expect(try said(#"{"contentMediaType":"text/plain"}"#, #""1""#) == [" contentMediaType=\"text/plain\""])
        #expect(try said(#"{"contains":{"type":"number","title":"N"}}"#, #"["a",1]"#) == ["/1 title=\"N\""])
    }

    /// Up to draft 7 what stands beside a reference has no meaning.
    @Test
    func referencesOfOldDraftsStandAlone() throws {
        let schema = ##"{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"#/definitions/a","title":"no","definitions":{"a":{"title":"yes"}}}"##
        #expect(try said(schema, "1") == [" title=\"yes\""])
    }

    static let schema = ##"{"$id":"https://example.com/s","properties":{"a b":{"$ref":"#/$defs/n"},"c":{"anyOf":[{"type":"null"},{"minimum":3,"type":"number"}]}},"$defs":{"n":{"type":"number","title":"N"}}}"##

    @Test
    func basicHasAUnitForEachKeyword() throws {
        let made = try validator(Self.schema).output(node(#"{"a b":"x"}"#), as: .basic)
        #expect(
            made
                == (try json(
                    ##"{"valid":false,"keywordLocation":"","instanceLocation":"","errors":[{"valid":false,"keywordLocation":"/properties/a b/$ref/type","absoluteKeywordLocation":"https://example.com/s#/$defs/n/type","instanceLocation":"/a b","error":"expected number, found a string"}]}"##
                )))
        let valid = try validator(Self.schema).output(node(#"{"a b":1}"#), as: .basic)
        #expect(
            valid
                == (try json(
                    ##"{"valid":true,"keywordLocation":"","instanceLocation":"","annotations":[{"valid":true,"keywordLocation":"/properties/a b/$ref/title","absoluteKeywordLocation":"https://example.com/s#/$defs/n/title","instanceLocation":"/a b","annotation":"N"}]}"##
                )))
    }

    @Test
    func unitsAreGroupedBySubschema() throws {
        let validator = try validator(Self.schema)
        #expect(try validator.output(node("{}"), as: .flag) == (try json(#"{"valid":true}"#)))
        let list = try validator.output(node(#"{"c":1}"#), as: .list)
        #expect(
            list
                == (try json(
                    ##"{"valid":false,"details":[{"valid":false,"evaluationPath":"","schemaLocation":"https://example.com/s#","instanceLocation":""},{"valid":false,"evaluationPath":"/properties/c","schemaLocation":"https://example.com/s#/properties/c","instanceLocation":"/c","errors":{"anyOf":"1 matches none of the 2 alternatives of 'anyOf'"}},{"valid":false,"evaluationPath":"/properties/c/anyOf/1","schemaLocation":"https://example.com/s#/properties/c/anyOf/1","instanceLocation":"/c","errors":{"minimum":"1 is less than the minimum 3"}}]}"##
                )))
        let tree = try validator.output(node(#"{"c":1}"#), as: .hierarchical)
        #expect(
            tree
                == (try json(
                    ##"{"valid":false,"evaluationPath":"","schemaLocation":"https://example.com/s#","instanceLocation":"","details":[{"valid":false,"evaluationPath":"/properties/c","schemaLocation":"https://example.com/s#/properties/c","instanceLocation":"/c","errors":{"anyOf":"1 matches none of the 2 alternatives of 'anyOf'"},"details":[{"valid":false,"evaluationPath":"/properties/c/anyOf/1","schemaLocation":"https://example.com/s#/properties/c/anyOf/1","instanceLocation":"/c","errors":{"minimum":"1 is less than the minimum 3"}}]}]}"##
                )))
    }

    @Test
    func locationsAreURIs() throws {
        let schema = #"{"$id":"https://example.com/s","properties":{"ä^%":{"type":"null"}}}"#
        let made = try validator(schema).output(node(#"{"ä^%":1}"#), as: .basic)
        guard case .object(let object) = made, let unit = object["errors"]?.arrayValue?.first, case .object(let found) = unit
        else {
            Issue.record("no unit")
            return
        }
        #expect(
            found["absoluteKeywordLocation"]?.stringValue == "https://example.com/s#/properties/%C3%A4%5E%25/type")
    }
}
