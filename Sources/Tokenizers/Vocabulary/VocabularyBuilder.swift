// SPDX-License-Identifier: Apache-2.0

/// Makes a vocabulary from a description, checking everything.
struct VocabularyBuilder {
    let description: TokenizerDescription
    let isByteLevel: Bool
    var kinds: [Vocabulary.Kind] = []
    private var special: [[UInt8]: TokenID] = [:]

    init(_ description: TokenizerDescription) throws(TokenizerError) {
        self.description = description
        isByteLevel = description.model == "gpt2"
        let count = description.tokens.count
        guard count > 0 else {
            throw TokenizerError(.malformed, "the vocabulary is empty", field: "tokenizer.ggml.tokens")
        }
        guard count <= 1 << 24 else {
            throw TokenizerError(.malformed, "\(count) tokens are too many", field: "tokenizer.ggml.tokens")
        }
        func check(_ length: Int?, _ key: String) throws(TokenizerError) {
            guard let length, length != count else { return }
            throw TokenizerError(
                .inconsistent, "has \(length) elements for \(count) tokens", field: "tokenizer.ggml.\(key)"
            )
        }
        try check(description.scores?.count, "scores")
        try check(description.types?.count, "token_type")
        if let types = description.types {
            kinds.reserveCapacity(count)
            for (index, type) in types.enumerated() {
                // Zero is "undefined", which has no text either.
                guard let kind = type == 0 ? .unused : UInt8(exactly: type).flatMap(Vocabulary.Kind.init) else {
                    throw TokenizerError(
                        .malformed, "\(type) is no token type", field: "tokenizer.ggml.token_type[\(index)]"
                    )
                }
                kinds.append(kind)
            }
        } else {
            kinds = [Vocabulary.Kind](repeating: .normal, count: count)
        }
        for index in 0..<count where kinds[index] != .normal && kinds[index] != .byte {
            special[Array(description.tokens[index])] = TokenID(index)
        }
    }

    /// Which tokens are found in the text before everything else; true where only when special tokens are parsed.
    private(set) var specialTokens: [(token: TokenID, onlyParsed: Bool)] = []

    // MARK: - Roles

    private static let turnEnds = [
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>", "<EOT>", "_<EOT>",
        "[EOT]", "<｜end▁of▁sentence｜>", "<end_of_utterance>",
    ]
    private static let generationEnds = [
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>",
        "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>",
        "<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[",
    ]
    private static let paddings = ["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"]
    private static let repositories = ["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"]
    private static let separators = ["<|file_sep|>"]
    /// Tokens that only steer infilling: never text, though files sometimes mark them as such.
    private static let infills = [
        "<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>",
        "<|prefix|>", "<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>",
        "<|code_suffix|>", "<|suffix|>", "<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>",
        "▁<MID>", "<|code_middle|>", "<|middle|>",
    ]
    /// Tokens whose text is always shown.
    private static let shown = ["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"]

    private func role(_ key: String) throws(TokenizerError) -> TokenID? {
        guard let number = description.roles[key] else { return nil }
        guard number >= 0, number < kinds.count else {
            throw TokenizerError(
                .inconsistent, "\(number) is no token of \(kinds.count)", field: "tokenizer.ggml.\(key)"
            )
        }
        return TokenID(number)
    }

    /// The vocabulary, and the index that finds a token by its bytes: by the stored ones for SentencePiece, by the
    /// final ones for byte-level vocabularies.
    mutating func build(
        defaults: (bos: Int?, eos: Int?, unknown: Int?), addBOS: Bool
    ) throws(TokenizerError) -> (Vocabulary, TokenIndex) {
        if isByteLevel {
            let texts = try finalTexts()
            var index = TokenIndex(texts)
            var buffer: [UInt8] = []
            for token in 0..<texts.count {
                buffer.removeAll(keepingCapacity: true)
                // Stored texts outside the alphabet cannot come out of merges.
                if kinds[token] == .normal {
                    if isSpelled[token] { index.insert(token) }
                } else if ByteAlphabet.decode(description.tokens[token], into: &buffer), buffer == Array(texts[token]) {
                    index.insert(token)
                }
            }
            return (try resolveRoles(index, texts, defaults: defaults, addBOS: addBOS), index)
        }
        var index = TokenIndex(description.tokens)
        for token in 0..<description.tokens.count { index.insert(token) }
        return (try resolveRoles(index, nil, defaults: defaults, addBOS: addBOS), index)
    }

