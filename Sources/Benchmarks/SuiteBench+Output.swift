// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import JSONSchemas

/// The parts of the suite about what a validator says beside its verdict: `annotations/` and `output-tests/`.
extension SuiteBench {
    /// Compares the annotations of valid values with those that the suite expects, in each draft that a case is for.
    static func runAnnotations(root: String, drafts: [Draft], into report: inout Report) throws {
        let folder = root + "/annotations/tests"
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for file in files.sorted() where file.hasSuffix(".json") {
            let document = try read(folder + "/" + file)
            for draft in drafts {
                var result = FileResult(
                    draft: draft, isOptional: false, file: "annotations/" + file, counts: Counts(), part: .annotations)
                for group in document.root["suite"]?.elements.map({ $0 }) ?? []
                where isCompatible(group["compatibility"]?.stringValue, draft) {
                    let name = group["description"]?.stringValue ?? ""
                    for (test, reason) in try annotationFailures(group, draft, &result.counts) {
                        report.failures.append(
                            Failure(
                                draft: draft, isOptional: false, file: result.file, group: name, test: test,
                                outcome: .falseNegative, reason: reason))
                    }
                }
                if result.counts.total > 0 { report.files.append(result) }
            }
        }
    }

    private static func annotationFailures(
        _ group: Node, _ draft: Draft, _ counts: inout Counts
    ) throws -> [(test: String, reason: String)] {
        guard let schema = group["schema"], let tests = group["tests"] else {
            throw SuiteError("a case of the annotation tests has no schema or tests")
        }
        var registry = SchemaRegistry()
        for member in group["externalSchemas"]?.members.map({ $0 }) ?? [] {
            registry.add(Document(value: member.value.value), uri: member.key)
        }
        let graph = try SchemaGraph.load(
            Document(value: schema.value).root,
            options: SchemaOptions(defaultDialect: Dialect(draft), metaschemaCheck: .off), registry: registry)
        let validator = Validator(graph, formats: .annotate)
        var failures: [(String, String)] = []
        for test in tests.elements {
            guard let instance = test["instance"], let assertions = test["assertions"] else {
                throw SuiteError("a test of the annotation tests has no instance or assertions")
            }
            let found = validator.annotations(instance)
            for assertion in assertions.elements {
                let location = assertion["location"]?.stringValue ?? ""
                let keyword = assertion["keyword"]?.stringValue ?? ""
                var actual = JSONObject()
                for annotation in found ?? []
                where annotation.keyword == keyword
                    && annotation.instanceLocation.tokens == relative(location, to: instance)
                {
                    actual[annotation.schemaLocation.fragment] = annotation.value
                }
                let expected = assertion["expected"]?.value ?? .null
                if found != nil, expected == .object(actual) {
                    counts.add(.pass)
                } else {
                    counts.add(.falseNegative)
                    let text = JSONWriter(style: .compact).write(.object(actual))
                    failures.append(("\(keyword) at '\(location)'", found == nil ? "the instance is invalid" : text))
                }
            }
        }
        return failures
    }

    /// The steps to a place in an instance that is itself a part of the test's file.
    private static func relative(_ location: String, to instance: Node) -> [String] {
        instance.pointer.tokens + (JSONPointer(parsing: location)?.tokens ?? [])
    }

    /// Whether a case is for a draft: constraints such as `7`, `<=2019` and `=2020`, joined by commas.
    private static func isCompatible(_ constraints: String?, _ draft: Draft) -> Bool {
        guard let constraints else { return true }
        let release =
            switch draft {
            case .draft3: 3
            case .draft4: 4
            case .draft6: 6
            case .draft7: 7
            case .draft201909: 2019
            case .draft202012: 2020
            }
        return constraints.split(separator: ",").allSatisfy { constraint in
            if constraint.hasPrefix("<=") { return Int(constraint.dropFirst(2)).map { release <= $0 } ?? false }
            if constraint.hasPrefix("=") { return Int(constraint.dropFirst()) == release }
            return Int(constraint).map { release >= $0 } ?? false
        }
    }

