// SPDX-License-Identifier: Apache-2.0

import Documents
package import JSONSchemas
package import Tokenizers

/// Turns messages into a prompt's tokens with the model's own chat template.
///
/// Text that came from outside cannot become a control token: where a message holds the text of one, the prompt is encoded
/// piece by piece, the template's pieces with control tokens and the message without.
package struct PromptBuilder: Sendable {
    private let tokenizer: Tokenizer
    private let template: ChatTemplate?
    /// What stands before an answer where the model has no template.
    private let answerTitle: String

    package init(tokenizer: Tokenizer, template: ChatTemplate?, answerTitle: String = "JSON") {
        self.tokenizer = tokenizer
        self.template = template
        self.answerTitle = answerTitle
    }

    /// What comes before the text that is to become a JSON value: what to do, the schema as JSON, and examples.
    package static func opening(instruction: String, schema: String, examples: [SpecExample]) -> [ChatMessage] {
        var messages = [
            ChatMessage(
                role: "system",
                content: instruction + "\nAnswer with one JSON value that fits this JSON schema:\n" + schema)
        ]
        let writer = JSONWriter(style: .spaced)
        for example in examples {
            messages.append(ChatMessage(role: "user", content: example.input))
            messages.append(ChatMessage(role: "assistant", content: writer.write(example.output)))
        }
        return messages
    }

    /// The tokens of a conversation, up to the place where the assistant answers.
    ///
    /// - Throws: ``TransformationError`` with code ``TransformationError/Code/template``.
    package func tokens(_ messages: [ChatMessage]) throws(TransformationError) -> [TokenID] {
        if !messages.contains(where: { holdsControlText($0.content) }) {
            return encode(try render(messages), first: true)
        }
        // Stand-ins from the private use area mark where the messages go.
        let marks = messages.indices.map { "\u{E0F0}\(UInt32.random(in: 0 ... .max))m\($0)\u{E0F1}" }
        let rendered = try render(zip(messages, marks).map { ChatMessage(role: $0.role, content: $1) })
        var tokens: [TokenID] = []
        var rest = Substring(rendered)
        for (message, mark) in zip(messages, marks) {
            guard let place = rest.range(of: mark) else {
                throw TransformationError(
                    .template, "the model's chat template does not show a message of role '\(message.role)' in order")
            }
            tokens += encode(String(rest[..<place.lowerBound]), first: tokens.isEmpty)
            tokens += tokenizer.encode(message.content, addSpecial: false, parseSpecial: false)
            rest = rest[place.upperBound...]
        }
        return tokens + encode(String(rest), first: tokens.isEmpty)
    }

    /// The tokens of a prompt that is taken as it stands, control tokens included.
    package func tokens(raw prompt: String) -> [TokenID] { encode(prompt, first: true) }

    private func encode(_ text: String, first: Bool) -> [TokenID] {
        var tokens = tokenizer.encode(text, addSpecial: first, parseSpecial: true)
        // Templates that write the beginning-of-text token themselves must not get a second one.
        if first, tokens.count > 1, let bos = tokenizer.vocabulary.bos, tokens[0] == bos, tokens[1] == bos {
            tokens.removeFirst()
        }
        if first, let eos = tokenizer.vocabulary.eos, tokens.count > 1, tokens.last == eos,
            tokenizer.encode(text, addSpecial: false, parseSpecial: true).last != eos
        {
            tokens.removeLast()
        }
        return tokens
    }

    private func holdsControlText(_ text: String) -> Bool {
        tokenizer.encode(text, addSpecial: false, parseSpecial: true)
            != tokenizer.encode(text, addSpecial: false, parseSpecial: false)
    }

    /// The conversation as text, with the mark that lets the assistant begin.
    private func render(_ messages: [ChatMessage]) throws(TransformationError) -> String {
        guard let template else { return plain(messages) }
        do {
            return try template.render(context(messages))
        } catch {
            // Some templates refuse a system message; its text then opens the first user message.
            guard messages.count > 1, messages[0].role == "system" else {
                throw TransformationError(.template, "the model's chat template failed", cause: error)
            }
            var merged = Array(messages.dropFirst())
            merged[0] = ChatMessage(role: merged[0].role, content: messages[0].content + "\n\n" + merged[0].content)
            do {
                return try template.render(context(merged))
            } catch {
                throw TransformationError(.template, "the model's chat template failed", cause: error)
            }
        }
    }

    private func context(_ messages: [ChatMessage]) -> JSONValue {
        let list = messages.map { message -> JSONValue in
            ["role": .string(message.role), "content": .string(message.content)]
        }
        func text(_ token: TokenID?) -> JSONValue {
            token.map { .string(tokenizer.vocabulary.text($0)) } ?? .string("")
        }
        return [
            "messages": .array(list), "add_generation_prompt": true,
            "bos_token": text(tokenizer.vocabulary.bos), "eos_token": text(tokenizer.vocabulary.eos),
        ]
    }

    /// For models without a template: titles and blank lines.
    private func plain(_ messages: [ChatMessage]) -> String {
        var text = ""
        for message in messages {
            switch message.role {
            case "system": text += message.content + "\n\n"
            case "assistant": text += "\(answerTitle): \(message.content)\n\n"
            default: text += "Text: \(message.content)\n"
            }
        }
        return text + "\(answerTitle): "
    }
}

extension Substring {
    /// The first place of `other`, by Unicode scalars.
    fileprivate func range(of other: String) -> Range<Index>? {
        let needle = Array(other.unicodeScalars)
        guard let first = needle.first else { return nil }
        var start = unicodeScalars.startIndex
        while let candidate = unicodeScalars[start...].firstIndex(of: first) {
            var index = candidate
            var matched = 0
            while matched < needle.count, index < unicodeScalars.endIndex, unicodeScalars[index] == needle[matched] {
                index = unicodeScalars.index(after: index)
                matched += 1
            }
            if matched == needle.count { return candidate..<index }
            start = unicodeScalars.index(after: candidate)
        }
        return nil
    }
}
