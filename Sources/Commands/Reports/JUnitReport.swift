// SPDX-License-Identifier: Apache-2.0

import Documents

/// JUnit's XML: each file is a test case.
struct JUnitReport: ValidationReport {
    /// The name of the schema, for the class of the test cases.
    let schema: String

    private var cases: [String] = []
    private var failures = 0
    private var errors = 0
    private var seconds = 0.0
    private var problems = ProblemCollector<(diagnostic: Diagnostic, text: String)>()

    init(schema: String) { self.schema = schema }

    mutating func found(_ diagnostics: [Diagnostic], sources: [SourceText]) {
        let renderer = DiagnosticRenderer(sources: sources)
        problems.add(diagnostics) { ($0, renderer.text($0)) }
    }

    mutating func end(_ verdict: FileVerdict) {
        let time = verdict.duration / .seconds(1)
        seconds += time
        add(
            name: verdict.name, problems.take(for: verdict.name), isValid: verdict.isValid,
            isError: verdict.isUnreadable, time: time)
    }

    mutating func schema(_ name: String, _ diagnostics: [Diagnostic], isFatal: Bool) {
        guard isFatal else { return }
        let renderer = DiagnosticRenderer()
        add(name: name, diagnostics.map { ($0, renderer.text($0)) }, isValid: false, isError: true, time: 0)
    }

    mutating func finish() throws(CommandFailure) {
        let counts = "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"\(errors)\""
        let time = "time=\"\(Self.decimal(seconds))\""
        try Console.write(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="formwork validate" \(counts) \(time)>
              <testsuite name=\(Self.attribute(schema)) \(counts) skipped="0" \(time)>

            """ + cases.joined() + """
              </testsuite>
            </testsuites>

            """)
    }

    private mutating func add(
        name: String, _ found: [(diagnostic: Diagnostic, text: String)], isValid: Bool, isError: Bool, time: Double
    ) {
        let file = ReportText.path(name).map { " file=\(Self.attribute($0))" } ?? ""
        var text = "    <testcase name=\(Self.attribute(name)) classname=\(Self.attribute(schema))\(file)"
        text += " time=\"\(Self.decimal(time))\""
        let body = Self.escaped(found.map(\.text).joined(), isAttribute: false)
        if isValid {
            // Warnings are output of a case that passes.
            text += found.isEmpty ? "/>\n" : ">\n      <system-out>\(body)</system-out>\n    </testcase>\n"
        } else {
            if isError { errors += 1 } else { failures += 1 }
            let element = isError ? "error" : "failure"
            let first = found.first { $0.diagnostic.severity == .error } ?? found.first
            var message = first?.diagnostic.message ?? "the file is not valid"
            if found.count > 1 { message += " (1 of \(found.count) problems)" }
            text += """
                >
                      <\(element) message=\(Self.attribute(message)) \
                type=\(Self.attribute(first?.diagnostic.id.rawValue ?? "value"))>\(body)</\(element)>
                    </testcase>

                """
        }
        cases.append(text)
    }

    /// Seconds with three digits behind the point.
    private static func decimal(_ seconds: Double) -> String {
        let thousandths = Int(max(0, min(seconds, 1e9)) * 1000 + 0.5)
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    /// An attribute's value with its quotes.
    private static func attribute(_ text: String) -> String { "\"\(escaped(text, isAttribute: true))\"" }

    private static func escaped(_ text: String, isAttribute: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"" where isAttribute: result += "&quot;"
            // A reader would make spaces and line feeds of these.
            case "\t" where isAttribute, "\n" where isAttribute, "\r": result += "&#\(scalar.value);"
            case "\t", "\n": result.unicodeScalars.append(scalar)
            default:
                // XML has no spelling for the others below U+0020, nor for U+FFFE and U+FFFF.
                let isPossible = scalar.value >= 0x20 && scalar.value != 0xFFFE && scalar.value != 0xFFFF
                result.unicodeScalars.append(isPossible ? scalar : "\u{FFFD}")
            }
        }
        return result
    }
}
