// SPDX-License-Identifier: Apache-2.0

/// Cuts text into the words within which byte-level BPE merges.
///
/// The rules are those that the names in `tokenizer.ggml.pre` stand for, written as scanners over character classes.
struct PreTokenizer: Sendable {
    /// Which rules apply.
    enum Family: Sendable {
        /// Contractions, letters, numbers, other characters, each with one space before; blanks.
        case gpt2
        /// As ``gpt2``, each digit alone.
        case digits
        /// Runs of punctuation first, then ``gpt2``, then numbers, those in groups of three.
        case punctuation
        /// Letters with any one character before, numbers up to a length, line breaks with their blanks.
        case lines(digits: Int)
        /// Words that begin at a change from small to capital letters, with their contractions; else as ``lines(digits:)``.
        case cases
    }

    let family: Family
    /// Whether a word that is a token as a whole is not split, whatever the merges say.
    let ignoresMerges: Bool
    /// Whether sequences begin with the beginning token unless the file says otherwise.
    let addsBOS: Bool

    private static let families: [(names: [String], family: Family, ignoresMerges: Bool, addsBOS: Bool)] = [
        (["default"], .punctuation, false, false),
        (
            ["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"],
            .lines(digits: 3), true, true
        ),
        (["dbrx", "smaug-bpe", "chatglm-bpe", "glm4"], .lines(digits: 3), false, false),
        (
            [
                "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "stablelm2", "megrez", "hunyuan", "solar-open",
                "grok-2",
            ],
            .lines(digits: 1), false, false
        ),
        (["gpt-4o", "llama4", "kanana2"], .cases, false, false),
        (
            ["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"],
            .digits, false, false
        ),
        (
            [
                "gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum",
                "modern-bert", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4",
            ],
            .gpt2, false, false
        ),
    ]

    /// The rules for a name of `tokenizer.ggml.pre`; without a name, the default ones.
    init(named name: String?) throws(TokenizerError) {
        let name = name ?? "default"
        guard let found = Self.families.first(where: { $0.names.contains(name) }) else {
            let names = Self.families.flatMap(\.names).sorted().joined(separator: ", ")
            throw TokenizerError(
                .unsupported, "the pre-tokenizer '\(name)' is not supported; supported are \(names)",
                field: "tokenizer.ggml.pre"
            )
        }
        family = found.family
        ignoresMerges = found.ignoresMerges
        addsBOS = found.addsBOS
    }

    /// Appends the ends of the words of a text, as byte offsets.
    func cut(_ text: ClassifiedText, into ends: inout [Int]) {
        let all = 0..<text.count
        switch family {
        case .gpt2: Self.cutGPT2(text, all, into: &ends)
        case .cases: Self.cutCases(text, all, into: &ends)
        case .lines(let digits): Self.cutLines(text, all, digits: digits, into: &ends)
        case .digits:
            // A number stands alone; what lies between is cut further.
            Self.forRuns(all, { text.has($0, .number) }, longest: 1) { range, isNumber in
                if isNumber { ends.append(text.end(range)) } else { Self.cutGPT2(text, range, into: &ends) }
            }
        case .punctuation:
            var words: [Int] = []
            Self.forRuns(all, text.isPunctuation, longest: .max) { range, _ in
                var start = range.lowerBound
                words.removeAll(keepingCapacity: true)
                Self.cutGPT2(text, range, into: &words)
                for word in words {
                    let end = text.index(ofByte: word, from: start)
                    Self.forRuns(start..<end, { text.has($0, .number) }, longest: .max) { run, isNumber in
                        if isNumber {
                            Self.cutTriples(text, run, into: &ends)
                        } else {
                            ends.append(text.end(run))
                        }
                    }
                    start = end
                }
            }
        }
    }

    /// Calls for each run of characters that match (at most so long) and for each gap between.
    private static func forRuns(
        _ range: Range<Int>, _ matches: (Int) -> Bool, longest: Int, _ body: (Range<Int>, Bool) -> Void
    ) {
        var start = range.lowerBound
        while start < range.upperBound {
            let isMatch = matches(start)
            var end = start + 1
            while end < range.upperBound, !isMatch || end - start < longest, matches(end) == isMatch { end += 1 }
            body(start..<end, isMatch)
            start = end
        }
    }

    /// ASCII digits in groups of three from the left; other numbers and the rest stay together.
    private static func cutTriples(_ text: ClassifiedText, _ range: Range<Int>, into ends: inout [Int]) {
        var gap = range.lowerBound
        var index = range.lowerBound
        while index < range.upperBound {
            if index + 3 <= range.upperBound, (index..<index + 3).allSatisfy({ text.isASCIIDigit($0) }) {
                if gap < index { ends.append(text.offset(index)) }
                index += 3
                ends.append(text.offset(index))
                gap = index
            } else {
                index += 1
            }
        }
        if gap < range.upperBound { ends.append(text.end(range)) }
    }

