// SPDX-License-Identifier: Apache-2.0

package import SwiftSyntax

/// Reads descriptions out of documentation comments.
package enum Documentation {
    /// The first paragraph of the comment before a declaration, on one line; nil where there is none.
    package static func summary(of declaration: some SyntaxProtocol) -> String? {
        // A comment may stand before the attributes, or between them and the rest.
        var token = declaration.firstToken(viewMode: .sourceAccurate)
        let attributesEnd = attributes(of: declaration)?.endPosition
        var found = token.flatMap { paragraph($0.leadingTrivia) }
        if found == nil, let attributesEnd {
            token = attributesLast(declaration)?.nextToken(viewMode: .sourceAccurate)
            if let token, token.position >= attributesEnd { found = paragraph(token.leadingTrivia) }
        }
        return found
    }

    private static func attributes(of declaration: some SyntaxProtocol) -> AttributeListSyntax? {
        declaration.asProtocol((any WithAttributesSyntax).self)?.attributes
    }

    private static func attributesLast(_ declaration: some SyntaxProtocol) -> TokenSyntax? {
        attributes(of: declaration)?.lastToken(viewMode: .sourceAccurate)
    }

    /// The first paragraph of the documentation comment that ends the trivia.
    private static func paragraph(_ trivia: Trivia) -> String? {
        var lines: [Substring] = []
        var newlines = 0
        for piece in trivia {
            switch piece {
            case .newlines(let count), .carriageReturnLineFeeds(let count), .carriageReturns(let count):
                newlines += count
            case .docLineComment(let text):
                // A comment apart from the last one belongs to something else.
                if newlines > 1 { lines.removeAll() }
                newlines = 0
                lines.append(text.dropFirst(3))
            case .docBlockComment(let text):
                newlines = 0
                lines = block(text)
            default: break
            }
        }
        let words = lines.map { $0.split(whereSeparator: \.isWhitespace) }
        let summary = words.drop(while: \.isEmpty).prefix { !$0.isEmpty }.joined()
        return summary.isEmpty ? nil : summary.joined(separator: " ")
    }

    /// The lines between `/**` and `*/`, without the stars that lead them.
    private static func block(_ text: String) -> [Substring] {
        text.dropFirst(3).dropLast(2).split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let rest = line.drop(while: \.isWhitespace)
            return rest.first == "*" ? rest.dropFirst() : rest
        }
    }
}
