// SPDX-License-Identifier: Apache-2.0

import Documents
import Generation
import JSONSchemas

/// Reads the members of a request's JSON object, and tells of those that nobody asked for.
///
/// Nothing that could change the answer is ignored: a member that is not known, or not supported with that value, is
/// refused by name.
struct RequestFields {
    let object: JSONObject
    /// Where the object is in the request, such as `options.`; for messages.
    let prefix: String
    private var seen: Set<String> = []

    init(_ value: JSONValue, prefix: String = "") throws {
        guard let object = value.objectValue else {
            throw ServiceFault.invalid(
                prefix.isEmpty ? "body" : String(prefix.dropLast()), "a JSON object is expected", code: "invalid_type")
        }
        self.object = object
        self.prefix = prefix
    }

    /// The body of a request.
    static func read(_ bytes: [UInt8]) throws -> RequestFields {
        let document: Document
        do {
            document = try JSONReader.read(bytes, file: nil)
        } catch {
            let first = error.diagnostics.first
            let place = first?.range.map { " at line \($0.start.line), column \($0.start.column)" } ?? ""
            throw ServiceFault(
                .badRequest, first?.id.rawValue ?? "json.syntax",
                "the body is not JSON\(place): \(first?.message ?? "it cannot be read")")
        }
        return try RequestFields(document.root.value)
    }

    private func wrong(_ name: String, _ expected: String) -> ServiceFault {
        .invalid(prefix + name, "'\(prefix + name)' must be \(expected)", code: "invalid_type")
    }

    /// The member, or nil where it is absent or null.
    mutating func value(_ name: String) -> JSONValue? {
        seen.insert(name)
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    mutating func string(_ name: String) throws -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.stringValue else { throw wrong(name, "a string") }
        return text
    }

    mutating func requiredString(_ name: String) throws -> String {
        guard let text = try string(name) else {
            throw ServiceFault.invalid(prefix + name, "'\(prefix + name)' is missing", code: "missing_required_parameter")
        }
        return text
    }

    mutating func bool(_ name: String) throws -> Bool? {
        guard let value = value(name) else { return nil }
        guard let flag = value.boolValue else { throw wrong(name, "true or false") }
        return flag
    }

    mutating func int(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
        guard let value = value(name) else { return nil }
        guard let number = value.intValue, range.contains(number) else {
            throw wrong(name, "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func float(_ name: String, _ range: ClosedRange<Float>) throws -> Float? {
        guard let value = value(name) else { return nil }
        guard let number = value.numberValue.map({ Float($0.doubleValue) }), range.contains(number) else {
            throw wrong(name, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func array(_ name: String) throws -> [JSONValue]? {
        guard let value = value(name) else { return nil }
        guard let array = value.arrayValue else { throw wrong(name, "an array") }
        return array
    }

    mutating func fields(_ name: String) throws -> RequestFields? {
        guard let value = value(name) else { return nil }
        return try RequestFields(value, prefix: prefix + name + ".")
    }

    /// Texts that end an answer: a string, or up to `limit` of them.
    mutating func stops(_ name: String, limit: Int = 16) throws -> [String] {
        guard let value = value(name) else { return [] }
        if let text = value.stringValue { return text.isEmpty ? [] : [text] }
        let texts = value.arrayValue?.compactMap(\.stringValue) ?? []
        guard let count = value.arrayValue?.count, texts.count == count, count <= limit else {
            throw wrong(name, "a string or an array of at most \(limit) strings")
        }
        return texts.filter { !$0.isEmpty }
    }

    /// Passes over members that cannot change the answer.
    mutating func ignore(_ names: String...) { seen.formUnion(names) }

    /// Refuses members that would change the answer in a way that is not supported, unless they have a value without
    /// effect.
    mutating func refuse(_ name: String, unless harmless: [JSONValue] = [], _ reason: String) throws {
        guard let value = value(name), !harmless.contains(value) else { return }
        throw ServiceFault.invalid(
            prefix + name, "'\(prefix + name)' is not supported: \(reason)", code: "unsupported_parameter")
    }

    /// Refuses members that are not known.
    func finish() throws {
        for (name, _) in object where !seen.contains(name) {
            throw ServiceFault.invalid(
                prefix + name, "the parameter '\(prefix + name)' is not known", code: "unknown_parameter")
        }
    }
}

extension GenerationJob {
    /// Makes the answer a JSON document of a schema.
    ///
    /// - Parameters:
    ///   - schema: A JSON Schema as a value. References to other documents are refused.
    ///   - parameter: The request's field that holds it.
    mutating func constrain(to schema: JSONValue, parameter: String) throws {
        let text = JSONWriter(style: .compact).write(schema)
        do {
            // From text, so that problems have places.
            form = .document(try SpecLoader.load(JSONReader.read(Array(text.utf8), file: nil)), key: text)
        } catch {
            throw ServiceFault(error, parameter: parameter)
        }
        formParameter = parameter
    }

    /// Tells the model of the schema, in the system message.
    mutating func showSchema() {
        guard case .document(let spec, _) = form else { return }
        let summary = spec.summary.map { " (\($0))" } ?? ""
        instruct(
            "Answer with one JSON value that fits this JSON schema\(summary):\n"
                + SchemaRendering.compact(spec.schema.root))
    }

    /// Adds a text to the system message, which is made where there is none.
    mutating func instruct(_ text: String) {
        if let first = messages.first, first.role == "system" {
            messages[0] = .init(role: "system", content: first.content + "\n\n" + text)
        } else {
            messages.insert(.init(role: "system", content: text), at: 0)
        }
    }
}
