// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import TestSupport
import Testing
import Tokenizers

/// A published template, or a snippet, with its expected result.
struct GoldenTemplateCase: CustomTestStringConvertible, Sendable {
    var file: String
    var name: String
    var template: String
    var context: JSONValue
    var output: String?
    var error: String?

    var testDescription: String { "\(file): \(name)" }

    static let clock = TemplateDate(year: 2025, month: 3, day: 9, hour: 14, minute: 5, second: 7)

    static func templates() throws -> [GoldenTemplateCase] {
        guard let folder = SharedData.url("golden/templates") else { return [] }
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path }.flatMap { file in
            let fixture = try JSONReader.read([UInt8](Data(contentsOf: file)), file: file.path).root.value
            return (fixture["cases"]?.arrayValue ?? []).map { entry in
                var variables = entry["context"]?.objectValue ?? JSONObject()
                variables["bos_token"] = fixture["bos_token"]
                variables["eos_token"] = fixture["eos_token"]
                return GoldenTemplateCase(
                    file: file.lastPathComponent, name: entry["name"]?.stringValue ?? "",
                    template: fixture["template"]?.stringValue ?? "", context: .object(variables),
                    output: entry["output"]?.stringValue, error: entry["error"]?.stringValue
                )
            }
        }
    }

    static func snippets() throws -> [GoldenTemplateCase] {
        guard let file = SharedData.url("golden/jinja-snippets.json") else { return [] }
        let fixture = try JSONReader.read([UInt8](Data(contentsOf: file)), file: file.path).root.value
        return (fixture["cases"]?.arrayValue ?? []).map { entry in
            let template = entry["template"]?.stringValue ?? ""
            return GoldenTemplateCase(
                file: file.lastPathComponent, name: template, template: template, context: fixture["context"] ?? .null,
                output: entry["output"]?.stringValue, error: entry["error"]?.stringValue
            )
        }
    }
}

@Suite(.enabled(if: SharedData.has("golden/templates"), "needs FORMWORK_SHARED"))
struct GoldenTemplateTests {
    @Test(arguments: try GoldenTemplateCase.templates())
    func publishedTemplatesRenderExactly(_ golden: GoldenTemplateCase) throws { try check(golden) }

    @Test(arguments: try GoldenTemplateCase.snippets())
    func snippetsRenderExactly(_ golden: GoldenTemplateCase) throws { try check(golden) }

    private func check(_ golden: GoldenTemplateCase) throws {
        do throws(TemplateError) {
            let text = try ChatTemplate(golden.template).render(golden.context, now: { GoldenTemplateCase.clock })
            #expect(text == golden.output)
        } catch {
            #expect(golden.error != nil, "unexpected error: \(error)")
            if error.code == .raised { #expect(error.message == golden.error) }
        }
    }
}
