// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas
import Testing

/// Mends of what a schema does not allow, rule by rule, and what is left alone.
struct RepairValueTests {
    private func repair(
        _ schema: String, _ text: String, _ format: DocumentFormat = .json, fillsDefaults: Bool = false
    ) throws -> DocumentRepair {
        let validator = Validator(try graph(schema))
        var options = Repairer.Options()
        options.format = format
        options.schema.fillsDefaults = fillsDefaults
        let repair = Repairer.repair(Array(text.utf8), file: nil, validator: validator, options: options)
        if repair.outcome == .repaired {
            let document = try DocumentReader.read(repair.bytes, format: format, options: .lenient)
            #expect(validator.isValid(document.root))
        } else {
            #expect(repair.bytes == Array(text.utf8))
        }
        return repair
    }

    private func member(_ schema: String) -> String { #"{"properties": {"a": "# + schema + "}}" }

    @Test(arguments: [
        // Types.
        (#"{"type": "integer"}"#, #""8080""#, "8080"), (#"{"type": "integer"}"#, #"" 8_080 ""#, "8080"),
        (#"{"type": "number"}"#, #""1.50""#, "1.50"), (#"{"type": "string"}"#, "1.50", #""1.50""#),
        (#"{"type": "string"}"#, "true", #""true""#), (#"{"type": "boolean"}"#, #""yes""#, "true"),
        (#"{"type": "boolean"}"#, #""Off""#, "false"), (#"{"type": "boolean"}"#, #""false""#, "false"),
        (#"{"type": "boolean"}"#, "1", "true"), (#"{"type": "null"}"#, #""""#, "null"),
        (#"{"type": "null"}"#, #""None""#, "null"),
        (#"{"type": ["integer", "null"]}"#, #""7""#, "7"),
        (#"{"type": "array", "items": {"type": "string"}}"#, #""x""#, #"["x"]"#),
        (#"{"type": "array", "items": {"type": "string"}}"#, "7", #"["7"]"#),
        (#"{"type": "string"}"#, #"["x"]"#, #""x""#),
        (#"{"type": "object", "required": ["b"]}"#, #""{\"b\": 1}""#, #"{"b": 1}"#),
        (#"{"anyOf": [{"type": "integer"}, {"type": "boolean"}]}"#, #""on""#, "true"),
        // Words.
        (#"{"enum": ["debug", "info"]}"#, #""INFO""#, #""info""#),
        (#"{"enum": ["debug", "info"]}"#, #""dbeug""#, #""debug""#),
        (#"{"enum": ["debug", "info"]}"#, #""info,""#, #""info""#),
        (#"{"enum": ["read-only", "all"]}"#, #""read_only""#, #""read-only""#),
        (#"{"enum": ["1", "2"]}"#, "1", #""1""#), (#"{"enum": [1, 2]}"#, #""1""#, "1"),
        (#"{"const": "Deployment"}"#, #""deployment""#, #""Deployment""#),
        (#"{"format": "ipv4", "type": "string"}"#, #""10.0.0.1,""#, #""10.0.0.1""#),
        (#"{"pattern": "^[a-z]+$", "type": "string"}"#, #"" abc ""#, #""abc""#),
    ])
    func aValueIsConverted(_ schema: String, _ before: String, _ after: String) throws {
        let repair = try repair(member(schema), #"{ "a" : "# + before + "}")
        #expect(repair.outcome == .repaired, "\(repair.problems)")
        #expect(String(decoding: repair.bytes, as: UTF8.self) == #"{ "a" : "# + after + "}")
        #expect(repair.changes.count == repair.patches.first?.count)
    }

    @Test(arguments: [
        (#"{"type": "integer"}"#, #""8.5""#), (#"{"type": "integer"}"#, "8.5"), (#"{"type": "integer"}"#, #""1,000""#),
        (#"{"type": "integer"}"#, #""eight""#), (#"{"type": "boolean"}"#, #""maybe""#), (#"{"type": "boolean"}"#, "2"),
        (#"{"type": "string"}"#, "null"), (#"{"type": "string"}"#, #"["x", "y"]"#), (#"{"minimum": 5}"#, "4"),
        (#"{"enum": ["cat", "bat"]}"#, #""rat""#), (#"{"enum": ["start", "stare"]}"#, #""starx""#),
        (#"{"enum": ["debug", "info"]}"#, #""warn""#),
        (#"{"const": 3}"#, "2"), (#"{"maxLength": 2}"#, #""abc""#), (#"{"uniqueItems": true}"#, "[1, 1]"),
        ("false", "1"),
        (#"{"type": "array", "items": {"type": "string"}}"#, "null"),
    ])
    func aValueThatCannotBeKnownIsLeftAlone(_ schema: String, _ value: String) throws {
        let repair = try repair(member(schema), #"{"a": "# + value + "}")
        #expect(repair.outcome == .failed, "\(String(decoding: repair.bytes, as: UTF8.self))")
        #expect(!repair.problems.isEmpty)
    }

    private let server = #"""
        {"type": "object", "properties": {"host": {"type": "string"}, "port": {"type": "integer"}, "log_level": {"enum": ["debug", "info"]},
          "workers": {"type": "integer"}, "database": {"type": "object", "properties": {"name": {"type": "string"}, "pool": {"type": "integer"}},
          "required": ["name"], "additionalProperties": false}}, "required": ["host", "port"], "additionalProperties": false}
        """#

    @Test(arguments: [
        (#"{"host": "h", "potr": 80}"#, #"{"host": "h", "port": 80}"#),
        (#"{"Host": "h", "port": 80}"#, #"{"host": "h", "port": 80}"#),
        (#"{"host": "h", "port": 80, "logLevel": "info"}"#, #"{"host": "h", "port": 80, "log_level": "info"}"#),
        (#"{"host": "h", "port": 80, "log-level": "info"}"#, #"{"host": "h", "port": 80, "log_level": "info"}"#),
        (#"{"host": "h", "port": 80, "wrokers": "8"}"#, #"{"host": "h", "port": 80, "workers": 8}"#),
        (
            #"{"host": "h", "port": 80, "dataabase": {"nae": "n"}}"#,
            #"{"host": "h", "port": 80, "database": {"name": "n"}}"#
        ),
        (#"{"hots": "h", "potr": "80"}"#, #"{"host": "h", "port": 80}"#),
    ])
    func aMisspeltKeyIsRenamed(_ before: String, _ after: String) throws {
        let repair = try repair(server, before)
        #expect(repair.outcome == .repaired, "\(repair.problems)")
        #expect(String(decoding: repair.bytes, as: UTF8.self) == after)
    }

    @Test(arguments: [
        #"{"host": "h", "port": 80, "colour": 1}"#, #"{"host": "h", "port": 80, "hosts": "i"}"#, #"{"host": "h"}"#,
        #"{"host": "h", "port": 80, "workers": 1, "worker": 2}"#, #"{"host": "h", "prt": 1, "potr": 2}"#,
    ])
    func aKeyThatCannotBeKnownIsLeftAlone(_ text: String) throws {
        #expect(try repair(server, text).outcome == .failed)
    }

    @Test func aRequiredKeyIsFoundInAnOpenObject() throws {
        let schema = #"{"properties": {"timeout": {"type": "integer"}}, "required": ["timeout"]}"#
        #expect(
            String(decoding: try repair(schema, #"{"timoeut": 3, "x": 1}"#).bytes, as: UTF8.self)
                == #"{"timeout": 3, "x": 1}"#)
        // Two keys could be the one.
        #expect(try repair(schema, #"{"timeot": 3, "timeou": 1}"#).outcome == .failed)
    }

    @Test func defaultsAreAddedOnlyWhereAsked() throws {
        let schema = #"{"properties": {"a": {"default": 5}, "kind": {"const": "x"}}, "required": ["a", "kind", "b"]}"#
        #expect(try repair(schema, #"{"b": 1}"#).outcome == .failed)
        let filled = try repair(schema, "{\n  \"b\": 1\n}\n", fillsDefaults: true)
        #expect(String(decoding: filled.bytes, as: UTF8.self) == "{\n  \"b\": 1,\n  \"a\": 5,\n  \"kind\": \"x\"\n}\n")
        let yaml = try repair(schema, "b: 1 # one\n", .yaml, fillsDefaults: true)
        #expect(String(decoding: yaml.bytes, as: UTF8.self) == "b: 1 # one\na: 5\nkind: x\n")
    }

    @Test func commentsAndLayoutStay() throws {
        let yaml = try repair(server, "# top\nhost:   h   # one\npotr: '80' # two\n\nlog_level: INFO\n", .yaml)
        #expect(
            String(decoding: yaml.bytes, as: UTF8.self)
                == "# top\nhost:   h   # one\nport: 80 # two\n\nlog_level: info\n")
        let toml = try repair(
            server, "# top\nhost =  'h' # one\nport = \"80\"\n[dataabase] # two\n\"nmae\" = 1\n", .toml)
        let wanted = "# top\nhost =  'h' # one\nport = 80\n[database] # two\n\"name\" = \"1\"\n"
        #expect(String(decoding: toml.bytes, as: UTF8.self) == wanted)
        let simple = try repair(server, "host =  'h' # one\nport = \"80\"\nlog-level = \"info\"\n", .toml)
        #expect(String(decoding: simple.bytes, as: UTF8.self) == "host =  'h' # one\nport = 80\nlog_level = \"info\"\n")
        let jsonc = try repair(server, "{\n  // top\n  \"host\": 1, // one\n  \"port\": \"80\" /* two */,\n}", .jsonc)
        #expect(
            String(decoding: jsonc.bytes, as: UTF8.self)
                == "{\n  // top\n  \"host\": \"1\", // one\n  \"port\": 80 /* two */,\n}")
    }

    @Test func theSpellingOfNumbersIsKeptAsText() throws {
        let repair = try repair(member(#"{"type": "string"}"#), "a: 1.10\n", .yaml)
        #expect(String(decoding: repair.bytes, as: UTF8.self) == "a: \"1.10\"\n")
    }

    @Test func theSchemaDecidesBetweenReadings() throws {
        let schema =
            #"{"properties": {"a": {"properties": {"b": {}}, "additionalProperties": false}, "c": {}}, "required": ["c"]}"#
        let repair = try repair(schema, #"{"a": {"b": 1, "c": 2}"#)
        #expect(String(decoding: repair.bytes, as: UTF8.self) == #"{"a": {"b": 1}, "c": 2}"#)
    }

    @Test func aTextAndItsValuesAreMendedTogether() throws {
        let repair = try repair(
            server, "host: h\nport \"80\"\n  log_level: Debug,\ndatabase:\n\tnmae: n\n  pool: \"3\"\n", .yaml)
        #expect(repair.outcome == .repaired, "\(repair.problems)")
        #expect(
            String(decoding: repair.bytes, as: UTF8.self)
                == "host: h\nport: 80\nlog_level: debug\ndatabase:\n  name: n\n  pool: 3\n")
    }

    @Test func thePatchLeadsFromTheOldValueToTheNew() throws {
        let text = #"{"Host": 1, "potr": "80", "dataabase": {"nae": "n", "pool": "3"}}"#
        let repair = try repair(server, text)
        var value = try JSONReader.read(text).root.value
        for operation in try #require(repair.patches.first) {
            let path = try #require(JSONPointer(parsing: operation["path"]?.stringValue ?? "-"))
            switch operation["op"]?.stringValue {
            case "move":
                let from = try #require(JSONPointer(parsing: operation["from"]?.stringValue ?? "-"))
                #expect(from.parent == path.parent)
                value = try #require(
                    value.renaming(from.tokens.last ?? "", to: path.tokens.last ?? "", in: path.parent ?? .root))
            case "replace": value = try #require(value.replacing(path, with: operation["value"] ?? .null))
            default: Issue.record("unexpected \(operation)")
            }
        }
        #expect(value == repair.values.first)
        #expect(value == (try JSONReader.read(repair.bytes).root.value))
    }
}
