// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import JSONSchemas

extension NativeFields {
    /// `/v1/check`: whether a `spec` or `schema` can be used for generation, with all problems and their places.
    ///
    /// The answer has the JSON Schema that a short spec stands for.
    static func check(_ bytes: [UInt8]) throws -> JSONValue {
        var fields = try RequestFields.read(bytes)
        let schema = fields.value("schema")
        let spec = try fields.string("spec")
        try fields.finish()
        let text: String
        switch (schema, spec) {
        case (let schema?, nil): text = JSONWriter(style: .compact).write(schema)
        case (nil, let spec?): text = spec
        default:
            throw ServiceFault.invalid(
                "spec", "one of 'schema' (a JSON Schema) and 'spec' (its text, or a short spec) is needed",
                code: "missing_required_parameter")
        }
        let loaded: LoadedSpec
        do throws(DiagnosticsError) {
            loaded = try SpecLoader.load(Array(text.utf8))
        } catch {
            return ["valid": false, "problems": .array(error.diagnostics.map(value))]
        }
        var problems = loaded.warnings
        var isValid = true
        do throws(DiagnosticsError) {
            // What can be read may still be something that cannot be enforced.
            _ = try SchemaMachine(loaded.graph, profile: .spaced, formats: .assert, verbatim: .undecided)
        } catch {
            problems = error.diagnostics + problems
            isValid = false
        }
        return [
            "valid": .bool(isValid), "form": loaded.form == .short ? "short" : "schema",
            "name": loaded.name.map { .string($0) } ?? .null,
            "summary": loaded.summary.map { .string($0) } ?? .null,
            "instruction": loaded.instruction.map { .string($0) } ?? .null, "schema": loaded.schema.root.value,
            "problems": .array(problems.map(value)),
        ]
    }
}
