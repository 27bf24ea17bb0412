// SPDX-License-Identifier: Apache-2.0

public import ModelFiles

/// Turns text into the tokens of a model and back.
///
/// Made from a model file's metadata: byte-level BPE (`gpt2`) and SentencePiece BPE (`llama`).
///
///     let tokenizer = try Tokenizer(GGUFFile(path: "model.gguf"))
///     let prompt = tokenizer.encode("Hello", addSpecial: true, parseSpecial: false)
///     tokenizer.decode(prompt)
///
/// A tokenizer is immutable; use it from any thread.
public struct Tokenizer: Sendable {
    /// The tokens.
    public let vocabulary: Vocabulary
    /// The prompt format that the file carries, unparsed.
    public let chatTemplate: String?

    private enum Encoder: Sendable {
        case bytePair(BytePairEncoder)
        case sentencePiece(SentencePieceEncoder)
    }

    private let encoder: Encoder
    private let special: SpecialTokenMatcher
    private let addSpacePrefix: Bool

    /// Reads the tokenizer of a model file.
    ///
    /// - Throws: ``TokenizerError`` that names the metadata field.
    public init(_ file: GGUFFile) throws(TokenizerError) {
        let template: String?
        do throws(ModelFileError) {
            template = try file.string("tokenizer.chat_template")
        } catch {
            throw TokenizerError(.malformed, error.message, field: "tokenizer.chat_template")
        }
        try self.init(try TokenizerDescription(file), chatTemplate: template)
    }

    /// Makes a tokenizer from its description.
    package init(_ description: TokenizerDescription, chatTemplate: String? = nil) throws(TokenizerError) {
        try TokenizerDescription.checkModel(description.model)
        self.chatTemplate = chatTemplate
        var builder = try VocabularyBuilder(description)
        if builder.isByteLevel {
            let preTokenizer = try PreTokenizer(named: description.preTokenizer)
            let (vocabulary, index) = try builder.build(defaults: (nil, nil, nil), addBOS: preTokenizer.addsBOS)
            self.vocabulary = vocabulary
            encoder = .bytePair(try BytePairEncoder(description, index, preTokenizer))
            addSpacePrefix = description.addSpacePrefix ?? false
        } else {
            let (vocabulary, index) = try builder.build(defaults: (1, 2, 0), addBOS: true)
            self.vocabulary = vocabulary
            encoder = .sentencePiece(try SentencePieceEncoder(description, index, unknown: vocabulary.unknown))
            addSpacePrefix = description.addSpacePrefix ?? true
        }
        let name = description.modelName.lowercased()
        let swallows = name.contains("phi3") || name.contains("phi-3")
        let exceptions = swallows ? ["<unk>", "<s>", "<|endoftext|>"].map { Array($0.utf8)[...] } : []
        special = SpecialTokenMatcher(builder.specialTokens, description.tokens) { token in
            swallows && !exceptions.contains(description.tokens[Int(token)])
        }
    }

    /// The bytes that this vocabulary cannot express; they are left out of encoded texts.
    public var missingBytes: [UInt8] {
        if case .bytePair(let encoder) = encoder { return encoder.missingBytes }
        return []
    }

    // MARK: - Encoding

    /// The words within which a byte-level vocabulary merges; the whole text for other vocabularies.
    package func words(of text: String) -> [String] {
        guard case .bytePair(let encoder) = encoder else { return [text] }
        return encoder.words(of: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The tokens of a text.
    ///
    /// - Parameters:
    ///   - addSpecial: Whether the beginning and end tokens are added where the model asks for them.
    ///   - parseSpecial: Whether the text of a control token becomes that token. Never for text from outside.
    public func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) -> [TokenID] {
        var text = text
        return text.withUTF8 { encode($0, isRepaired: true, addSpecial, parseSpecial) }
    }

    /// The tokens of bytes that may not be UTF-8.
    ///
    /// Byte-level vocabularies get U+FFFD for each byte that belongs to no character; SentencePiece vocabularies get
    /// the bytes.
    public func encode(bytes: [UInt8], addSpecial: Bool, parseSpecial: Bool) -> [TokenID] {
        bytes.withUnsafeBufferPointer { encode($0, isRepaired: false, addSpecial, parseSpecial) }
    }

    private func encode(
        _ text: UnsafeBufferPointer<UInt8>, isRepaired: Bool, _ addSpecial: Bool, _ parseSpecial: Bool
    ) -> [TokenID] {
        var tokens: [TokenID] = []
        if addSpecial, vocabulary.addBOS, let bos = vocabulary.bos { tokens.append(bos) }
        var start = 0
        var followsSpecial = true
        for match in special.matches(in: text, parsesSpecial: parseSpecial) {
            if match.range.lowerBound > start {
                let part = UnsafeBufferPointer(rebasing: text[start..<match.range.lowerBound])
                encode(part, isRepaired, followsSpecial, into: &tokens)
            }
            tokens.append(match.token)
            start = match.range.upperBound
            followsSpecial = true
        }
        if start < text.count {
            encode(UnsafeBufferPointer(rebasing: text[start...]), isRepaired, followsSpecial, into: &tokens)
        }
        if addSpecial, vocabulary.addEOS, let eos = vocabulary.eos { tokens.append(eos) }
        return tokens
    }

    /// Encodes text between special tokens.
    private func encode(
        _ text: UnsafeBufferPointer<UInt8>, _ isRepaired: Bool, _ followsSpecial: Bool, into tokens: inout [TokenID]
    ) {
        switch encoder {
        case .bytePair(let encoder):
            encoder.encode(isRepaired ? Array(text) : TextRepair.repaired(text), into: &tokens)
        case .sentencePiece(let encoder):
            var spelled: [UInt8] = []
            spelled.reserveCapacity(text.count + text.count / 2 + 3)
            func appendSpace() {
                spelled.append(0xE2)
                spelled.append(0x96)
                spelled.append(0x81)
            }
            if addSpacePrefix, followsSpecial { appendSpace() }
            for byte in text { if byte == 0x20 { appendSpace() } else { spelled.append(byte) } }
            spelled.withUnsafeBufferPointer { encoder.encode($0, into: &tokens) }
        }
    }

    // MARK: - Decoding

    /// The bytes of a sequence: without the beginning and end tokens that ``encode(_:addSpecial:parseSpecial:)`` adds
    /// and the space it puts first, other special tokens as their text.
    ///
    /// Nothing is tidied: some runtimes drop blanks before punctuation for a few vocabularies, which would change
    /// generated documents.
    public func decodeBytes(_ tokens: some BidirectionalCollection<TokenID>) -> [UInt8] {
        var rest = tokens[...]
        var dropsSpace = addSpacePrefix
        if vocabulary.addBOS, let first = rest.first, first == vocabulary.bos {
            rest = rest.dropFirst()
            dropsSpace = false
        }
        if vocabulary.addEOS, let last = rest.last, last == vocabulary.eos { rest = rest.dropLast() }
        var bytes: [UInt8] = []
        for token in rest {
            let text = vocabulary.slice(token)
            bytes += dropsSpace && text.first == 0x20 ? text.dropFirst() : text
            dropsSpace = false
        }
        return bytes
    }

    /// The text of a sequence; bytes that are not UTF-8 are replaced.
    public func decode(_ tokens: some BidirectionalCollection<TokenID>) -> String {
        String(decoding: decodeBytes(tokens), as: UTF8.self)
    }
}
