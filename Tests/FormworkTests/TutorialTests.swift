// SPDX-License-Identifier: Apache-2.0

import Formwork
import Foundation
import TestSupport
import Testing

/// An invoice that somebody sent.
@Structured
struct Invoice {
    /// The number that the sender gave it.
    @Guide(.pattern("^[A-Z0-9-]+$"), .length(3...20)) var number: String
    @Guide(description: "The day it is due", .format(.day)) var due: Date?
    var currency: Currency = .euro
    @Guide(.count(1...20)) var lines: [Line]
}

@Structured
struct Line {
    var text: String
    @Guide(.range(1...999)) var count: Int = 1
    @Guide(description: "Price of one", .multipleOf(0.01), .range(0...100_000)) var price: Decimal
}

@Structured
enum Currency: String {
    case euro = "EUR"
    case dollar = "USD"
    case other
}

/// What the documentation shows, line by line.
struct TutorialTests {
    private func tutorial(model: String, mail: String, mails: [String]) async throws -> [Invoice] {
        let session = try await FormworkSession.load(model: model)

        try await session.prepare(Invoice.self)

        let invoice = try await session.transform(mail, to: Invoice.self)
        let total = invoice.lines.reduce(0) { $0 + $1.price * Decimal($1.count) }
        #expect(total >= 0)

        let example = Example(
            "Invoice R-17 over two pens at 3 euros each",
            Invoice(number: "R-17", lines: [Line(text: "pen", count: 2, price: 3)]))
        let options = TransformOptions(instruction: "Read the invoice.", temperature: 0.2, seed: 1, budget: 400)
        let result = try await session.transformWithReport(
            mail, to: Invoice.self, examples: [example], options: options)
        print(result.value.number, result.report.valueTokens, result.report.isCutShort)

        let stream = session.stream(mail, to: Invoice.self, options: options)
        for try await partial in stream {
            print(partial.number ?? "…", partial.lines?.count ?? 0)
        }
        let whole = try await stream.result().value
        #expect(whole.number.count >= 3)

        let invoices = try await withThrowingTaskGroup(of: Invoice.self) { group in
            for mail in mails {
                group.addTask { try await session.transform(mail, to: Invoice.self, options: options) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }

        do {
            _ = try await session.transform(mail, to: Invoice.self, options: TransformOptions(budget: 4))
        } catch {
            switch error.code {
            case .budgetTooSmall: print("no invoice is so short: \(error.message)")
            default: throw error
            }
        }
        return invoices
    }

    @Test func runs() async throws {
        let url = try TinyModel.text(context: 4096).write()
        defer { try? FileManager.default.removeItem(at: url) }
        let mails = ["One", "Two", "Three"]
        #expect(try await tutorial(model: url.path, mail: "Invoice A-1: 3 pens at 2 EUR", mails: mails).count == 3)
    }

    /// The blocks of Swift in a file of the documentation.
    private func blocks(_ path: String) throws -> [[String]] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        return text.components(separatedBy: "```swift\n").dropFirst().map {
            lines($0.components(separatedBy: "```")[0])
        }
    }

    private func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    @Test(arguments: [
        ("Sources/Formwork/Formwork.docc/FromTextToASwiftValue.md", "TutorialTests.swift"),
        ("docs/LIBRARY.md", "GuideTests.swift"),
    ])
    func theDocumentationShowsCodeThatIsCompiled(_ document: String, _ test: String) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(test)
        let source = lines(try String(contentsOf: file, encoding: .utf8))
        let blocks = try blocks(document)
        #expect(!blocks.isEmpty)
        for block in blocks {
            let isThere = source.indices.contains { source[$0...].starts(with: block) }
            #expect(isThere, "\(block.joined(separator: "\n"))")
        }
    }
}
