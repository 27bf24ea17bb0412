// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import JSONSchemas

/// Random schemas over few values, compared with brute force: `bench fuzz --small-worlds`.
///
/// For each world and its negation the machine must accept exactly the values that the validator accepts, a refusal as
/// unsatisfiable must be right, masks must equal what stepping each token says, and walks must end with valid documents.
public enum SmallWorlds {
    /// What came out.
    public struct Summary: Sendable {
        public var worlds = 0
        /// Worlds that are no schemas, because their references go round in circles.
        public var broken = 0
        /// Worlds and negations that are refused, by the diagnostic.
        public var refused: [String: Int] = [:]
        /// Machines that leave something out, and say so.
        public var limited = 0
        /// Verdicts that were compared.
        public var verdicts = 0
        /// Valid values that a machine which says that it leaves something out did not take.
        public var leftOut = 0
        public var masks = 0
        public var failures = 0

        public var passes: Bool { failures == 0 }

        /// The figures in words.
        public var report: String {
            let refusals = refused.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            return "\(worlds) worlds (\(broken) no schemas), refused: \(refusals.isEmpty ? "none" : refusals); "
                + "\(verdicts) verdicts and \(masks) masks compared; \(limited) machines leave something out "
                + "(\(leftOut) values); \(failures) failures"
        }
    }

    /// Compares worlds.
    ///
    /// - Parameters:
    ///   - count: The number of worlds.
    ///   - first: The number of the first world; each has its own random numbers.
    ///   - hasExtensions: Whether schemas use `x-verbatim`, with a text of each world, and `x-order`.
    ///   - print: Receives a line for each failure.
    public static func run(
        count: Int, first: Int = 0, seed: UInt64, hasExtensions: Bool = false,
        print: (String) -> Void = { Swift.print($0) }
    ) -> Summary {
        var summary = Summary()
        let vocabulary = vocabulary
        for world in first..<(first + max(0, count)) {
            summary.worlds += 1
            var schemas = SmallSchemas(random: FuzzRandom(seed: seed, world), hasExtensions: hasExtensions)
            let (schema, definitions) = schemas.world()
            let values = (0..<24).map { schemas.value(depth: $0 % 3) }
            let source = hasExtensions ? try? VerbatimSource(schemas.source()) : nil
            for isNegated in [false, true] {
                var trial = Trial(
                    schema: isNegated ? ["not": schema, "$defs": definitions] : with(schema, definitions),
                    values: values, source: source, random: schemas.random)
                trial.run(vocabulary, &summary)
                for failure in trial.failures {
                    summary.failures += 1
                    print("world \(world): \(failure): \(trial.schema)")
                }
            }
        }
        return summary
    }

    private static func with(_ schema: JSONValue, _ definitions: JSONValue) -> JSONValue {
        guard case .object(var members) = schema else { return schema }
        members.append(key: "$defs", value: definitions)
        return .object(members)
    }

    /// All bytes, and tokens that join what small documents have side by side.
    private static var vocabulary: TokenVocabulary {
        var tokens: [[UInt8]?] = (UInt8.min...UInt8.max).map { [$0] }
        let words = [
            "\":", "\",", "\"a", "a\"", "\"a\"", "ab", "aa", "ab\"", "b\"", "\"\"", "{\"", "[\"", "{}", "[]", "\"}", "\"]", "]}",
            "}]", "}}", "]]", ",\"", "\",\"", "\":\"", "[1", "1,", "1]", "1}", ":1", "0.", "0.5", ".5", "12", "10", "-1", "1e",
            "e1", "00", "tr", "true", "rue", "null", "false", "nul", "l]", "e,", "a\":", "\"a\":1", "b\":{", "\\\"", "\\u0",
            "\\n", "\\n\"", "é", "aé", "\u{1F600}", " ", "  ", " \"", ", ", ": ", "\n", "\n  \"", "aba", "abab", "a\",\"b", "1,2",
            "[[", "[{", "{\"a\":", "\"ab\":", "],", "},", "},{\"",
        ]
        tokens += words.map { Array($0.utf8) }
        tokens += [[0xC3, 0xA9, 0xC3], [0x61, 0xF0, 0x9F], [0x9F, 0x98, 0x80], nil]
        return TokenVocabulary(tokens: tokens, endOfGeneration: [tokens.count - 1])
    }
}

/// One schema of a small world.
private struct Trial {
    let schema: JSONValue
    let values: [JSONValue]
    let source: VerbatimSource?
    var random: FuzzRandom
    private(set) var failures: [String] = []

    init(schema: JSONValue, values: [JSONValue], source: VerbatimSource?, random: FuzzRandom) {
        self.schema = schema
        self.values = values
        self.source = source
        self.random = random
    }

