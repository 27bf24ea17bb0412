// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import TestSupport
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// The reports of `formwork validate` for other programs, read back as those programs read them.
struct ReportTests {
    /// A file name with everything that some notation gives a meaning.
    private static let hostileName = "a,b:c%0A#d & <e>\"'☃.json"

    /// A folder with a schema, a valid file, one with a warning, invalid ones and one that cannot be parsed.
    private func terminal<R>(_ body: (Terminal) throws -> R) throws -> R {
        let terminal = try Terminal()
        defer { terminal.close() }
        try terminal.write(
            "s.json",
            #"""
            {"additionalProperties": false, "patternProperties": {"^n": {"type": "integer"}},
             "properties": {"u": {"anyOf": [{"type": "object", "required": ["k"]}, {"type": "array"}]}}}
            """#)
        try terminal.write("good.json", #"{"n": 1}"#)
        try terminal.write("twice.json", #"{"n": 1, "n": 2}"#)
        // Line ends, percent signs, control characters and markup in what the messages quote.
        try terminal.write(
            Self.hostileName,
            #"""
            {
              "n\n::error::x%0A<&>]]>\u0007\ud83d\ude00": "%\r\n\u0001\u007f",
              "u": {}
            }
            """#)
        try terminal.write("broken.json", "{\"n\": \n")
        return try body(terminal)
    }

    private static let files = ["good.json", "twice.json", hostileName, "broken.json", "none.json"]

    private func run(_ terminal: Terminal, _ output: String, _ files: [String] = files) throws -> Terminal.Outcome {
        try terminal.run(["validate", "--schema", "s.json", "--output", output] + files)
    }

    private func parsed(_ text: String) throws -> Node { try JSONReader.read(Array(text.utf8)).root }

    @Test(arguments: ["text", "json", "github", "gitlab", "sarif", "junit", "tap", "auto"])
    func theExitStatusIsThatOfTheFiles(output: String) throws {
        try terminal { terminal in
            #expect(try run(terminal, output, ["good.json"]).status == 0)
            #expect(try run(terminal, output, ["twice.json"]).status == 0)
            #expect(try run(terminal, output, ["good.json", Self.hostileName]).status == 2)
            #expect(try run(terminal, output, ["broken.json"]).status == 2)
            #expect(try run(terminal, output).status == 6)
            try terminal.write("s.json", #"{"type": "strin"}"#)
            let outcome = try run(terminal, output, ["good.json"])
            #expect(outcome.status == 4)
            #expect(outcome.errors.contains("s.json:1:"))
            let quiet = try terminal.run("validate", "--schema", "s.json", "--output", output, "--quiet", "good.json")
            #expect(quiet.status == 4)
            #expect(quiet.output.isEmpty)
        }
    }

    @Test func unknownOutputsAreRefused() throws {
        try terminal { terminal in
            let outcome = try run(terminal, "html")
            #expect(outcome.status == 5)
            #expect(outcome.output.isEmpty)
        }
    }

    // MARK: GitHub

    /// A workflow command as the runner reads it.
    private struct Annotation {
        var command: String
        var properties: [String: String] = [:]
        var message: String

        init?(_ line: Substring) {
            guard line.hasPrefix("::"), let end = line.dropFirst(2).range(of: "::") else { return nil }
            let head = line.dropFirst(2)[..<end.lowerBound]
            let space = head.firstIndex(of: " ") ?? head.endIndex
            command = String(head[..<space])
            for pair in head[space...].dropFirst().split(separator: ",") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2 else { return nil }
                properties[String(parts[0])] = Self.unescaped(
                    String(parts[1]).replacing("%2C", with: ",").replacing("%3A", with: ":"))
            }
            message = Self.unescaped(String(line[end.upperBound...]))
        }

        private static func unescaped(_ text: String) -> String {
            text.replacing("%0A", with: "\n").replacing("%0D", with: "\r").replacing("%25", with: "%")
        }
    }

    @Test func annotationsForGitHub() throws {
        try terminal { terminal in
            let outcome = try run(terminal, "github")
            let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.last == "")
            #expect(lines.dropLast().last == "5 files checked, 3 with errors")
            let annotations = try lines.dropLast(2).map { try #require(Annotation($0), "\($0)") }
            #expect(annotations.map(\.command) == ["warning", "error", "error", "error", "error"])
            #expect(annotations[0].properties["file"] == "twice.json")
            #expect(annotations[0].properties["title"] == "document.duplicate-key")
            let hostile = annotations[1...2]
            #expect(hostile.allSatisfy { $0.properties["file"] == Self.hostileName })
            let key = try #require(hostile.first { $0.properties["line"] == "2" })
            #expect(key.properties["col"] != nil)
            #expect(key.message.hasPrefix("\(Self.hostileName):2:"))
            let value = try #require(hostile.first { $0.properties["line"] == "3" })
            #expect(value.properties["col"] == "8")
            #expect(value.properties["endColumn"] == "9")
            #expect(value.message.contains("\nnote: 3:8: "), "\(value.message)")
            #expect(annotations[4].properties["file"] == nil)
            #expect(annotations[4].message.contains("none.json"))
            // No text of a document begins a line.
            #expect(!outcome.output.contains("\n::error::x"))
            #expect(!outcome.output.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        }
    }

    @Test func autoIsForPeopleElsewhereThanInGitHubActions() throws {
        try terminal { terminal in
            var terminal = terminal
            #expect(try terminal.run("validate", "--schema", "s.json", "good.json").output == "good.json: valid\n")
            terminal.environment = ["GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": terminal.folder.path]
            let file = terminal.folder.appendingPathComponent("broken.json").path
            let outcome = try terminal.run("validate", "--schema", "s.json", file, "./broken.json")
            let annotations = outcome.output.split(separator: "\n").compactMap { Annotation($0) }
            #expect(annotations.map { $0.properties["file"] } == ["broken.json", "broken.json"])
            // What is asked for is given.
            #expect(
                try terminal.run("validate", "--schema", "s.json", "--output", "text", "good.json").output
                    == "good.json: valid\n")
            // The schema's mistakes are shown at their place, too.
            try terminal.write("s.json", "{\n\"type\": \"strin\"}")
            let schema = try terminal.run("validate", "--schema", "s.json", "good.json")
            #expect(schema.status == 4)
            let first = try #require(schema.output.split(separator: "\n").first.flatMap { Annotation($0) })
            #expect(first.properties["file"] == "s.json")
            #expect(first.properties["line"] == "2")
        }
    }

    // MARK: GitLab

    @Test func codeQualityForGitLab() throws {
        try terminal { terminal in
            let issues = try parsed(try run(terminal, "gitlab").output).elements
            #expect(issues.count == 5)
            for issue in issues {
                #expect(issue["description"]?.stringValue?.isEmpty == false)
                #expect(issue["check_name"]?.stringValue?.contains(".") == true)
                #expect(["info", "minor", "major", "critical", "blocker"].contains(issue["severity"]?.stringValue))
                #expect(issue["location"]?["path"]?.stringValue?.hasPrefix("./") == false)
                #expect((issue["location"]?["lines"]?["begin"]?.intValue ?? 0) >= 1)
            }
            #expect(issues[1]["location"]?["path"]?.stringValue == Self.hostileName)
            let fingerprints = issues.compactMap { $0["fingerprint"]?.stringValue }
            #expect(Set(fingerprints).count == issues.count)
            #expect(fingerprints.allSatisfy { $0.count == 32 && $0.allSatisfy(\.isHexDigit) })
            #expect(try parsed(try run(terminal, "gitlab", ["good.json"]).output).count == 0)
        }
    }

    @Test func fingerprintsStayWhenLinesMove() throws {
        try terminal { terminal in
            func fingerprints(_ text: String) throws -> [String] {
                try terminal.write("x.json", text)
                return try parsed(try run(terminal, "gitlab", ["x.json"]).output).elements
                    .compactMap { $0["fingerprint"]?.stringValue }
            }
            let before = try fingerprints(#"{"n1": "a", "n2": "b"}"#)
            #expect(before.count == 2)
            #expect(try fingerprints("{\n\n\"n1\": \"a\",\n \"n2\": \"b\"}") == before)
            #expect(try fingerprints(#"{"n1": 1, "n2": "b"}"#) == [before[1]])
            // The same problem twice in a file is two.
            try terminal.write("x.jsonl", "{\"n\": \"a\"}\n{\"n\": \"a\"}\n")
            let twice = try parsed(try run(terminal, "gitlab", ["x.jsonl"]).output).elements
                .compactMap { $0["fingerprint"]?.stringValue }
            #expect(Set(twice).count == 2)
        }
    }

    // MARK: SARIF

    @Test func logOfResults() throws {
        try terminal { terminal in
            let log = try parsed(try run(terminal, "sarif").output)
            #expect(log["version"]?.stringValue == "2.1.0")
            let run = try #require(log["runs"]?.elements.first)
            let results = try #require(run["results"]?.elements)
            let rules = try #require(run["tool"]?["driver"]?["rules"]?.elements)
            #expect(results.count == 4)
            for result in results {
                let index = try #require(result["ruleIndex"]?.intValue)
                #expect(index < rules.count && rules[index]["id"]?.stringValue == result["ruleId"]?.stringValue)
                #expect(result["partialFingerprints"]?["formwork/v1"]?.stringValue?.count == 32)
            }
            let hostile = try #require(results.first { $0["level"]?.stringValue == "error" })
            let place = try #require(hostile["locations"]?.elements.first?["physicalLocation"])
            let uri = try #require(place["artifactLocation"]?["uri"]?.stringValue)
            #expect(uri.removingPercentEncoding == Self.hostileName)
            #expect(URL(string: uri)?.scheme == nil)
            let related = results.compactMap { $0["relatedLocations"] }.flatMap(\.elements)
            #expect(!related.isEmpty)
            #expect(related.allSatisfy { $0["message"]?["text"]?.stringValue?.isEmpty == false })
            // A file that is not there is no result but a failure of the run.
            let invocation = try #require(run["invocations"]?.elements.first)
            #expect(invocation["executionSuccessful"]?.boolValue == false)
            #expect(invocation["toolExecutionNotifications"]?.count == 1)
            let good = try parsed(try self.run(terminal, "sarif", ["good.json"]).output)["runs"]?.elements.first
            #expect(good?["invocations"]?.elements.first?["executionSuccessful"]?.boolValue == true)
            #expect(good?["results"]?.count == 0)
        }
    }

    @Test(.enabled(if: SharedData.has("maskbench/dev.jsonl.gz"), "needs FORMWORK_SHARED"))
    func theLogIsValidUnderItsSchema() throws {
        try terminal { terminal in
            let archive = try #require(SharedData.url("maskbench/dev.jsonl.gz"))
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["gzip", "-dc", archive.path]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let data = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            let name = Data("\"JsonSchemaStore---sarif-2.1.0-rtm.3\"".utf8)
            let line = try #require(data.split(separator: 0x0A).first { $0.range(of: name) != nil })
            let row = try JSONReader.read([UInt8](line), options: .lenient).root
            try terminal.write("sarif.json", JSONWriter().write(try #require(row["schema"])))
            func check(_ log: String) throws -> Terminal.Outcome {
                try terminal.run("validate", "--schema", "sarif.json", input: log)
            }
            for files in [["good.json"], Self.files] {
                let log = try run(terminal, "sarif", files).output
                let outcome = try check(log)
                #expect(outcome.status == 0, "\(outcome.output)")
            }
            // With an absolute path and standard input, and for a broken schema.
            let absolute = terminal.folder.appendingPathComponent("broken.json").path
            let piped = try terminal.run(
                "validate", "--schema", "s.json", "--output", "sarif", absolute, "-", input: "[")
            #expect(try check(piped.output).status == 0)
            try terminal.write("s.json", #"{"type": "strin"}"#)
            let broken = try run(terminal, "sarif").output
            #expect(broken.contains("s.json"))
            #expect(try check(broken).status == 0)
            #expect(try check(broken.replacing("\"level\": \"error\"", with: "\"level\": \"bad\"")).status == 2)
        }
    }

    // MARK: JUnit

    private final class Elements: NSObject, XMLParserDelegate {
        var found: [(name: String, attributes: [String: String], text: String)] = []
        private var open: [Int] = []

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            open.append(found.count)
            found.append((name, attributes, ""))
        }

        func parser(_ parser: XMLParser, foundCharacters text: String) {
            if let last = open.last { found[last].text += text }
        }

        func parser(
            _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
        ) { open.removeLast() }
    }

    @Test func testCasesForJUnit() throws {
        try terminal { terminal in
            let outcome = try run(terminal, "junit")
            let parser = XMLParser(data: Data(outcome.output.utf8))
            let elements = Elements()
            parser.delegate = elements
            #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")\n\(outcome.output)")
            let suite = try #require(elements.found.first { $0.name == "testsuite" })
            #expect(suite.attributes["tests"] == "5")
            #expect(suite.attributes["failures"] == "2")
            #expect(suite.attributes["errors"] == "1")
            #expect(suite.attributes["name"] == "s.json")
            let cases = elements.found.filter { $0.name == "testcase" }
            #expect(cases.map { $0.attributes["name"] } == Self.files)
            #expect(elements.found.filter { $0.name == "system-out" }.count == 1)
            let failures = elements.found.filter { $0.name == "failure" }
            #expect(failures.count == 2)
            #expect(failures[0].attributes["message"]?.contains("(1 of 2 problems)") == true)
            #expect(failures[0].text.contains("\(Self.hostileName):2:"))
            #expect(failures[1].attributes["type"]?.hasPrefix("json.") == true)
            #expect(elements.found.filter { $0.name == "error" }.count == 1)
        }
    }

    // MARK: TAP

    @Test func testPointsForTAP() throws {
        try terminal { terminal in
            let lines = try run(terminal, "tap").output.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.first == "TAP version 14")
            #expect(Array(lines.suffix(2)) == ["1..5", ""])
            let points = lines.filter { $0.hasPrefix("ok ") || $0.hasPrefix("not ok ") }
            #expect(points.map { $0.hasPrefix("ok ") } == [true, true, false, false, false])
            #expect(points[2] == "not ok 3 - \(Self.hostileName.replacing("#", with: "\\#"))")
            // The block below each point is YAML; all other lines are known.
            var blocks: [[String]] = []
            var isInside = false
            for line in lines.dropLast() {
                switch line {
                case "  ---":
                    isInside = true
                    blocks.append([])
                case "  ...": isInside = false
                default:
                    if isInside {
                        #expect(line.isEmpty || line.hasPrefix("  "))
                        blocks[blocks.count - 1].append(String(line.dropFirst(2)))
                    } else {
                        #expect(
                            line == "TAP version 14" || line == "1..5" || line.hasPrefix("ok ")
                                || line.hasPrefix("not ok "))
                    }
                }
            }
            #expect(blocks.count == 4)
            for block in blocks {
                let document = try YAMLReader.read(block.joined(separator: "\n") + "\n")
                #expect(document.first?.root["diagnostics"]?.elements.first?["message"]?.stringValue != nil)
            }
            try terminal.write("s.json", #"{"type": "strin"}"#)
            let bail = try run(terminal, "tap").output.split(separator: "\n")
            #expect(bail.count == 2 && bail[1].hasPrefix("Bail out! the schema s.json: "))
        }
    }

    @Test func longListsSayWhatIsLeftOut() throws {
        try terminal { terminal in
            try terminal.write("x.jsonl", String(repeating: "{\"n\": \"a\"}\n", count: 1_234))
            for output in ["json", "gitlab", "sarif", "junit", "tap"] {
                let outcome = try run(terminal, output, ["x.jsonl"])
                #expect(outcome.status == 2)
                #expect(outcome.errors.contains("x.jsonl: 1000 of 1234 problems are listed"), "\(output)")
            }
            #expect(try run(terminal, "github", ["x.jsonl"]).output.split(separator: "\n").count == 1_235)
        }
    }
}