    /// Checks the formats of the specification with the schemas that the suite has for them.
    ///
    /// The tests for the specification after 2020-12 are read as 2020-12, from which it does not differ there.
    static func runOutputs(root: String, drafts: [Draft], into report: inout Report) throws {
        for (folder, draft) in [
            ("draft2019-09", Draft.draft201909), ("draft2020-12", .draft202012), ("v1", .draft202012),
        ] where drafts.contains(draft) {
            let base = root + "/output-tests/" + folder
            guard FileManager.default.fileExists(atPath: base) else { continue }
            let output = undated(try read(base + "/output-schema.json").root.value)
            var registry = SchemaRegistry()
            registry.add(
                Document(value: output),
                uri: folder == "v1" ? "https://json-schema.org/v1/output/schema" : draft.outputSchemaURI)
            for file in try FileManager.default.contentsOfDirectory(atPath: base + "/content").sorted() {
                var result = FileResult(
                    draft: draft, isOptional: false, file: "output-tests/\(folder)/\(file)", counts: Counts(),
                    part: .output)
                for group in try read(base + "/content/" + file).root.elements {
                    for (test, reason) in try outputFailures(group, draft, registry, &result.counts) {
                        report.failures.append(
                            Failure(
                                draft: draft, isOptional: false, file: result.file,
                                group: group["description"]?.stringValue ?? "", test: test, outcome: .falseNegative,
                                reason: reason))
                    }
                }
                report.files.append(result)
            }
        }
    }

    private static func outputFailures(
        _ group: Node, _ draft: Draft, _ registry: SchemaRegistry, _ counts: inout Counts
    ) throws -> [(test: String, reason: String)] {
        guard let schema = group["schema"], let tests = group["tests"] else {
            throw SuiteError("a case of the output tests has no schema or tests")
        }
        let options = SchemaOptions(defaultDialect: Dialect(draft), metaschemaCheck: .off)
        let graph = try SchemaGraph.load(
            Document(value: undated(schema.value)).root, options: options, registry: registry)
        let validator = Validator(graph, formats: .annotate)
        var failures: [(String, String)] = []
        for test in tests.elements {
            guard let data = test["data"], let outputs = test["output"] else {
                throw SuiteError("a test of the output tests has no data or output")
            }
            for wanted in outputs.members {
                var reason: String?
                if let format = StandardOutput(rawValue: wanted.key) {
                    let made = validator.output(Document(value: data.value).root, as: format)
                    let judge = try SchemaGraph.load(
                        Document(value: undated(wanted.value.value)).root, options: options, registry: registry)
                    reason = Validator(judge, formats: .assert).validate(Document(value: made).root).first?.description
                } else {
                    reason = "there is no output '\(wanted.key)'"
                }
                counts.add(reason == nil ? .pass : .falseNegative)
                if let reason { failures.append((test["description"]?.stringValue ?? "", reason)) }
            }
        }
        return failures
    }

    /// A schema without the dialect of the specification after 2020-12, which has no other name here.
    private static func undated(_ schema: JSONValue) -> JSONValue {
        guard case .object(var object) = schema, object["$schema"]?.stringValue == "https://json-schema.org/v1" else {
            return schema
        }
        object = JSONObject(object.members.filter { $0.key != "$schema" })
        return .object(object)
    }

    private static func read(_ path: String) throws -> Document {
        guard let data = FileManager.default.contents(atPath: path) else { throw SuiteError("'\(path)' cannot be read") }
        return try JSONReader.read([UInt8](data), file: path)
    }
}

extension SchemaLocation {
    /// The place seen from the root of the document, as the suite writes it.
    fileprivate var fragment: String {
        var place = self
        place.resourceURI = ""
        place.resourcePointer = pointer
        return place.uri
    }
}

extension Draft {
    /// The address of the schema for output.
    fileprivate var outputSchemaURI: String {
        self == .draft201909
            ? "https://json-schema.org/draft/2019-09/output/schema" : "https://json-schema.org/draft/2020-12/output/schema"
    }
}
