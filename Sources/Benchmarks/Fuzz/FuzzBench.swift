// SPDX-License-Identifier: Apache-2.0

public import Constraints
import Documents
import Foundation
public import JSONSchemas

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Random walks through the masks of schemas: `bench fuzz --schemas`.
///
/// Each walk has a budget between the schema's shortest document and 400 tokens and takes, at every step, any of the
/// tokens that the mask allows and the budget has room for, all with the same probability. What comes out must be a
/// complete, valid document. The result file has a line per walk, so that other validators can judge it:
///
///     {"id":"…","walk":0,"budget":87,"status":"complete","text":"{\"a\":1}"}
///
/// `status` is `complete`, `invalid` (our own validator refuses the text), `stuck` (no token fits although the text is
/// not complete), `mask` (a mask differs from what stepping each token says), or `refused` with an `error`.
public enum FuzzBench {
    /// What to walk.
    public struct Options: Sendable {
        /// Walks per schema.
        public var walks = 3
        public var seed: UInt64 = 0
        /// Run only every so many-th schema, from ``offset`` on.
        public var every = 1
        public var offset = 0
        /// The most tokens of a budget where the shortest document does not need more.
        public var largestBudget = 400
        /// The spellings to walk through. By default only values on which other validators agree: they are the judges.
        public var profile = {
            var profile = SpellingProfile.compact
            profile.keepsToCommonGround = true
            return profile
        }()
        public var formats = FormatPolicy.assert
        /// Whether each visited state's mask is compared with one found by stepping every token.
        public var checksMasks = false
        /// Keep single bytes and every so many-th of the other tokens only; for checking masks.
        public var vocabularyShare = 1
        /// The text that strings with `x-verbatim` are taken from.
        public var source: VerbatimSource?

        public init() {}
    }

    /// What came out.
    public struct Summary: Sendable {
        public var schemas = 0
        public var refused = 0
        public var walks = 0
        public var tokens = 0
        /// Walks by status.
        public var byStatus: [String: Int] = [:]
        /// States whose masks were compared.
        public var checkedMasks = 0

        /// Whether each walk ended with a valid document.
        public var passes: Bool { byStatus["complete", default: 0] == walks }

        /// The figures in words.
        public var report: String {
            let parts = byStatus.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            let masks = checkedMasks > 0 ? ", \(checkedMasks) masks compared" : ""
            return "\(schemas) schemas (\(refused) refused), \(walks) walks of \(tokens) tokens: \(parts)\(masks)"
        }
    }

