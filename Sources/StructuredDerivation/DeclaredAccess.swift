// SPDX-License-Identifier: Apache-2.0

import SwiftSyntax

/// Who may use a declaration, narrowest first.
enum DeclaredAccess: Int, Comparable {
    case file, usual, package, `public`

    init(_ modifiers: DeclModifierListSyntax) {
        // `private(set)` is about writing alone.
        let names = modifiers.filter { $0.detail == nil }.map(\.name.text)
        if names.contains("private") || names.contains("fileprivate") {
            self = .file
        } else if names.contains("public") || names.contains("open") {
            self = .public
        } else {
            self = names.contains("package") ? .package : .usual
        }
    }

    /// The modifier with a space behind it, or nothing.
    var modifier: String {
        switch self {
        case .file: "fileprivate "
        case .usual: ""
        case .package: "package "
        case .public: "public "
        }
    }

    static func < (a: DeclaredAccess, b: DeclaredAccess) -> Bool { a.rawValue < b.rawValue }
}
