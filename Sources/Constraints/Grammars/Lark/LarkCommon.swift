// SPDX-License-Identifier: Apache-2.0

/// The terminals of Lark's library `common`, as regular expressions.
enum LarkCommon {
    static let terminals: [String: String] = {
        let int = "[0-9]+"
        let exponent = "[eE][+-]?[0-9]+"
        let decimal = #"(?:[0-9]+\.[0-9]*|\.[0-9]+)"#
        let float = "(?:\(int)\(exponent)|\(decimal)(?:\(exponent))?)"
        return [
            "DIGIT": "[0-9]",
            "HEXDIGIT": "[0-9a-fA-F]",
            "INT": int,
            "SIGNED_INT": "[+-]?\(int)",
            "DECIMAL": decimal,
            "_EXP": exponent,
            "FLOAT": float,
            "SIGNED_FLOAT": "[+-]?\(float)",
            "NUMBER": "(?:\(float)|\(int))",
            "SIGNED_NUMBER": "[+-]?(?:\(float)|\(int))",
            "ESCAPED_STRING": #""(?:[^"\\\n]|\\[^\n])*""#,
            "LCASE_LETTER": "[a-z]",
            "UCASE_LETTER": "[A-Z]",
            "LETTER": "[A-Za-z]",
            "WORD": "[A-Za-z]+",
            "CNAME": "[_A-Za-z][_A-Za-z0-9]*",
            "WS_INLINE": #"[ \t]+"#,
            "WS": #"[ \t\f\r\n]+"#,
            "CR": #"\r"#,
            "LF": #"\n"#,
            "NEWLINE": #"(?:\r?\n)+"#,
            "SH_COMMENT": #"#[^\n]*"#,
            "CPP_COMMENT": #"//[^\n]*"#,
            "C_COMMENT": #"/\*(?:[^*]|\*+[^*/])*\*+/"#,
            "SQL_COMMENT": #"--[^\n]*"#,
        ]
    }()
}
