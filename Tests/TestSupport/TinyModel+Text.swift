// SPDX-License-Identifier: Apache-2.0

extension TinyModel {
    /// A random-weight model with a byte-level tokenizer and a chat template: noise, but a whole language model.
    public static func text(seed: UInt64 = 1, context: Int = 1024, format: String = "F32") -> TinyModel {
        let merges = ["\" :", "t r", "tr u", "tru e", "a n", "an d", "Ġ a", "{ \"", "e r", "i n"]
        let alphabet = byteAlphabet
        let tokens =
            alphabet + merges.map { $0.split(separator: " ").joined() } + ["<|im_start|>", "<|im_end|>"]
        var model = TinyModel("llama", format: format, seed: seed, vocabulary: tokens.count, context: context)
        model.edit { builder in
            builder.add("general.name", .string("Tiny"))
            builder.add("tokenizer.ggml.model", .string("gpt2"))
            builder.add("tokenizer.ggml.pre", .string("smollm"))
            builder.add("tokenizer.ggml.tokens", .strings(tokens))
            builder.add(
                "tokenizer.ggml.token_type",
                .int32s(tokens.indices.map { $0 < tokens.count - 2 ? 1 : 3 }))
            builder.add("tokenizer.ggml.merges", .strings(merges))
            builder.add("tokenizer.ggml.bos_token_id", .uint32(UInt32(tokens.count - 2)))
            builder.add("tokenizer.ggml.eos_token_id", .uint32(UInt32(tokens.count - 1)))
            builder.add("tokenizer.ggml.add_bos_token", .bool(false))
            builder.add(
                "tokenizer.chat_template",
                .string(
                    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + "
                        + "'<|im_end|>' + '\\n' }}{% endfor %}"
                        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"))
        }
        return model
    }

    /// The characters that stand for the 256 bytes in byte-level vocabularies, by byte.
    private static var byteAlphabet: [String] {
        var next: UInt32 = 256
        return (0...255).map { (byte: UInt32) in
            let printable = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
            if printable { return String(Unicode.Scalar(UInt8(byte))) }
            defer { next += 1 }
            return Unicode.Scalar(next).map { String($0) } ?? ""
        }
    }
}
