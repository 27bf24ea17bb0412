// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Constraints
import Documents
import Foundation
import JSONSchemas
import Transformations

extension TransformCommand {
    var options: TransformationOptions {
        TransformationOptions(
            maxTokens: maxTokens, sampling: sampling.options, profile: spelling.profile(default: .spaced),
            formats: schemaArguments.formats, takesForcedTokens: !noForcedTokens,
            choosesWholeValues: wholeValues || probabilities, reportsProbabilities: probabilities,
            usesDrafts: !noDrafts)
    }

    /// The prompt to send as it is, or the texts to transform.
    func readInputs() throws -> (raw: Input?, texts: [Input]) {
        if let rawPrompt { return (try text(rawPrompt), []) }
        let names = inputs.isEmpty ? ["-"] : inputs
        let texts = try names.map { try text($0) }
        if names == ["-"], texts[0].text.allSatisfy(\.isWhitespace) {
            throw CommandFailure(.usage, "standard input is empty; name a file or pipe text in")
        }
        return (nil, texts)
    }

    /// With a regular expression or a grammar.
    func runText() throws {
        let spec = try textSpec()
        let (raw, texts) = try readInputs()
        let model = try modelArguments.load()
        let transformer = try TextTransformer(model: model, spec: spec, options: options)
        if showPrompt {
            for input in texts { try Console.line(transformer.prompt(for: input.text)) }
            if let raw { try Console.line(raw.text) }
            return
        }
        var rendered = ""
        let count = max(texts.count, 1)
        for index in 0..<count {
            var tokens = 0
            let onBytes: ([UInt8]) -> Void = { bytes in
                tokens += 1
                if stream {
                    try? Console.write(bytes)
                } else if Console.errorIsTerminal {
                    Console.progress("\(index + 1)/\(count): \(tokens) tokens")
                }
            }
            let result =
                if let raw {
                    try transformer.transform(rawPrompt: raw.text, onBytes: onBytes)
                } else {
                    try transformer.transform(texts[index].text, onBytes: onBytes)
                }
            Console.endProgress()
            if stream { try Console.write("\n") }
            if report { Console.message(JSONWriter(style: .compact).write(result.report.value)) }
            if stream { continue }
            let line = output == nil ? result.text : JSONWriter(style: .compact).write(.string(result.text))
            if out == nil { try Console.line(line) } else { rendered += line + "\n" }
        }
        if let out { try Console.writeFile(out, rendered) }
    }

    /// Sources longer than this many bytes are not shown to the model.
    private static let hintLimit = 4096

    private func textSpec() throws -> TextSpec {
        if let regex {
            return TextSpec(
                grammar: try GrammarFiles.regularExpression(regex), name: "regex",
                hint: "The answer matches this regular expression: \(regex)", instruction: instruction)
        }
        let path = grammar ?? ""
        let (loaded, source) = try GrammarFiles.load(
            path, kind: grammarKind, registry: schemaArguments.makeRegistry())
        Console.report(loaded.warnings, sources: loaded.sources)
        var hint = ""
        if source.count <= Self.hintLimit {
            let isForm = (grammarKind ?? GrammarKind(file: path)) == .blocks
            hint = isForm ? "The answer may hold these blocks:\n" : "The answer fits this grammar:\n"
            hint += String(decoding: source, as: UTF8.self).trimmingCharacters(in: .newlines)
        }
        return TextSpec(
            grammar: loaded, name: path.split(separator: "/").last.map(String.init) ?? path, hint: hint,
            instruction: instruction)
    }
}
