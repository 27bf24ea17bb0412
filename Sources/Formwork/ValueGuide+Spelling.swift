// SPDX-License-Identifier: Apache-2.0

import Documents

extension ValueGuide {
    /// A value as the guides want it written: dates may be written without the time.
    func respell(_ value: JSONValue) -> JSONValue { Self.respell(value, rules) }

    private static func respell(_ value: JSONValue, _ rules: [GuideRule]) -> JSONValue {
        rules.reduce(value) { value, rule in
            switch (rule.effect, value) {
            case (.dateFormat(.day), .string(let text)): .string(String(text.prefix(10)))
            case (.elements(let rules), .array(let elements)): .array(elements.map { respell($0, rules) })
            case (.values(let rules), .object(let object)):
                .object(JSONObject(object.map { (key: $0.key, value: respell($0.value, rules)) }))
            default: value
            }
        }
    }
}
