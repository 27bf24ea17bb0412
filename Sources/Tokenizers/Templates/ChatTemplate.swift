// SPDX-License-Identifier: Apache-2.0

public import Documents

/// One message of a conversation.
public struct ChatMessage: Hashable, Sendable {
    /// `system`, `user`, `assistant` or what else the template knows.
    public var role: String
    public var content: String

    public init(role: String, content: String) {
        self.role = role
        self.content = content
    }
}

/// What a template may use while rendering.
public struct TemplateLimits: Hashable, Sendable {
    /// Evaluated expressions, statements and items.
    public var steps = 2_000_000
    /// Bytes of text built on the way, intermediate results included.
    public var textBytes = 64 << 20
    /// Bytes of the result.
    public var outputBytes = 8 << 20
    /// Nesting of statements, expressions and macro calls together.
    public var depth = 300

    public init() {}
}

/// A chat template in the Jinja language, as model files carry it.
///
/// The language is the part of Jinja that published chat templates use, rendered like the reference implementation
/// with `trim_blocks`, `lstrip_blocks`, loop controls, `raise_exception` and `strftime_now`. A template sees only the
/// variables of its context; it cannot change them, and its work is limited.
///
///     let template = try ChatTemplate("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}")
///     let prompt = try template.render(messages: [ChatMessage(role: "user", content: "Hi")])
public struct ChatTemplate: Sendable {
    /// Largest source accepted, in bytes.
    public static let sourceLimit = 1 << 20

    /// The template's text.
    public let source: String
    private let body: [TemplateStatement]

    /// Parses a template.
    ///
    /// - Throws: ``TemplateError`` with the line of the mistake.
    public init(_ source: String) throws(TemplateError) {
        guard source.utf8.count <= Self.sourceLimit else {
            throw TemplateError(.limit, "the template is longer than \(Self.sourceLimit) bytes")
        }
        self.source = source
        body = try TemplateParser.parse(source)
    }

    /// Renders with the members of an object as variables.
    ///
    /// - Parameters:
    ///   - context: An object. `bos_token` and `eos_token` are ordinary variables of it.
    ///   - limits: What the template may use.
    ///   - now: The clock behind `strftime_now`.
    /// - Throws: ``TemplateError``; with code ``TemplateError/Code/raised`` if the template refused its input.
    public func render(
        _ context: JSONValue, limits: TemplateLimits = TemplateLimits(), now: @escaping () -> TemplateDate = { .now }
    ) throws(TemplateError) -> String {
        guard case .dictionary(let variables) = TemplateValue(context) else {
            throw TemplateError(.evaluation, "the context is not an object")
        }
        return try render(variables, limits: limits, now: now)
    }

    /// Renders with the entries of a dictionary as variables.
    package func render(
        _ variables: TemplateDictionary, limits: TemplateLimits = TemplateLimits(),
        now: @escaping () -> TemplateDate = { .now }
    ) throws(TemplateError) -> String {
        try TemplateEvaluator(variables: variables, limits: limits, now: now).render(body)
    }

    /// Renders a conversation.
    ///
    /// - Parameters:
    ///   - messages: The turns so far.
    ///   - addGenerationPrompt: Whether the result ends with the opening of the assistant's turn.
    ///   - beginToken: The text of the token a sequence begins with, for templates that print it.
    ///   - endToken: The text of the token a sequence ends with.
    ///   - variables: Further variables, such as `tools` or `enable_thinking`.
    public func render(
        messages: [ChatMessage], addGenerationPrompt: Bool = true, beginToken: String = "", endToken: String = "",
        variables: [(name: String, value: JSONValue)] = [], limits: TemplateLimits = TemplateLimits(),
        now: @escaping () -> TemplateDate = { .now }
    ) throws(TemplateError) -> String {
        var dictionary = TemplateDictionary()
        dictionary.append(
            .string("messages"),
            .list(
                TemplateList(
                    messages.map { message in
                        var entry = TemplateDictionary()
                        entry.append(.string("role"), .string(message.role))
                        entry.append(.string("content"), .string(message.content))
                        return .dictionary(entry)
                    }
                )
            )
        )
        dictionary.append(.string("add_generation_prompt"), .boolean(addGenerationPrompt))
        dictionary.append(.string("bos_token"), .string(beginToken))
        dictionary.append(.string("eos_token"), .string(endToken))
        for variable in variables { dictionary.append(.string(variable.name), TemplateValue(variable.value)) }
        return try render(dictionary, limits: limits, now: now)
    }
}