    mutating func run(_ vocabulary: TokenVocabulary, _ summary: inout SmallWorlds.Summary) {
        var options = SchemaOptions()
        options.metaschemaCheck = .off
        guard let graph = try? SchemaGraph.load(Document(value: schema).root, options: options) else {
            summary.broken += 1
            return
        }
        var validator = Validator(graph, formats: .assert)
        validator.source = source
        let verbatim = source.map { VerbatimPolicy.source($0) } ?? .refused
        var profile = SpellingProfile.compact
        if random.once(in: 3) { profile.keyOrder = .any }
        let machine: SchemaMachine
        do {
            machine = try SchemaMachine(graph, profile: profile, verbatim: verbatim)
        } catch {
            let id = error.diagnostics.first?.id.rawValue ?? "unknown"
            summary.refused[id, default: 0] += 1
            guard id == "constraint.unsatisfiable" else { return }
            for value in values {
                summary.verdicts += 1
                if validator.isValid(Document(value: value).root) {
                    failures.append("refused as unsatisfiable, but \(value) is valid")
                    return
                }
            }
            return
        }
        let judge = ConstraintJudge(machine)
        var missed: JSONValue?
        for value in values {
            summary.verdicts += 1
            let isValid = validator.isValid(Document(value: value).root)
            let isAccepted = judge.accepts(value)
            if isAccepted, !isValid { failures.append("accepts \(value), which is invalid") }
            if isValid, !isAccepted {
                if machine.limitations.isEmpty {
                    if missed == nil { missed = value }
                } else {
                    summary.leftOut += 1
                }
            }
        }
        if let missed {
            // Asking may have found out about something that is left out.
            if machine.limitations.isEmpty {
                failures.append("rejects \(missed), which is valid (\(profile.keyOrder) order)")
            } else {
                summary.leftOut += 1
            }
        }
        if !machine.limitations.isEmpty { summary.limited += 1 }
        walk(machine, validator, vocabulary, &summary)
        if random.once(in: 4) {
            let spaces: [SpellingProfile.Whitespace] = [.spaced, .pretty(indent: 1), .flexible(maxRun: 2)]
            profile.whitespace = random.pick(spaces)
            guard let other = try? SchemaMachine(graph, profile: profile, verbatim: verbatim) else {
                failures.append("refused with \(profile.whitespace)")
                return
            }
            walk(other, validator, vocabulary, &summary)
        }
    }

    /// Walks over tokens under a budget, with a look at each mask, and then along the witness.
    private mutating func walk(
        _ machine: SchemaMachine, _ validator: Validator, _ vocabulary: TokenVocabulary,
        _ summary: inout SmallWorlds.Summary
    ) {
        guard let engine = try? ConstraintEngine(machine: machine, vocabulary: vocabulary),
            let naive = try? NaiveMasks(engine)
        else {
            failures.append("no engine")
            return
        }
        let ends = Set(vocabulary.endOfGeneration)
        var configuration = engine.start()
        var left = engine.minimumTokens(configuration) + random.below(30)
        var text: [UInt8] = []
        let free = random.below(40)
        // Looking at each token is most of the work.
        let looks = random.once(in: 3)
        var mask = TokenMask(tokenCount: vocabulary.count)
        func place() -> String { "after '\(String(decoding: text, as: UTF8.self))' with \(machine.profile.whitespace)" }
        while true {
            engine.fillMask(configuration, into: &mask)
            if looks { summary.masks += 1 }
            if looks, let difference = naive.difference(configuration, mask, left: left) {
                failures.append("\(difference) \(place())")
                return
            }
            if machine.witness(configuration).count > machine.minimumCompletion(configuration) {
                failures.append("the witness is longer than the least completion \(place())")
                return
            }
            if text.count >= free {
                for token in engine.completion(configuration) { text += vocabulary.bytes(of: token) }
                break
            }
            // Bytes that the schemas are about, more often than others.
            var allowed = mask.indices
            let usual = allowed.filter { $0 >= 256 || Self.usual.contains(UInt8($0)) }
            if !usual.isEmpty, !random.once(in: 6) { allowed = usual }
            var next: ConfigID?
            var token = 0
            for _ in 0..<16 where next == nil && !allowed.isEmpty {
                token = random.pick(allowed)
                if ends.contains(token) { break }
                next = engine.commit(configuration, token)
                guard let reached = next else {
                    failures.append("the engine refuses token \(token) \(place())")
                    return
                }
                if !engine.fits(reached, budget: left - 1) { next = nil }
            }
            if next == nil, ends.contains(token) { break }
            if next == nil, let first = engine.completion(configuration).first {
                token = first
                next = engine.commit(configuration, first)
            }
            guard let next else {
                if engine.isComplete(configuration) { break }
                failures.append("no token \(place())")
                return
            }
            configuration = next
            text += vocabulary.bytes(of: token)
            left -= 1
        }
        guard let document = try? JSONReader.read(text, file: nil), validator.isValid(document.root) else {
            failures.append("a walk ends with an invalid document \(place())")
            return
        }
    }

    private static let usual = Set("ab\"{}[]:,0123.-cntf \n".utf8)
}
