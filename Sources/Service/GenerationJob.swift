// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import Generation
import JSONSchemas
import Tokenizers
import Transformations

/// What a client wants generated, whatever interface it used.
struct GenerationJob: Sendable {
    /// What the answer must be.
    enum Form: Sendable {
        /// Any text.
        case text
        /// A JSON document of a schema.
        case document(LoadedSpec, key: String)
        /// A text of a grammar, such as one with calls of tools.
        case grammar(Grammar, key: String)
    }

    var messages: [ChatMessage] = []
    /// A prompt that is continued as it stands; instead of messages.
    var rawPrompt: String?
    var form: Form = .text
    /// The request's field that holds the schema or the tools.
    var formParameter: String?
    /// The most tokens of the answer; nil takes the service's default.
    var maxTokens: Int?
    /// Whether, without ``maxTokens``, the answer may take what context and service allow.
    var fillsContext = false
    var sampling = SamplingOptions()
    /// How many alternatives are told with the probability of each token; nil where none is told.
    var reportedAlternatives: Int?
    /// Texts that end an answer of form ``Form/text``; they are not part of it.
    var stops: [String] = []
    /// The text that strings with `x-verbatim` are taken from.
    var source: String?
    /// Whether it is told of each token how it came.
    var tellsTokens = false
}

/// What a generation tells while it runs, and in the end.
enum GenerationUpdate: Sendable {
    /// The prompt was understood.
    case started(promptTokens: Int)
    /// More of the answer.
    case text(String)
    /// The next token's text, which is part of a ``text(_:)`` too; only where ``GenerationJob/tellsTokens`` is set.
    case token(GeneratedToken)
    /// The end.
    case finished(GenerationAnswer)
}

/// A token of an answer and how it came.
struct GeneratedToken: Sendable {
    /// The characters that are complete with it; the texts of all tokens make up the answer's.
    var text: String
    var origin: TokenOrigin
    /// Since the request left the queue, in seconds.
    var seconds: Double
}

/// A whole answer.
struct GenerationAnswer: Sendable {
    var text: String
    var finishReason: FinishReason
    var statistics: GenerationStatistics
    /// Time to compile the constraint, in seconds; 0 where it was known.
    var compileSeconds: Double
    /// Time spent waiting for other requests, in seconds.
    var waitSeconds: Double
    /// What the answer must be valid under, where it is a document.
    var validator: Validator?
    /// How likely each token was, if that was asked for.
    var probabilities: [TokenProbability] = []
    /// The answer as a value, once it was checked.
    var value: JSONValue?

    /// Parses and validates a document with code that the constraint does not use.
    ///
    /// - Throws: ``ServiceFault`` with status 500: a defect, never returned as success.
    func checked() throws -> GenerationAnswer {
        guard let validator else { return self }
        guard let document = try? JSONReader.read(text, file: nil), validator.isValid(document.root) else {
            throw ServiceFault(
                .internalServerError, "transformation.invalid-result",
                "the generated document failed its second check", kind: .server)
        }
        var answer = self
        answer.value = document.root.value
        return answer
    }
}

/// Bytes of a text as strings, cut between characters only.
package struct TextPieces {
    private var rest: [UInt8] = []

    package init() {}

    /// Takes more bytes, and returns the text that is complete.
    package mutating func take(_ bytes: [UInt8]) -> String {
        rest += bytes
        var end = rest.count
        // At most three bytes at the end can belong to a character that is not complete.
        var back = 1
        while back <= min(3, rest.count) {
            let byte = rest[rest.count - back]
            if byte & 0xC0 != 0x80 {
                let length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
                if length > back { end = rest.count - back }
                break
            }
            back += 1
        }
        guard end > 0 else { return "" }
        let text = String(decoding: rest[..<end], as: UTF8.self)
        rest.removeFirst(end)
        return text
    }

    /// What is left at the end.
    package mutating func finish() -> String {
        defer { rest = [] }
        return String(decoding: rest, as: UTF8.self)
    }
}

/// Cuts a growing text at the first of some stop texts, and holds back what may be the beginning of one.
package struct StopFinder {
    private let stops: [[UInt8]]
    private var held: [UInt8] = []
    package private(set) var isStopped = false

    package init(_ stops: [String]) { self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty } }

    /// Takes more bytes, and returns those that are certainly part of the answer.
    package mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        guard !isStopped else { return [] }
        guard !stops.isEmpty else { return bytes }
        held += bytes
        var out = 0
        while out < held.count {
            let rest = held[out...]
            if stops.contains(where: { rest.starts(with: $0) }) {
                isStopped = true
                defer { held = [] }
                return Array(held[..<out])
            }
            if stops.contains(where: { $0.count > rest.count && $0.starts(with: rest) }) { break }
            out += 1
        }
        defer { held.removeFirst(out) }
        return Array(held[..<out])
    }

    /// What was held back and turned out to be no stop.
    package mutating func finish() -> [UInt8] {
        defer { held = [] }
        return isStopped ? [] : held
    }
}