    private static func cutGPT2(_ text: ClassifiedText, _ range: Range<Int>, into ends: inout [Int]) {
        let end = range.upperBound
        var index = range.lowerBound
        while index < end {
            let byte = text.byte(index)
            if byte == 0x27, index + 1 < end {
                let length = contraction(text, index, end, foldsCase: false)
                if length > 0 {
                    index += length
                    ends.append(text.offset(index))
                    continue
                }
            }
            let first = byte == 0x20 ? index + 1 : index
            let kind = first < end ? text.kind(first) : []
            if kind.contains(.letter) {
                index = text.skip(first, end, .letter)
            } else if kind.contains(.number) {
                index = text.skip(first, end, .number)
            } else if first < end, !kind.contains(.space) {
                index = text.skipOther(first, end)
            } else {
                let run = text.skip(index, end, .space)
                // The last blank goes with what follows.
                index = run - index > 1 && run < end ? run - 1 : run
            }
            ends.append(text.offset(index))
        }
    }

    private static func cutLines(_ text: ClassifiedText, _ range: Range<Int>, digits: Int, into ends: inout [Int]) {
        let end = range.upperBound
        var index = range.lowerBound
        while index < end {
            let byte = text.byte(index)
            if byte == 0x27, index + 1 < end {
                let length = contraction(text, index, end, foldsCase: true)
                if length > 0 {
                    index += length
                    ends.append(text.offset(index))
                    continue
                }
            }
            let kind = text.kind(index)
            let isBreak = byte == 0x0A || byte == 0x0D
            if kind.contains(.letter)
                || (!isBreak && !kind.contains(.number) && index + 1 < end && text.has(index + 1, .letter))
            {
                index = text.skip(index + 1, end, .letter)
                ends.append(text.offset(index))
                continue
            }
            index = endOfOther(text, index, end, digits: digits, takesSlashes: false)
            ends.append(text.offset(index))
        }
    }

    private static func cutCases(_ text: ClassifiedText, _ range: Range<Int>, into ends: inout [Int]) {
        let end = range.upperBound
        // Letters of other scripts count as both.
        func isCapital(_ index: Int) -> Bool { text.has(index, .letter) && !(0x61...0x7A).contains(text.byte(index)) }
        func isSmall(_ index: Int) -> Bool { text.has(index, .letter) && !(0x41...0x5A).contains(text.byte(index)) }
        var index = range.lowerBound
        while index < end {
            let byte = text.byte(index)
            let isPrefix = byte != 0x0A && byte != 0x0D && !text.has(index, .letter) && !text.has(index, .number)
            let first = isPrefix ? index + 1 : index
            if first < end, text.has(first, .letter) {
                var after = first
                while after < end, isCapital(after) { after += 1 }
                if after < end, isSmall(after) {
                    while after < end, isSmall(after) { after += 1 }
                } else {
                    // Capitals alone, unless one of them can be a small letter: the word ends behind the last such.
                    var last = after
                    while last > first, !isSmall(last - 1) { last -= 1 }
                    if last > first { after = last }
                }
                index = after
                if index < end, text.byte(index) == 0x27 { index += contraction(text, index, end, foldsCase: true) }
            } else {
                index = endOfOther(text, index, end, digits: 3, takesSlashes: true)
            }
            ends.append(text.offset(index))
        }
    }

    /// The end of what is no word: a number up to a length, other characters with one space before and the line breaks
    /// behind, or blanks.
    private static func endOfOther(
        _ text: ClassifiedText, _ start: Int, _ end: Int, digits: Int, takesSlashes: Bool
    ) -> Int {
        if text.has(start, .number) { return text.skip(start, min(end, start + digits), .number) }
        let first = text.byte(start) == 0x20 ? start + 1 : start
        if first < end, text.isOther(first) {
            var index = text.skipOther(first, end)
            while index < end {
                let byte = text.byte(index)
                guard byte == 0x0A || byte == 0x0D || takesSlashes && byte == 0x2F else { break }
                index += 1
            }
            return index
        }
        let run = text.skip(start, end, .space)
        var lastBreak = run
        while lastBreak > start, text.byte(lastBreak - 1) != 0x0A, text.byte(lastBreak - 1) != 0x0D {
            lastBreak -= 1
        }
        if lastBreak > start { return lastBreak }
        return run - start > 1 && run < end ? run - 1 : max(run, start + 1)
    }

    /// The characters of `'s`, `'re` and the like at an apostrophe, or 0.
    private static func contraction(_ text: ClassifiedText, _ index: Int, _ end: Int, foldsCase: Bool) -> Int {
        let fold: UInt8 = foldsCase ? 0x20 : 0
        func letter(_ index: Int) -> UInt8 {
            guard index < end else { return 0 }
            let byte = text.byte(index)
            return byte < 0x80 && byte >= 0x41 ? byte | fold : byte
        }
        switch letter(index + 1) {
        case 0x73, 0x74, 0x6D, 0x64: return 2
        case 0x72, 0x76: return letter(index + 2) == 0x65 ? 3 : 0
        case 0x6C: return letter(index + 2) == 0x6C ? 3 : 0
        default: return 0
        }
    }
}