    private mutating func resolveRoles(
        _ index: TokenIndex, _ texts: TokenTexts?, defaults: (bos: Int?, eos: Int?, unknown: Int?), addBOS: Bool
    ) throws(TokenizerError) -> Vocabulary {
        let special = special
        func token(_ text: String) -> TokenID? { special[Array(text.utf8)] ?? index.find(text.utf8) }
        func first(_ texts: [String]) -> TokenID? {
            for text in texts { if let found = token(text) { return found } }
            return nil
        }
        func fallback(_ number: Int?) -> TokenID? { number.flatMap { $0 < kinds.count ? TokenID($0) : nil } }

        let bos = try role("bos_token_id") ?? fallback(defaults.bos)
        let eos = try role("eos_token_id") ?? fallback(defaults.eos)
        let unknown = try role("unknown_token_id") ?? fallback(defaults.unknown)
        let padding = try role("padding_token_id")
        let eot = try role("eot_token_id") ?? first(Self.turnEnds)
        var ends: Set<TokenID> = []
        for (key, texts) in [
            ("fim_pad_token_id", Self.paddings), ("fim_rep_token_id", Self.repositories),
            ("fim_sep_token_id", Self.separators),
        ] {
            if let stated = try role(key) {
                ends.insert(stated)
            } else if let found = first(texts) {
                ends.insert(found)
                kinds[Int(found)] = .control
            }
        }
        for text in Self.generationEnds {
            guard let found = token(text) else { continue }
            ends.insert(found)
            kinds[Int(found)] = .control
        }
        for text in Self.infills { if let found = token(text) { kinds[Int(found)] = .control } }
        for text in Self.shown { if let found = token(text) { kinds[Int(found)] = .userDefined } }
        for role in [eos, eot, try role("eom_token_id")] { if let role { ends.insert(role) } }
        if let eot, description.roles["eot_token_id"] == nil { kinds[Int(eot)] = .control }
        // Formats with their own ends of messages use these as mere separators.
        if let end = token("<|end|>"),
            let call = token("<|call|>") ?? token("<|calls|>"), ends.contains(call),
            (token("<|return|>") ?? token("<|flush|>")).map(ends.contains) == true
        {
            ends.remove(end)
            kinds[Int(end)] = .userDefined
        }
        if token("<|tool_response>") != nil, let end = token("</s>") {
            ends.remove(end)
            kinds[Int(end)] = .normal
        }

        let addsBOS = description.addBOS ?? addBOS
        let addsEOS = description.addEOS ?? false
        if addsBOS, bos == nil {
            throw TokenizerError(
                .missing, "sequences begin with a token that the file does not name",
                field: "tokenizer.ggml.bos_token_id"
            )
        }
        if addsEOS, eos == nil {
            throw TokenizerError(
                .missing, "sequences end with a token that the file does not name", field: "tokenizer.ggml.eos_token_id"
            )
        }

        let finals = if let texts { texts } else { try finalTexts() }
        noteSpecialTokens()
        return Vocabulary(
            texts: finals, kinds: kinds, bos: bos, eos: eos, eot: eot, unknown: unknown, padding: padding,
            endOfGeneration: ends, addBOS: addsBOS, addEOS: addsEOS
        )
    }

    /// Lists the special tokens, then marks the control tokens that have no use.
    private mutating func noteSpecialTokens() {
        let unused = Array("unused".utf8)
        for index in 0..<kinds.count {
            let stored = description.tokens[index]
            switch kinds[index] {
            case .normal, .byte, .unused: continue
            case .control, .unknown, .userDefined:
                guard !stored.isEmpty else { continue }
                specialTokens.append((TokenID(index), kinds[index] != .userDefined))
                if kinds[index] == .control, !PythonText.occurrences(of: unused, in: Array(stored), limit: 1).isEmpty {
                    kinds[index] = .unused
                }
            }
        }
    }

    /// Whether a byte-level token's stored text is all in the byte alphabet.
    private var isSpelled: [Bool] = []

    /// Undoes the spelling of the stored texts.
    private mutating func finalTexts() throws(TokenizerError) -> TokenTexts {
        let tokens = description.tokens
        var texts = TokenTexts()
        texts.reserve(count: tokens.count, bytes: tokens.bytes.count)
        var buffer: [UInt8] = []
        if isByteLevel { isSpelled = [Bool](repeating: false, count: tokens.count) }
        for index in 0..<tokens.count {
            let stored = tokens[index]
            switch kinds[index] {
            case .normal:
                buffer.removeAll(keepingCapacity: true)
                if isByteLevel {
                    isSpelled[index] = ByteAlphabet.decode(stored, into: &buffer)
                    if !isSpelled[index] { buffer.append(contentsOf: stored) }
                } else {
                    Self.unescapeSpaces(stored, into: &buffer)
                }
                texts.append(buffer)
            case .byte:
                guard let byte = Self.byte(of: stored) else {
                    throw TokenizerError(
                        .malformed, "the byte token '\(tokens.text(index))' is not spelled <0xNN>",
                        field: "tokenizer.ggml.tokens[\(index)]"
                    )
                }
                texts.append(CollectionOfOne(byte))
            case .unused: texts.append(EmptyCollection())
            case .control, .unknown, .userDefined: texts.append(stored)
            }
        }
        return texts
    }

    static func unescapeSpaces(_ text: ArraySlice<UInt8>, into result: inout [UInt8]) {
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == 0xE2, index + 2 < text.endIndex, text[index + 1] == 0x96, text[index + 2] == 0x81 {
                result.append(0x20)
                index += 3
            } else {
                result.append(text[index])
                index += 1
            }
        }
    }

    /// The byte that `<0xNN>` names.
    static func byte(of text: ArraySlice<UInt8>) -> UInt8? {
        guard text.count == 6, text.starts(with: "<0x".utf8), text.last == 0x3E else { return nil }
        var value: UInt8 = 0
        for digit in text.dropFirst(3).dropLast() {
            guard let nibble = Character(Unicode.Scalar(digit)).hexDigitValue else { return nil }
            value = value << 4 | UInt8(truncatingIfNeeded: nibble)
        }
        return value
    }
}
