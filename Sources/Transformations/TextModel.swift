// SPDX-License-Identifier: Apache-2.0

package import Constraints
public import Inference
import ModelFiles
package import Tokenizers

/// A model ready to turn text into text: weights, tokenizer, chat template, and the vocabulary's tables for masks.
///
/// It is immutable and can be shared by any number of transformers.
public final class TextModel: Sendable {
    /// The path that it was loaded from.
    public let path: String
    package let model: Model
    package let tokenizer: Tokenizer
    package let vocabulary: TokenVocabulary
    /// Whether the vocabulary can spell the planes 4 to 11 of Unicode, where no character is assigned.
    package let spellsUnassignedPlanes: Bool
    /// The chat template of the file, or nil where it has none.
    package let template: ChatTemplate?
    /// Time that loading took, in seconds.
    public let loadSeconds: Double

    /// Loads a GGUF file.
    ///
    /// - Throws: `ModelFileError`, `InferenceError`, `TokenizerError` or `TemplateError`, whichever part refuses.
    public init(path: String, options: ModelOptions = .init()) throws {
        let clock = ContinuousClock()
        let start = clock.now
        self.path = path
        model = try Model(path: path, options: options)
        tokenizer = try Tokenizer(model.file)
        template = try model.file.string("tokenizer.chat_template").map { try ChatTemplate($0) }
        // Logits beyond the tokenizer's tokens are padding: no mask ever holds them.
        var texts = tokenizer.vocabulary.generatedTexts
        guard texts.count <= model.vocabularySize else {
            throw TransformationError(
                .vocabulary,
                "the tokenizer has \(texts.count) tokens, but the model computes only \(model.vocabularySize) logits")
        }
        // Characters that the vocabulary has no bytes for are left out whole, so that each byte that may come has a token.
        let leads = Set(texts.compactMap { $0?.count == 1 ? $0?.first : nil })
        spellsUnassignedPlanes = leads.contains(0xF1) && leads.contains(0xF2)
        if !spellsUnassignedPlanes {
            for index in texts.indices where texts[index]?.contains(where: { $0 == 0xF1 || $0 == 0xF2 }) == true {
                texts[index] = nil
            }
        }
        texts += Array(repeating: nil, count: model.vocabularySize - texts.count)
        vocabulary = TokenVocabulary(
            tokens: texts, endOfGeneration: tokenizer.vocabulary.endOfGeneration.map(Int.init).sorted())
        loadSeconds = (clock.now - start).seconds
    }

    /// Tokens that the model was trained to take at once.
    public var contextLength: Int { model.contextLength }
}
