// SPDX-License-Identifier: Apache-2.0

package import ModelFiles

/// What a model file says about its tokenizer, as read.
package struct TokenizerDescription: Sendable {
    /// The kind of tokenizer: `gpt2`, `llama`, ….
    package var model: String
    /// The name of the pre-tokenizer.
    package var preTokenizer: String?
    /// The tokens as stored.
    package var tokens: TokenTexts
    package var scores: [Float]?
    package var types: [Int]?
    /// Pairs of token texts with a space between, best first.
    package var merges: TokenTexts?
    /// Roles by the last part of their key, for example `bos_token_id`.
    package var roles: [String: Int] = [:]
    package var addBOS: Bool?
    package var addEOS: Bool?
    package var addSpacePrefix: Bool?
    /// The model's name, for quirks that are known by name only.
    package var modelName: String = ""

    package init(model: String, tokens: TokenTexts) {
        self.model = model
        self.tokens = tokens
    }

    static let roleKeys = [
        "bos_token_id", "eos_token_id", "eot_token_id", "eom_token_id", "unknown_token_id", "padding_token_id",
        "fim_pad_token_id", "fim_rep_token_id", "fim_sep_token_id",
    ]

    /// Reads the metadata of a file.
    package init(_ file: GGUFFile) throws(TokenizerError) {
        func read<Value>(
            _ key: String, _ body: (String) throws(ModelFileError) -> Value?
        ) throws(TokenizerError) -> Value? {
            do throws(ModelFileError) {
                return try body(key)
            } catch {
                throw TokenizerError(.malformed, error.message, field: key)
            }
        }
        func texts(_ key: String) throws(TokenizerError) -> TokenTexts? {
            guard let strings = try read(key, file.strings) else { return nil }
            var texts = TokenTexts()
            texts.reserve(count: strings.count, bytes: strings.count * 8)
            for index in strings.indices { strings.withBytes(at: index) { texts.append(raw: $0) } }
            return texts
        }
        let prefix = "tokenizer.ggml."
        guard let model = try read(prefix + "model", file.string) else {
            throw TokenizerError(.missing, "the file does not say which tokenizer it needs", field: prefix + "model")
        }
        try TokenizerDescription.checkModel(model)
        guard let tokens = try texts(prefix + "tokens") else {
            throw TokenizerError(.missing, "the file has no vocabulary", field: prefix + "tokens")
        }
        self.model = model
        self.tokens = tokens
        preTokenizer = try read(prefix + "pre", file.string)
        scores = try read(prefix + "scores", file.floats)
        types = try read(prefix + "token_type", file.ints)
        merges = try texts(prefix + "merges")
        for key in Self.roleKeys {
            if let token = try read(prefix + key, file.int) { roles[key] = token }
        }
        addBOS = try read(prefix + "add_bos_token", file.bool)
        addEOS = try read(prefix + "add_eos_token", file.bool)
        addSpacePrefix = try read(prefix + "add_space_prefix", file.bool)
        modelName = try read("general.name", file.string) ?? ""
    }

    static func checkModel(_ model: String) throws(TokenizerError) {
        guard model != "gpt2", model != "llama" else { return }
        let kinds = [
            "t5": "Unigram (T5)", "bert": "WordPiece (BERT)", "rwkv": "RWKV", "plamo2": "PLaMo 2", "gemma4": "Gemma 4",
            "none": "no vocabulary", "no_vocab": "no vocabulary",
        ]
        let name = kinds[model].map { "'\(model)', \($0)," } ?? "'\(model)'"
        throw TokenizerError(
            .unsupported,
            "the tokenizer \(name) is not supported; "
                + "supported are 'gpt2' (byte-level BPE) and 'llama' (SentencePiece BPE)",
            field: "tokenizer.ggml.model"
        )
    }
}
