// SPDX-License-Identifier: Apache-2.0

/// The format `regex`: texts that ECMA-262 accepts as regular expressions.
enum RegularExpressionSyntax {
    static func isValid(_ text: String) -> Bool {
        var parser = PatternParser(text, mode: .syntaxOnly)
        do {
            _ = try parser.parse()
            return true
        } catch {
            // What this engine does not support is still a regular expression.
            return error.code != .syntax
        }
    }
}
