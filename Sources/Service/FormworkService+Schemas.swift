// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import Foundation
import HTTPTypes
import Hummingbird
import JSONSchemas

extension FormworkService {
    /// Schemas that are registered once and named in later requests.
    func schemas(_ router: Router<BasicRequestContext>) {
        route(router, .post, "/v1/schemas", .native) { call in
            var fields = try RequestFields.read(call.body)
            let name = try fields.string("name")
            let (text, loaded) = try NativeFields.newSpec(&fields)
            try fields.finish()
            if let name, !SchemaStore.isName(name) {
                throw ServiceFault.invalid("name", "'name' must have 1 to 64 letters, digits, '_', '-' or '.'")
            }
            let made = try schemaStore.register(loaded, text: text, name: name, owner: call.owner)
            var reply = Reply.json(made.schema.value(made.name, source: true))
            if made.isNew { reply.status = .created }
            return reply
        }
        route(router, .get, "/v1/schemas", .native) { call in
            let data = schemaStore.list(call.owner).map { $0.schema.value($0.name) }
            return .json(["object": "list", "data": .array(data)])
        }
        route(router, .get, "/v1/schemas/:id", .native) { call in
            let (reference, missing) = try Self.reference(call)
            guard let found = try schemaStore.find(reference, owner: call.owner) else { throw missing }
            return .json(found.schema.value(found.name, source: true))
        }
        route(router, .delete, "/v1/schemas/:id", .native) { call in
            let (reference, missing) = try Self.reference(call)
            guard try schemaStore.delete(reference, owner: call.owner) else { throw missing }
            let id = call.parameters["id"]?.removingPercentEncoding ?? ""
            return .json(["object": "schema", "id": .string(id), "deleted": true])
        }
    }

    /// What the path names, and the error for the case that it is not there.
    private static func reference(_ call: Call) throws -> (SchemaStore.Reference, missing: ServiceFault) {
        let id = call.parameters["id"] ?? ""
        let text = id.removingPercentEncoding ?? id
        let missing = ServiceFault(.notFound, "schema_not_found", "no schema '\(text)' is registered", kind: .notFound)
        guard let reference = SchemaStore.Reference(text) else { throw missing }
        return (reference, missing)
    }
}

extension NativeFields {
    /// A schema or spec that is to be kept: read, and checked that it can be enforced.
    static func newSpec(_ fields: inout RequestFields) throws -> (text: String, loaded: LoadedSpec) {
        let schema = fields.value("schema")
        let spec = try fields.string("spec")
        let text: String
        switch (schema, spec) {
        case (let schema?, nil): text = JSONWriter(style: .compact).write(schema)
        case (nil, let spec?): text = spec
        default:
            throw ServiceFault.invalid(
                "schema", "one of 'schema' (a JSON Schema) and 'spec' (its text, or a short spec) is needed",
                code: "missing_required_parameter")
        }
        do {
            let loaded = try SpecLoader.load(Array(text.utf8))
            _ = try SchemaMachine(loaded.graph, profile: .spaced, formats: .assert, verbatim: .undecided)
            return (text, loaded)
        } catch {
            throw ServiceFault(error, parameter: schema == nil ? "spec" : "schema")
        }
    }
}