    /// Walks through schemas and writes a line per walk.
    ///
    /// - Parameters:
    ///   - schemas: A file with a JSON object with `id` and `schema` per line; `.gz` is unpacked.
    ///   - vocab: A `vocab-v1` file; `.gz` is unpacked.
    ///   - out: Where the walks go.
    /// - Throws: ``MaskBench/Failure`` if a file cannot be read or written.
    public static func walk(
        schemas: String, vocab: String, out: String, options: Options, print: (String) -> Void = { Swift.print($0) }
    ) throws -> Summary {
        let vocabulary = try vocabulary(vocab, share: options.vocabularyShare)
        let lines = MaskBench.lines(try MaskBench.read(schemas))
        guard let file = fopen(out, "w") else {
            throw MaskBench.Failure(message: "cannot write '\(out)': \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var summary = Summary()
        for index in stride(from: max(0, options.offset), to: lines.count, by: max(1, options.every)) {
            for result in walk(lines[index], index, vocabulary, options, &summary) {
                fputs(result.line + "\n", file)
                if result.status != "complete", result.status != "refused" { print(result.line) }
            }
            fflush(file)
        }
        return summary
    }

    private struct Walk {
        var id: String
        var number: Int
        var budget: Int
        var status: String
        var text: String?
        var error: String?

        var line: String {
            func quoted(_ text: String?) -> String { text.map(JSONWriter.quoted) ?? "null" }
            return #"{"id":\#(quoted(id)),"walk":\#(number),"budget":\#(budget),"status":\#(quoted(status)),"#
                + #""text":\#(quoted(text))\#(error.map { #","error":\#(quoted($0))"# } ?? "")}"#
        }
    }

    /// The tokens of a `vocab-v1` file, or of a share of it with all single bytes.
    private static func vocabulary(_ path: String, share: Int) throws -> TokenVocabulary {
        let whole = try MaskBench.vocabulary(path)
        if share <= 1 { return whole }
        let ends = Set(whole.endOfGeneration)
        var tokens: [[UInt8]?] = []
        for id in 0..<whole.count {
            let bytes = whole.bytes(of: id)
            if !ends.contains(id), bytes.count == 1 || id % share == 0 { tokens.append(bytes) }
        }
        tokens.append(nil)
        return TokenVocabulary(tokens: tokens, endOfGeneration: [tokens.count - 1])
    }

    private static func walk(
        _ line: [UInt8], _ index: Int, _ vocabulary: TokenVocabulary, _ options: Options, _ summary: inout Summary
    ) -> [Walk] {
        var id = "line \(index)"
        summary.schemas += 1
        do {
            var reading = ReadOptions.lenient
            reading.maximumDepth = 4096
            let node = try JSONReader.read(line, file: nil, options: reading).root
            id = node["id"]?.stringValue ?? id
            guard let schema = node["schema"] else { throw MaskBench.Failure(message: "a line without 'schema'") }
            var profile = options.profile
            profile.allowsUnassignedPlanes = vocabulary.spellsUnassignedPlanes
            let graph = try SchemaGraph.load(schema)
            let machine = try SchemaMachine(
                graph, profile: profile, formats: options.formats,
                verbatim: options.source.map { .source($0) } ?? .refused)
            let engine = try ConstraintEngine(machine: machine, vocabulary: vocabulary)
            var validator = Validator(graph, formats: options.formats)
            validator.source = options.source
            let checker = options.checksMasks ? try NaiveMasks(engine) : nil
            return (0..<max(1, options.walks)).map { number in
                var random = FuzzRandom(seed: options.seed, index, number)
                let walk = walk(engine, validator, checker, options, id, number, &random, &summary)
                summary.walks += 1
                summary.byStatus[walk.status, default: 0] += 1
                return walk
            }
        } catch {
            summary.refused += 1
            return [Walk(id: id, number: 0, budget: 0, status: "refused", text: nil, error: describe(error))]
        }
    }

    static func describe(_ error: any Error) -> String {
        guard let first = (error as? DiagnosticsError)?.diagnostics.first(where: { $0.severity == .error }) else {
            return "\(error)"
        }
        return "[\(first.id)] \(first.message)" + (first.path.map { " at '\($0)'" } ?? "")
    }

    /// How many tokens are tried that do not fit into the budget before the first of the shortest completion is taken.
    private static let trials = 16

    private static func walk(
        _ engine: ConstraintEngine, _ validator: Validator, _ checker: NaiveMasks?, _ options: Options, _ id: String,
        _ number: Int, _ random: inout FuzzRandom, _ summary: inout Summary
    ) -> Walk {
        let vocabulary = engine.vocabulary
        let ends = Set(vocabulary.endOfGeneration)
        var configuration = engine.start()
        let least = engine.minimumTokens(configuration)
        let budget = least >= options.largestBudget ? least : Int.random(in: least...options.largestBudget, using: &random)
        var left = budget
        var text: [UInt8] = []
        var mask = TokenMask(tokenCount: vocabulary.count)
        func result(_ status: String, _ error: String? = nil) -> Walk {
            Walk(
                id: id, number: number, budget: budget, status: status, text: String(decoding: text, as: UTF8.self),
                error: error)
        }
        while true {
            engine.fillMask(configuration, into: &mask)
            if let checker {
                summary.checkedMasks += 1
                if let difference = checker.difference(configuration, mask, left: left) { return result("mask", difference) }
            }
            var chosen: Int?
            var tries = 0
            var allowed = mask.indices
            while !allowed.isEmpty {
                let place = random.below(allowed.count)
                let token = allowed[place]
                if ends.contains(token) {
                    chosen = token
                    break
                }
                guard let next = engine.commit(configuration, token) else {
                    return result("mask", "the engine refuses token \(token), which its mask allows")
                }
                if left > 0, engine.fits(next, budget: left - 1) {
                    chosen = token
                    break
                }
                tries += 1
                if tries == trials, let first = engine.completion(configuration).first {
                    chosen = first
                    break
                }
                allowed.swapAt(place, allowed.count - 1)
                allowed.removeLast()
            }
            guard let token = chosen else { return result("stuck") }
            if ends.contains(token) { break }
            guard let next = engine.commit(configuration, token) else { return result("stuck") }
            configuration = next
            text += vocabulary.bytes(of: token)
            left -= 1
            summary.tokens += 1
        }
        guard engine.isComplete(configuration) else { return result("stuck", "the end is allowed too early") }
        guard let document = try? JSONReader.read(text, file: nil), validator.isValid(document.root) else {
            return result("invalid")
        }
        return result("complete")
    }
}
