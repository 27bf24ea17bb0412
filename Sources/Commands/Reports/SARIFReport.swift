// SPDX-License-Identifier: Apache-2.0

import Documents

/// A log of the Static Analysis Results Interchange Format, version 2.1.0.
struct SARIFReport: ValidationReport {
    private var results: [JSONValue] = []
    private var rules: [String: Int] = [:]
    private var ruleNames: [String] = []
    private var notifications: [JSONValue] = []
    private var problems = ProblemCollector<Diagnostic>()
    private var fingerprints = Fingerprints()
    private var hasRun = true

    mutating func found(_ diagnostics: [Diagnostic], sources: [SourceText]) {
        problems.add(diagnostics) { $0 }
    }

    mutating func end(_ verdict: FileVerdict) {
        let found = problems.take(for: verdict.name)
        guard verdict.isUnreadable else {
            for diagnostic in found { add(diagnostic, file: verdict.name) }
            return
        }
        // That a file could not be opened is no result about it.
        hasRun = false
        for diagnostic in found {
            notifications.append([
                "level": "error", "message": ["text": .string(ReportText.full(diagnostic))],
                "descriptor": ["id": .string(diagnostic.id.rawValue)],
            ])
        }
    }

    mutating func schema(_ name: String, _ diagnostics: [Diagnostic], isFatal: Bool) {
        if isFatal { hasRun = false }
        for diagnostic in diagnostics { add(diagnostic, file: name) }
    }

    mutating func finish() throws(CommandFailure) {
        var driver = JSONObject()
        driver["name"] = "formwork"
        driver["version"] = .string(Formwork.configuration.version)
        driver["rules"] = .array(ruleNames.map { ["id": .string($0)] })
        var invocation = JSONObject()
        invocation["executionSuccessful"] = .bool(hasRun)
        if !notifications.isEmpty { invocation["toolExecutionNotifications"] = .array(notifications) }
        var run = JSONObject()
        run["tool"] = ["driver": .object(driver)]
        run["invocations"] = .array([.object(invocation)])
        run["columnKind"] = "unicodeCodePoints"
        run["results"] = .array(results)
        var log = JSONObject()
        log["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json"
        log["version"] = "2.1.0"
        log["runs"] = .array([.object(run)])
        try Console.line(JSONWriter(style: .pretty(indent: 2)).write(.object(log)))
    }

    private mutating func add(_ diagnostic: Diagnostic, file: String) {
        let id = diagnostic.id.rawValue
        let rule: Int
        if let known = rules[id] {
            rule = known
        } else {
            rule = ruleNames.count
            rules[id] = rule
            ruleNames.append(id)
        }
        let name = diagnostic.range?.file ?? file
        var message = diagnostic.message
        if let help = diagnostic.help { message += "\nhelp: " + help }
        var result = JSONObject()
        result["ruleId"] = .string(id)
        result["ruleIndex"] = .number(DecimalNumber(rule))
        result["level"] = .string(diagnostic.severity.rawValue)
        result["message"] = ["text": .string(message)]
        result["locations"] = .array([Self.location(diagnostic.range, file: name, path: diagnostic.path)])
        if !diagnostic.notes.isEmpty {
            result["relatedLocations"] = .array(
                diagnostic.notes.enumerated().map { number, note in
                    guard
                        case .object(var place) = Self.location(
                            note.range, file: note.range?.file ?? name, path: note.path)
                    else { return .null }
                    place["id"] = .number(DecimalNumber(number + 1))
                    place["message"] = ["text": .string(note.message)]
                    return .object(place)
                })
        }
        let fingerprint = fingerprints.next(diagnostic, file: ReportText.path(name))
        result["partialFingerprints"] = ["formwork/v1": .string(fingerprint)]
        results.append(.object(result))
    }

    private static func location(_ range: SourceRange?, file: String, path: JSONPointer?) -> JSONValue {
        var artifact = JSONObject()
        if let path = ReportText.path(file) {
            artifact["uri"] = .string(uri(path))
            if !path.hasPrefix("/") { artifact["uriBaseId"] = "%SRCROOT%" }
        } else {
            artifact["description"] = ["text": "standard input"]
        }
        var physical = JSONObject()
        physical["artifactLocation"] = .object(artifact)
        if let range {
            physical["region"] = [
                "startLine": .number(DecimalNumber(range.start.line)),
                "startColumn": .number(DecimalNumber(range.start.column)),
                "endLine": .number(DecimalNumber(range.end.line)),
                "endColumn": .number(DecimalNumber(range.end.column)),
                "byteOffset": .number(DecimalNumber(range.start.offset)),
                "byteLength": .number(DecimalNumber(max(0, range.end.offset - range.start.offset))),
            ]
        }
        var location = JSONObject()
        location["physicalLocation"] = .object(physical)
        if let path, !path.tokens.isEmpty {
            location["logicalLocations"] = .array([["fullyQualifiedName": .string(path.description)]])
        }
        return .object(location)
    }

    /// A path as a URI reference: what is no letter, digit or `-._~/` in percent escapes.
    private static func uri(_ path: String) -> String {
        var result = path.hasPrefix("/") ? "file://" : ""
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }
}
