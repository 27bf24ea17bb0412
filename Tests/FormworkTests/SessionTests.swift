// SPDX-License-Identifier: Apache-2.0

import Formwork
import Foundation
import TestSupport
import Testing

/// The whole way from a text to a Swift value, with a random-weight model: noise that must come out valid.
struct SessionTests {
    private func withSession<R: Sendable>(
        seed: UInt64 = 1, options: FormworkSession.Options = .init(threads: 1),
        _ body: (FormworkSession) async throws -> R
    ) async throws -> R {
        let url = try TinyModel.text(seed: seed, context: 4096).write()
        defer { try? FileManager.default.removeItem(at: url) }
        return try await body(try FormworkSession(model: url.path, options: options))
    }

    private let text = "Ada Lovelace, 36, engineer, ada@example.org"

    @Test(arguments: [UInt64(1), 2], [0.0, 1, 3])
    func noiseBecomesValues(_ model: UInt64, _ temperature: Double) async throws {
        try await withSession(seed: model) { session in
            for seed in UInt64(0)..<4 {
                let options = TransformOptions(temperature: temperature, seed: seed, budget: 300)
                let contact = try await session.transform(text, to: Contact.self, options: options)
                #expect((0...150).contains(contact.age ?? 0))
                #expect(
                    contact.email.wholeMatch(of: /[^@]+@[^@]+/.matchingSemantics(.unicodeScalar)) != nil, "\(contact)")
                #expect((1...5).contains(contact.tags.count))
                #expect(contact.tags.allSatisfy { (1...12).contains($0.unicodeScalars.count) })
                let company = try await session.transform(text, to: Company.self, options: options)
                #expect(company.stock.count <= 3)
                #expect(company.stock.values.allSatisfy { (0...9).contains($0) })
                _ = try await session.transform(text, to: Part.self, options: options)
                _ = try await session.transform(text, to: Shape.self, options: options)
                let event = try await session.transform(text, to: Event.self, options: options)
                #expect(event.day.timeIntervalSinceReferenceDate.truncatingRemainder(dividingBy: 86_400) == 0)
                #expect(event.page.host() != nil)
                let numbers = try await session.transform(text, to: Numbers.self, options: options)
                #expect(numbers.double.isFinite && numbers.float.isFinite)
                #expect((0..<1).contains(numbers.share))
                #expect(numbers.small > 0 && numbers.small <= 1)
                #expect(numbers.fives % 5 == 0 && numbers.fives <= 100)
                #expect(numbers.price >= 0 && !(numbers.price * 100).description.contains("."))
                #expect((1...3).contains(numbers.some))
                #expect(numbers.seven == 7)
            }
        }
    }

    @Test func otherTypesThanStructsAreTransformedToo() async throws {
        try await withSession { session in
            let options = TransformOptions(temperature: 1, seed: 3, budget: 60)
            _ = try await session.transform(text, to: String.self, options: options)
            _ = try await session.transform(text, to: [Role].self, options: options)
            _ = try await session.transform(text, to: [String: Bool?].self, options: options)
            let level: Level = try await session.transform(text, options: options)
            #expect([.low, .high].contains(level))
        }
    }

    @Test func theSameSeedGivesTheSameValue() async throws {
        try await withSession { session in
            let options = TransformOptions(temperature: 1, seed: 9, budget: 200)
            let first = try await session.transform(text, to: Contact.self, options: options)
            #expect(try await session.transform(text, to: Contact.self, options: options) == first)
            var values: [Contact] = []
            for seed in UInt64(10)..<14 {
                values.append(
                    try await session.transform(
                        text, to: Contact.self, options: .init(temperature: 1, seed: seed, budget: 200)))
            }
            #expect(values.contains { $0 != first })
        }
    }

    @Test func manyAtOnceGiveWhatOneGives() async throws {
        try await withSession { session in
            let options = TransformOptions(temperature: 1, seed: 5, budget: 120)
            var expected: [Company] = []
            for index in 0..<12 {
                expected.append(try await session.transform("\(text) \(index)", to: Company.self, options: options))
            }
            let found = try await withThrowingTaskGroup(of: (Int, Company).self) { group in
                for index in 0..<12 {
                    group.addTask {
                        (index, try await session.transform("\(text) \(index)", to: Company.self, options: options))
                    }
                }
                return try await group.reduce(into: [Int: Company]()) { $0[$1.0] = $1.1 }
            }
            for (index, company) in expected.enumerated() { #expect(found[index] == company) }
        }
    }

    @Test func reportsWhatItCost() async throws {
        try await withSession { session in
            let first = try await session.transformWithReport(text, to: Contact.self, options: .init(budget: 40))
            #expect(first.report.valueTokens <= 40)
            #expect(first.report.isCutShort)
            #expect(first.report.promptTokens > 50)
            #expect(first.report.forcedTokens > 0)
            #expect(first.report.totalTime >= first.report.promptTime)
            #expect(try Contact(structuredValue: StructuredValue(json: first.json)) == first.value)
            let second = try await session.transformWithReport(text, to: Contact.self, options: .init(budget: 40))
            #expect(second.value == first.value)
            #expect(second.report.cachedPromptTokens > 0)
            let level = try await session.transformWithReport(text, to: Level.self)
            #expect(!level.report.isCutShort)
        }
    }

    @Test func instructionAndExamplesReachTheModel() async throws {
        try await withSession { session in
            let plain = try await session.transformWithReport(text, to: Person.self, options: .init(budget: 40))
            let instructed = try await session.transformWithReport(
                text, to: Person.self, options: .init(instruction: "Say who it is.", budget: 40))
            let shown = try await session.transformWithReport(
                text, to: Person.self, examples: [Example("Bob", Person(name: "Bob"))], options: .init(budget: 40))
            #expect(Set([plain, instructed, shown].map(\.report.promptTokens)).count == 3)
            #expect(shown.report.promptTokens > plain.report.promptTokens + 10)
        }
    }

    @Test func verbatimTextsComeFromTheInput() async throws {
        try await withSession { session in
            for seed in UInt64(0)..<6 {
                let quote = try await session.transform(
                    text, to: Quote.self, options: .init(temperature: 2, seed: seed, budget: 100))
                #expect(text.contains(quote.words))
            }
        }
    }

    // MARK: Streams

    @Test(arguments: UInt64(0)..<6) func partialValuesGrowIntoTheResult(_ seed: UInt64) async throws {
        try await withSession { session in
            let options = TransformOptions(temperature: seed < 2 ? 0 : 1, seed: seed, budget: 250)
            let expected = try await session.transform(text, to: Company.self, options: options)
            let stream = session.stream(text, to: Company.self, options: options)
            var last: Company.PartiallyFilled?
            var count = 0
            for try await partial in stream {
                count += 1
                if let office = partial.office {
                    if let street = office.street {
                        #expect(expected.office.street.unicodeScalars.starts(with: street.unicodeScalars))
                    }
                    if let code = office.postcode { #expect(expected.office.postcode.hasPrefix(code)) }
                }
                if let staff = partial.staff {
                    #expect(staff.count <= expected.staff.count)
                    for (person, whole) in zip(staff, expected.staff) {
                        if let role = person.role { #expect(role == whole.role) }
                        if let size = person.shoeSize { #expect(size == whole.shoeSize) }
                    }
                }
                if let stock = partial.stock { for (key, number) in stock { #expect(expected.stock[key] == number) } }
                if let colours = partial.colours { #expect(Array(expected.colours.prefix(colours.count)) == colours) }
                if let level = partial.level { #expect(level == expected.level) }
                last = partial
            }
            let result = try await stream.result()
            #expect(result.value == expected)
            #expect(count > 1)
            let end = try #require(last)
            #expect(end.office?.street == expected.office.street)
            #expect(end.office?.postcode == expected.office.postcode)
            #expect(end.warehouse?.street == expected.warehouse?.street)
            #expect(end.staff?.map(\.name) == expected.staff.map(\.name))
            #expect(end.staff?.map(\.role) == expected.staff.map(\.role))
            #expect(end.stock == expected.stock)
            #expect(end.colours == expected.colours)
            #expect(end.level == expected.level)
        }
    }

    @Test func aStreamGivesItsResultWithoutALoop() async throws {
        try await withSession { session in
            let options = TransformOptions(budget: 60)
            let result = try await session.stream(text, to: Contact.self, options: options).result()
            #expect(try await session.transform(text, to: Contact.self, options: options) == result.value)
        }
    }

    @Test func leavingTheLoopEndsTheWork() async throws {
        try await withSession { session in
            let stream = session.stream(text, to: LongList.self, options: .init(temperature: 1, seed: 1, budget: 3000))
            for try await _ in stream { break }
            let error = await #expect(throws: FormworkError.self) { try await stream.result() }
            #expect(error?.code == .cancelled)
        }
    }

    // MARK: Cancellation and limits

    @Test func cancellationEndsTheWork() async throws {
        try await withSession(options: .init(concurrency: 1, threads: 1)) { session in
            let options = TransformOptions(temperature: 1, seed: 1, budget: 3000)
            let endless = Task { try await session.transform(text, to: LongList.self, options: options) }
            let waiting = Task { try await session.transform(text, to: Contact.self, options: options) }
            try await Task.sleep(for: .milliseconds(50))
            waiting.cancel()
            endless.cancel()
            for result in [await endless.result.map { _ in }, await waiting.result.map { _ in }] {
                let error = #expect(throws: FormworkError.self) { try result.get() }
                #expect(error?.code == .cancelled)
            }
            // The session goes on.
            _ = try await session.transform(text, to: Contact.self, options: .init(budget: 100))
        }
    }

    @Test func aCancelledTaskDoesNotBegin() async throws {
        try await withSession { session in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await session.transform(text, to: Contact.self)
            }
            let error = await #expect(throws: FormworkError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
    }

    private func code<Value: Structured>(
        _ session: FormworkSession, _ type: Value.Type, examples: [Example<Value>] = [],
        _ options: TransformOptions = .init()
    ) async -> (FormworkError.Code?, String) {
        do throws(FormworkError) {
            _ = try await session.transform(text, to: type, examples: examples, options: options)
            return (nil, "")
        } catch {
            return (error.code, error.message)
        }
    }

    @Test func refusesLimitsThatHoldNoValue() async throws {
        try await withSession(options: .init(threads: 1, contextLength: 800)) { session in
            #expect(await code(session, Contact.self, .init(budget: 3)).0 == .budgetTooSmall)
            #expect(await code(session, Contact.self, .init(budget: 790)).0 == .contextTooSmall)
            #expect(await code(session, Contact.self, .init(temperature: -1)).0 == .invalidOption)
            #expect(await code(session, Contact.self, .init(budget: -1)).0 != nil)
            #expect(await code(session, Contact.self, .init(timeLimit: .zero)).0 == .timeLimit)
            #expect(await code(session, Contact.self).0 == nil)
        }
    }

    @Test func tooManyThatWaitAreRefused() async throws {
        try await withSession(options: .init(concurrency: 1, waitingLimit: 0, threads: 1)) { session in
            try await session.prepare(LongList.self)
            let options = TransformOptions(temperature: 1, seed: 1, budget: 3000)
            let running = session.stream(text, to: LongList.self, options: options)
            var iterator = running.makeAsyncIterator()
            _ = try await iterator.next()
            #expect(await code(session, LongList.self, options).0 == .busy)
            _ = iterator
        }
    }

    @Test func refusesModelsThatAreNotThere() {
        let missing = #expect(throws: FormworkError.self) { try FormworkSession(model: "/nowhere/model.gguf") }
        #expect(missing?.code == .modelNotFound)
        let unknown = #expect(throws: FormworkError.self) { try FormworkSession(model: "no-such-model") }
        #expect(unknown?.code == .modelNotFound)
        let text = #expect(throws: FormworkError.self) { try FormworkSession(model: #filePath) }
        #expect(text?.code == .modelUnusable)
        let none = #expect(throws: FormworkError.self) {
            try FormworkSession(model: "no-such-model", options: .init(threads: 0))
        }
        #expect(none?.code == .invalidOption)
    }

    @Test func loadsOnAnotherThread() async throws {
        let url = try TinyModel.text().write()
        defer { try? FileManager.default.removeItem(at: url) }
        let session = try await FormworkSession.load(model: url.path)
        #expect([.low, .high].contains(try await session.transform(text, to: Level.self)))
    }

    // MARK: Guides

    @Test func guidesThatCannotBeEnforcedAreRefusedByName() async throws {
        try await withSession { session in
            func refusal<Value: Structured>(_ type: Value.Type) async -> String {
                let (code, message) = await self.code(session, type)
                return code == .unenforceableGuide ? message : "\(code as Any)"
            }
            #expect(
                await refusal(BackReference.self).hasPrefix(
                    "the guide '.pattern' of 'BackReference.word' cannot be enforced"))
            #expect(
                await refusal(BrokenPattern.self).hasPrefix(
                    "the guide '.pattern' of 'BrokenPattern.word' cannot be enforced"))
            #expect(
                await refusal(NoInteger.self).contains(
                    "'.exclusiveMaximum', '.exclusiveMinimum' of 'NoInteger.number' cannot be enforced"))
            #expect(
                await refusal(NegativeLength.self).hasPrefix(
                    "the guide '.length' of 'NegativeLength.word' cannot be enforced"))
            #expect(
                await refusal(TwoRanges.self)
                    == "the guide '.minimum' of 'TwoRanges.number' cannot be used: '.range' says something about the same already"
            )
            #expect(await refusal(NoChoice.self).hasSuffix("there is no value to choose"))
            #expect(await refusal(ZeroStep.self).hasSuffix("the step must be a finite number above 0"))
            #expect(await refusal(InfiniteBound.self).hasSuffix("the bound is no finite number"))
            #expect(await refusal(LongDecimal.self).contains("more than 20 digits before or 18 after the point"))
            #expect(await refusal(DeepGuide.self).hasPrefix("the guide '.pattern' of 'BackReference.word'"))
            await #expect(throws: FormworkError.self) { try await session.prepare(BackReference.self) }
        }
    }

    @Test func examplesMustFitTheGuides() async throws {
        try await withSession { session in
            let wrong = Example("x", Contact(name: "x", age: 200, email: "a@b", tags: ["a"]))
            let (code, message) = await self.code(session, Contact.self, examples: [wrong])
            #expect(code == .invalidExample)
            #expect(message.contains("example 1 does not fit at '/age'"))
        }
    }
}

@Structured struct Quote { @Guide(.verbatim, .minimumLength(1)) var words: String }
@Structured struct BackReference { @Guide(.pattern(#"^(a|b)\1$"#)) var word: String }
@Structured struct BrokenPattern { @Guide(.pattern("(")) var word: String }
@Structured struct NoInteger { @Guide(.exclusiveMinimum(1), .exclusiveMaximum(2)) var number: Int? }
@Structured struct NegativeLength { @Guide(.length(-1)) var word: String }
@Structured struct TwoRanges { @Guide(.range(0...9), .minimum(3)) var number: Int }
@Structured struct NoChoice { @Guide(.anyOf([] as [String])) var word: String }
@Structured struct ZeroStep { @Guide(.multipleOf(0)) var number: Double }
@Structured struct InfiniteBound { @Guide(.maximum(Double.infinity)) var number: Double }
@Structured struct LongDecimal { @Guide(.maximum(Decimal(string: "1e30") ?? 0)) var number: Decimal }
@Structured struct DeepGuide { var inner: [BackReference] }
