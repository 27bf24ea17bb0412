// SPDX-License-Identifier: Apache-2.0

public import Documents
public import Generation
public import JSONSchemas

/// What one transformation did and what it cost.
public struct TransformationReport: Sendable {
    /// The model's file name.
    public var model: String
    /// The spec's name.
    public var spec: String
    public var finishReason: FinishReason
    public var statistics: GenerationStatistics
    /// Time to load the model, in seconds.
    public var loadSeconds: Double
    /// Time from the schema to a machine that is ready, in seconds.
    public var compileSeconds: Double
    /// Time of the check after decoding, in seconds.
    public var validationSeconds: Double
    /// How likely each text of the enums and booleans was, if that was asked for.
    public var choices: [Choice] = []
    /// Where the text has the strings that were taken from it.
    public var verbatim: [VerbatimPlace] = []

    /// The probabilities of one value.
    public struct Choice: Sendable {
        /// The value's place in the document.
        public var pointer: JSONPointer
        /// The values that were possible, likeliest first, with their probabilities.
        public var probabilities: [(value: JSONValue, probability: Double)]
    }

    /// Moves the places in the text, for a text that was cut out of a larger one.
    public mutating func moveVerbatim(by bytes: Int) {
        for index in verbatim.indices {
            verbatim[index].start += bytes
            verbatim[index].end += bytes
        }
    }

    /// The report as a JSON object. Times are in milliseconds.
    public var value: JSONValue {
        func milliseconds(_ seconds: Double) -> JSONValue {
            .number(DecimalNumber((seconds * 100_000).rounded() / 100) ?? .zero)
        }
        func rate(_ count: Int, _ seconds: Double) -> JSONValue {
            seconds > 0 ? .number(DecimalNumber((Double(count) / seconds * 10).rounded() / 10) ?? .zero) : .null
        }
        let fed = statistics.promptTokens - statistics.cachedPromptTokens
        var report: JSONObject = [
            "model": .string(model),
            "spec": .string(spec),
            "finish_reason": .string(finishReason.rawValue),
            "complete": true,
            "valid": true,
            "tokens": [
                "prompt": .number(DecimalNumber(statistics.promptTokens)),
                "prompt_cached": .number(DecimalNumber(statistics.cachedPromptTokens)),
                "output": .number(DecimalNumber(statistics.outputTokens)),
                "forced": .number(DecimalNumber(statistics.forcedTokens)),
                "drafted": .number(DecimalNumber(statistics.draftedTokens)),
                "accepted": .number(DecimalNumber(statistics.acceptedTokens)),
            ],
            "milliseconds": [
                "load": milliseconds(loadSeconds),
                "compile": milliseconds(compileSeconds),
                "prefill": milliseconds(statistics.prefillSeconds),
                "decode": milliseconds(statistics.decodeSeconds),
                "constraint": milliseconds(statistics.constraintSeconds),
                "sampling": milliseconds(statistics.samplingSeconds),
                "validation": milliseconds(validationSeconds),
                "total": milliseconds(statistics.totalSeconds + validationSeconds),
            ],
            "tokens_per_second": [
                "prefill": rate(fed, statistics.prefillSeconds),
                "output": rate(
                    statistics.outputTokens, statistics.totalSeconds - statistics.prefillSeconds),
            ],
        ]
        if !choices.isEmpty {
            report.append(
                key: "choices",
                value: .array(
                    choices.map { choice in
                        [
                            "pointer": .string(choice.pointer.description),
                            "probabilities": .array(
                                choice.probabilities.map { value, probability in
                                    [
                                        "value": value,
                                        "probability": .number(
                                            DecimalNumber((probability * 1e6).rounded() / 1e6) ?? .zero),
                                    ]
                                }),
                        ]
                    }))
        }
        if !verbatim.isEmpty {
            report.append(
                key: "verbatim",
                value: .array(
                    verbatim.map { place in
                        var entry: JSONObject = ["pointer": .string(place.pointer.description)]
                        if place.isKey { entry.append(key: "key", value: true) }
                        entry.append(key: "start", value: .number(DecimalNumber(place.start)))
                        entry.append(key: "end", value: .number(DecimalNumber(place.end)))
                        entry.append(key: "occurrences", value: .number(DecimalNumber(place.occurrences)))
                        return .object(entry)
                    }))
        }
        return .object(report)
    }
}
