// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Constraints

/// `--whitespace`.
enum Whitespace: String, CaseIterable, ExpressibleByArgument {
    case compact, spaced, pretty, flexible

    var spelling: SpellingProfile.Whitespace {
        switch self {
        case .compact: .compact
        case .spaced: .spaced
        case .pretty: .pretty(indent: 2)
        case .flexible: .flexible(maxRun: 8)
        }
    }
}

/// `--key-order`.
enum KeyOrder: String, CaseIterable, ExpressibleByArgument {
    case schema, any

    var spelling: SpellingProfile.KeyOrder { self == .any ? .any : .schema }
}

/// How JSON is spelled while it is generated.
struct SpellingArguments: ParsableArguments {
    @Option(
        name: .long,
        help: """
            White space in the generated JSON: compact, spaced (one space after ':' and ','), pretty, or flexible (up to \
            8 white space characters wherever JSON allows them).
            """)
    var whitespace: Whitespace?

    @Option(name: .long, help: "The order of keys: schema (as the schema names them, then others), or any.")
    var keyOrder: KeyOrder = .schema

    /// The profile that the arguments ask for.
    func profile(default whitespace: Whitespace) -> SpellingProfile {
        SpellingProfile(whitespace: (self.whitespace ?? whitespace).spelling, keyOrder: keyOrder.spelling)
    }
}
