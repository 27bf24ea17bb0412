// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Constraints
import Documents
import Foundation
import JSONSchemas
import Transformations

enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    case json, yaml, jsonl
}

struct TransformCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transform",
        abstract: "Turn text into a document that is valid under a schema.",
        discussion: """
            Reads text from files or standard input and prints one document for each. Several inputs give one line of
            JSON each, in order.

            The wanted form is a schema, or a regular expression (--regex), a grammar in GBNF or Lark (--grammar), or
            free text with structured blocks, such as tool calls (--grammar with a YAML file). With these the result is
            text.

            EXAMPLE
              formwork transform --schema Schemas/contact.yaml Samples/contact/mail.txt
              cat mail.txt | formwork transform --schema contact.yaml --output yaml --report
              formwork transform --regex '(positive|negative|neutral)' --instruction 'Judge the mood.' review.txt
              formwork transform --grammar Samples/grammars/list.gbnf notes.txt
              formwork transform --schema ticket.yaml --jsonl mails.jsonl --out tickets.jsonl
            """
    )

    @Option(name: .shortAndLong, help: "A JSON Schema (JSON or YAML) or a short YAML spec.", completion: .file())
    var schema: String?

    @Option(name: .long, help: "A regular expression (ECMA-262) that the whole text must match.")
    var regex: String?

    @Option(name: .long, help: "A grammar: GBNF (.gbnf), Lark (.lark) or blocks in free text (.yaml, .json).", completion: .file())
    var grammar: String?

    @Option(name: .long, help: "gbnf, lark or blocks; by default the grammar's file name tells.")
    var grammarKind: GrammarKind?

    @Option(name: .long, help: "What the model is asked to do.")
    var instruction: String?

    @OptionGroup var modelArguments: ModelArguments
    @OptionGroup var schemaArguments: SchemaArguments
    @OptionGroup var sampling: SamplingArguments

    @Option(name: .shortAndLong, help: "json, yaml or jsonl; by default json, and jsonl for several inputs.")
    var output: OutputFormat?

    @Option(name: .long, help: "Write the result to this file, whole or not at all.", completion: .file())
    var out: String?

    @Option(name: .long, help: "The most tokens that a document may have.")
    var maxTokens: Int = 512

    @OptionGroup var spelling: SpellingArguments

    @Option(name: .long, help: "Send this file as the prompt, as it is; no input is read.", completion: .file())
    var rawPrompt: String?

    @Option(name: .long, help: "With --raw-prompt: the text that strings with 'x-verbatim' are taken from.", completion: .file())
    var source: String?

    @Option(name: .long, help: "Documents that are generated at once, where there are several inputs.")
    var sequences: Int = 8

    @Flag(name: .long, help: "Print the JSON to standard output as it grows.")
    var stream = false

    @Flag(
        name: .long,
        help: "Print what happens to each field as it grows, as JSON lines: start, delta, end with its JSON Pointer.")
    var events = false

    @Flag(name: .long, help: "Print tokens, times and finish reason as JSON to standard error.")
    var report = false

    @Flag(name: .long, help: "Print the prompt that the model would see, and stop.")
    var showPrompt = false

    @Flag(name: .long, help: "Ask the model for every token, also where the schema leaves no choice.")
    var noForcedTokens = false

    @Flag(name: .long, help: "Compute one token at a time, without guesses from the text. The answer is the same.")
    var noDrafts = false

    @Flag(
        name: .long,
        help: ArgumentHelp(
            "Choose enums and booleans by the probability of each value as a whole.",
            discussion: "Without it the likeliest token is taken at each step. For temperature 0."))
    var wholeValues = false

    @Flag(name: .long, help: "Report how likely each value of an enum or boolean was; implies --whole-values and --report.")
    var probabilities = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Transform each line of a JSON Lines file (also gzipped): a text, or an object with one.",
            discussion: """
                With --out, results are kept from one run to the next: where a run was ended, the same command goes on.
                """), completion: .file())
    var jsonl: String?

    @Option(name: .long, help: "With --jsonl: the member that holds the text.")
    var textField: String = "text"

    @Flag(name: .long, help: "With --jsonl: begin anew, and forget the results of a run that was ended.")
    var restart = false

    @Argument(help: "Text files; '-' or nothing is standard input.", completion: .file())
    var inputs: [String] = []

    func validate() throws {
        if [schema, regex, grammar].compactMap(\.self).count != 1 {
            throw ValidationError("state one of --schema, --regex and --grammar")
        }
        if schema == nil, wholeValues || probabilities || events {
            throw ValidationError("--whole-values, --probabilities and --events need --schema")
        }
        if schema == nil, output == .yaml { throw ValidationError("text has no --output yaml") }
        if maxTokens < 1 || maxTokens > 1_000_000 {
            throw ValidationError("--max-tokens must lie between 1 and 1000000")
        }
        if !(1...64).contains(sequences) { throw ValidationError("--sequences takes 1 to 64") }
        if (wholeValues || probabilities) && sampling.temperature > 0 {
            throw ValidationError("--whole-values and --probabilities are for temperature 0")
        }
        if source != nil && (rawPrompt == nil || schema == nil) {
            throw ValidationError("--source needs --raw-prompt and --schema; otherwise strings are taken from the input")
        }
        if rawPrompt != nil && !inputs.isEmpty { throw ValidationError("--raw-prompt takes no inputs") }
        if events && (stream || out != nil || output != nil) {
            throw ValidationError("--events prints JSON lines to standard output; leave out --stream, --out and --output")
        }
        if restart && (jsonl == nil || out == nil) { throw ValidationError("--restart needs --jsonl and --out") }
        if jsonl != nil {
            if schema == nil { throw ValidationError("--jsonl needs --schema") }
            if rawPrompt != nil || !inputs.isEmpty { throw ValidationError("--jsonl takes no other inputs") }
            if stream || events || showPrompt || (output ?? .jsonl) != .jsonl {
                throw ValidationError("--jsonl prints one line of JSON for each; leave out --stream, --events, --show-prompt and --output")
            }
        }
        if stream && (out != nil || (output ?? .json) == .yaml) {
            throw ValidationError("--stream prints JSON to standard output; leave out --out and --output yaml")
        }
    }

    func run() throws {
        if schema == nil {
            try runText()
            return
        }
        var spec = try schemaArguments.load(schema ?? "")
        if let instruction { spec.instruction = instruction }
        if let jsonl {
            try runLines(jsonl, spec)
            return
        }
        // Inputs are read before the model is loaded: a wrong path should not cost the wait.
        let (raw, texts) = try readInputs()
        let rawSource = try source.map { try text($0) }
        let model = try modelArguments.load()
        let transformer = try Transformer(model: model, spec: spec, options: options)
        if showPrompt {
            for input in texts { try Console.line(transformer.prompt(for: input.text)) }
            if let raw { try Console.line(raw.text) }
            return
        }
        let format = output ?? (texts.count > 1 ? .jsonl : .json)
        if texts.count > 1, sequences > 1, !stream, !events {
            try runTogether(transformer, texts, format)
            return
        }
        var rendered = ""
        let count = max(texts.count, 1)
        for index in 0..<count {
            var tokens = 0
            var reader = JSONEventReader()
            let onBytes: ([UInt8]) -> Void = { bytes in
                tokens += 1
                if stream {
                    try? Console.write(bytes)
                } else if events {
                    for event in (try? reader.read(bytes)) ?? [] { try? Console.line(line(event, of: index)) }
                } else if Console.errorIsTerminal {
                    Console.progress("\(index + 1)/\(count): \(tokens) tokens")
                }
            }
            var result =
                if let raw {
                    try transformer.transform(rawPrompt: raw.text, source: rawSource?.text, onBytes: onBytes)
                } else {
                    try transformer.transform(texts[index].text, onBytes: onBytes)
                }
            result.report.moveVerbatim(by: raw == nil ? texts[index].offset : rawSource?.offset ?? 0)
            Console.endProgress()
            if stream { try Console.write("\n") }
            if report || probabilities { Console.message(JSONWriter(style: .compact).write(result.report.value)) }
            if events { for event in try reader.finish() { try Console.line(line(event, of: index)) } }
            if stream || events { continue }
            let text = render(result.document, as: format, first: index == 0)
            if out == nil { try Console.write(text) } else { rendered += text }
        }
        if let out { try Console.writeFile(out, rendered) }
    }

    /// Several documents at once, printed in order.
    private func runTogether(_ transformer: Transformer, _ texts: [Input], _ format: OutputFormat) throws {
        var rendered = ""
        if Console.errorIsTerminal { Console.progress("0/\(texts.count)") }
        try transformer.transform(texts.map(\.text), sequences: sequences) { index, outcome in
            Console.endProgress()
            var result = try outcome.get()
            result.report.moveVerbatim(by: texts[index].offset)
            if report || probabilities { Console.message(JSONWriter(style: .compact).write(result.report.value)) }
            let text = render(result.document, as: format, first: index == 0)
            if out == nil { try Console.write(text) } else { rendered += text }
            if Console.errorIsTerminal, index + 1 < texts.count { Console.progress("\(index + 1)/\(texts.count)") }
        }
        if let out { try Console.writeFile(out, rendered) }
    }

    /// An event as a line of JSON.
    private func line(_ event: JSONEvent, of input: Int) -> String {
        var object: JSONObject = ["input": .number(DecimalNumber(input)), "pointer": .string(event.pointer.description)]
        switch event.kind {
        case .start(let kind):
            object.append(key: "event", value: "start")
            object.append(key: "type", value: .string("\(kind)"))
        case .delta(let text):
            object.append(key: "event", value: "delta")
            object.append(key: "text", value: .string(text))
        case .end(let value):
            object.append(key: "event", value: "end")
            object.append(key: "value", value: value)
        }
        return JSONWriter(style: .compact).write(.object(object))
    }

    /// A text to transform, without the line breaks around it.
    struct Input {
        var text: String
        /// The bytes of the line breaks before it.
        var offset: Int
    }

    func text(_ path: String) throws -> Input {
        let bytes = try Console.read(path, limit: 16 << 20)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(.unreadable, "'\(path)' is not UTF-8 text")
        }
        let breaks = text.unicodeScalars.prefix { CharacterSet.newlines.contains($0) }
        return Input(text: text.trimmingCharacters(in: .newlines), offset: String(breaks).utf8.count)
    }

    private func render(_ document: Document, as format: OutputFormat, first: Bool) -> String {
        switch format {
        case .json: JSONWriter(style: .pretty(indent: 2)).write(document.root) + "\n"
        case .jsonl: JSONWriter(style: .compact).write(document.root) + "\n"
        case .yaml: (first ? "" : "---\n") + YAMLWriter().write(document.root.value)
        }
    }
}
