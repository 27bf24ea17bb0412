// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import JSONSchemas
import TestSupport
import Testing

/// A schema with texts that its machine must accept and texts that it must reject.
struct SchemaCase: CustomTestStringConvertible, Sendable {
    var schema: String
    var accepts: [String]
    var rejects: [String]
    /// Texts of valid values in a spelling that is not accepted.
    var misspelled: [String]

    init(_ schema: String, accepts: [String], rejects: [String], misspelled: [String] = []) {
        self.schema = schema
        self.accepts = accepts
        self.rejects = rejects
        self.misspelled = misspelled
    }

    var testDescription: String { schema }
}

/// A schema's graph.
func schemaGraph(_ schema: String) throws -> SchemaGraph {
    try SchemaGraph.load(JSONReader.read(Array(schema.utf8), file: nil).root)
}

/// Whether a machine accepts a text, byte by byte.
func acceptsText(_ machine: SchemaMachine, _ text: String) -> Bool {
    var configuration = machine.start
    for byte in text.utf8 {
        configuration = machine.step(configuration, byte)
        if configuration.isDead { return false }
    }
    return machine.isAccepting(configuration)
}

/// Checks that machine and validator agree with the expectations, and that the shortest document is valid.
func expectSchema(
    _ example: SchemaCase, profile: SpellingProfile = .compact, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let graph = try schemaGraph(example.schema)
    let machine = try SchemaMachine(graph, profile: profile)
    let validator = Validator(graph, formats: .assert)
    func isValid(_ text: String) throws -> Bool {
        try validator.isValid(JSONReader.read(Array(text.utf8), file: nil).root)
    }
    for text in example.accepts {
        #expect(acceptsText(machine, text), "accepts \(text)", sourceLocation: sourceLocation)
        #expect(try isValid(text), "validator accepts \(text)", sourceLocation: sourceLocation)
    }
    for text in example.rejects {
        #expect(!acceptsText(machine, text), "rejects \(text)", sourceLocation: sourceLocation)
        #expect(try !isValid(text), "validator rejects \(text)", sourceLocation: sourceLocation)
    }
    for text in example.misspelled {
        #expect(!acceptsText(machine, text), "rejects the spelling \(text)", sourceLocation: sourceLocation)
    }
    let shortest = machine.witness(machine.start)
    #expect(shortest.count == machine.minimumCompletion(machine.start), sourceLocation: sourceLocation)
    #expect(try isValid(String(decoding: shortest, as: UTF8.self)), "shortest document", sourceLocation: sourceLocation)
}

/// Walks at random over the allowed bytes, finishes with the witness, and checks the result.
func walkSchema(
    _ schema: String, seed: UInt64, bytes: Int, profile: SpellingProfile = .compact, isExact: Bool = true,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let graph = try schemaGraph(schema)
    let machine = try SchemaMachine(graph, profile: profile)
    let validator = Validator(graph, formats: .assert)
    var generator = TestSupport.SeededGenerator(seed: seed)
    var configuration = machine.start
    var text: [UInt8] = []
    while text.count < bytes {
        var allowed: [UInt8] = []
        machine.allowedBytes(configuration).forEach { allowed.append($0) }
        guard let byte = allowed.randomElement(using: &generator) else { break }
        text.append(byte)
        configuration = machine.step(configuration, byte)
        #expect(!configuration.isDead, "an allowed byte is viable", sourceLocation: sourceLocation)
    }
    let rest = machine.witness(configuration)
    #expect(rest.count <= machine.minimumCompletion(configuration), sourceLocation: sourceLocation)
    if isExact {
        #expect(rest.count == machine.minimumCompletion(configuration), sourceLocation: sourceLocation)
    }
    for byte in rest { configuration = machine.step(configuration, byte) }
    text += rest
    let written = String(decoding: text, as: UTF8.self)
    #expect(machine.isAccepting(configuration), "\(written)", sourceLocation: sourceLocation)
    let document = try JSONReader.read(text, file: nil)
    #expect(validator.isValid(document.root), "\(written)", sourceLocation: sourceLocation)
}

/// The ids of the diagnostics with which a schema is refused.
func schemaRefusals(_ schema: String) throws -> [String] {
    let graph = try schemaGraph(schema)
    do throws(DiagnosticsError) {
        _ = try SchemaMachine(graph)
        return []
    } catch {
        return error.diagnostics.map(\.id.rawValue)
    }
}
