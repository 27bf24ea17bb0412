// SPDX-License-Identifier: Apache-2.0

/// The scripts that `\p{Script=…}` knows.
enum UnicodeScript {
    static func set(named name: String) -> ScalarSet? {
        nil
    }
}
