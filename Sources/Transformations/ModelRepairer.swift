// SPDX-License-Identifier: Apache-2.0

import Constraints
package import Documents
import Generation
package import JSONSchemas

/// Lets a model find what a repair by rules could not: the parts of a document that are not valid.
///
/// Everything that is valid is a constant of the constraint, so that only the other parts are generated; what comes out is
/// valid by construction, and checked again all the same.
package final class ModelRepairer {
    private let model: TextModel
    private let spec: LoadedSpec
    private let registry: SchemaRegistry
    private let validator: Validator
    private let options: TransformationOptions

    /// - Parameter registry: Where the references of the schema were looked up.
    package init(
        model: TextModel, spec: LoadedSpec, registry: SchemaRegistry, validator: Validator,
        options: TransformationOptions
    ) {
        self.model = model
        self.spec = spec
        var registry = registry
        registry.add(spec.schema, uri: RepairTemplate.schemaAddress)
        self.registry = registry
        self.validator = validator
        self.options = options
    }

    /// Completes a repair that failed; the repair as it was where there is nothing that the model could do.
    ///
    /// - Throws: What compiling the constraint or generating throws: the valid parts may leave no document, or the budget
    ///   may be too small.
    package func complete(_ repair: DocumentRepair) throws -> DocumentRepair {
        guard repair.outcome == .failed, let rest = repair.rest else { return repair }
        var mendings = rest.mendings
        for index in mendings.indices where !mendings[index].violations.isEmpty {
            guard !mendings[index].violations.contains(where: \.dependsOnUndecided) else { return repair }
            guard let mending = try generate(mendings[index], rest.reading.documents[index]) else { return repair }
            mendings[index] = mending
        }
        var result = repair
        result.problems = []
        result.sources = []
        return Repairer.complete(rest.reading, mendings, &result, validator)
    }

    private func generate(_ mending: SchemaMending, _ document: Document) throws -> SchemaMending? {
        let template = RepairTemplate(validator.graph, mending)
        var schemaOptions = SchemaOptions(metaschemaCheck: .off)
        schemaOptions.defaultDialect = spec.graph[spec.graph.root].dialect
        var repaired = spec
        repaired.graph = try SchemaGraph.load(
            Document(value: template.schema).root, options: schemaOptions, registry: registry)
        repaired.instruction =
            "A document does not fit its schema. Write the document as JSON that fits the schema, with all that is right in it."
        repaired.examples = []
        let transformer = try Transformer(model: model, spec: repaired, options: options)
        let text = String(decoding: document.source?.bytes ?? [], as: UTF8.self)
        let problems = mending.violations.prefix(10).map { "- \($0.instanceLocation): \($0.message)" }.joined(
            separator: "\n")
        let transformation = try transformer.transform("\(text)\n\nProblems:\n\(problems)")
        return template.complete(with: transformation.document.root.value)
    }
}
