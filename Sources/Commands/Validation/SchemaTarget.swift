// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation

/// A schema as files, the project file and options name it.
enum SchemaTarget: Hashable, Sendable {
    /// A file, by its path from the working directory.
    case file(String)
    /// An address, without fragment.
    case address(String)
    /// A name in the catalogue.
    case name(String)
    /// The schema of the project file itself.
    case project

    var description: String {
        switch self {
        case .file(let text), .address(let text), .name(let text): text
        case .project: ProjectSchema.name
        }
    }

    /// What a document means with `reference`: an address, or a path from the document's folder.
    init(_ reference: String, in document: String) {
        if let target = Self.location(reference) {
            self = target
        } else {
            let path = Self.withoutFragment(reference)
            let decoded = path.removingPercentEncoding ?? path
            let folder = document == "-" ? nil : document.lastIndex(of: "/").map { document[..<$0] }
            self = .file(Self.joined(folder.map(String.init) ?? "", decoded, isAbsolute: document.hasPrefix("/")))
        }
    }

    /// What the project file means with `reference`: an address, a path from its folder, or a name.
    init(_ reference: String, in project: Project) {
        if let target = Self.location(reference) {
            self = target
        } else {
            let path = project.file(reference)
            let isName = SchemaCatalogue.isName(reference) && !FileManager.default.fileExists(atPath: path)
            self = isName ? .name(reference) : .file(path)
        }
    }

    /// What `--schema` means: a path, an address, or a name where there is no such file.
    init(option: String) {
        if option == "-" || FileManager.default.fileExists(atPath: option) {
            self = .file(option)
        } else if let target = Self.location(option) {
            self = target
        } else {
            // What looks like a file is one that is not there.
            let isFile = ["json", "yaml", "yml"].contains { option.lowercased().hasSuffix("." + $0) }
            self = SchemaCatalogue.isName(option) && !isFile ? .name(option) : .file(option)
        }
    }

    /// A path from a folder, without the steps down and up again that lead nowhere else: a schema that is named from
    /// many folders is the same one.
    private static func joined(_ folder: String, _ path: String, isAbsolute: Bool) -> String {
        var names = folder.split(separator: "/").filter { $0 != "." }
        var rest = path.split(separator: "/", omittingEmptySubsequences: true).filter { $0 != "." }[...]
        let root = isAbsolute ? "/" : ""
        while rest.first == "..", let last = names.last, last != "..",
            // The way up from a link leads elsewhere.
            (try? FileManager.default.destinationOfSymbolicLink(atPath: root + names.joined(separator: "/"))) == nil
        {
            names.removeLast()
            rest = rest.dropFirst()
        }
        return root + (names + rest).joined(separator: "/")
    }

    /// An address or an absolute path; nil for what depends on a folder.
    private static func location(_ reference: String) -> SchemaTarget? {
        guard let scheme = scheme(of: reference) else { return reference.hasPrefix("/") ? .file(reference) : nil }
        let plain = withoutFragment(reference)
        guard scheme == "file" else { return .address(plain) }
        var path = plain.dropFirst("file:".count)
        for start in ["//localhost/", "///"] where path.lowercased().hasPrefix(start) {
            path = path.dropFirst(start.count - 1)
        }
        return .file(path.removingPercentEncoding ?? String(path))
    }

    /// The scheme of an address in lower case; nil for a path.
    static func scheme(of text: String) -> String? {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let scheme = text[..<colon].lowercased()
        // One letter is a drive.
        guard scheme.utf8.count > 1, let first = scheme.utf8.first,
            first >= UInt8(ascii: "a"), first <= UInt8(ascii: "z"),
            scheme.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            })
        else { return nil }
        return scheme
    }

    static func withoutFragment(_ text: String) -> String { String(text.prefix { $0 != "#" }) }

    /// Whether an address points at a part of a schema.
    static func hasFragment(_ text: String) -> Bool {
        guard let mark = text.firstIndex(of: "#") else { return false }
        return text.index(after: mark) < text.endIndex
    }
}

/// A comment at the beginning of a file that names its schema.
struct Modeline: Sendable {
    /// The address or path as written.
    var reference: String
    /// Its bytes in the text.
    var range: Range<Int>

    /// The most bytes that are looked through.
    static let reach = 1 << 16

    /// The first such comment before the first content of YAML or TOML.
    ///
    /// `# yaml-language-server: $schema=REFERENCE`, `# $schema: REFERENCE` and `#:schema REFERENCE` are known.
    static func find(in bytes: [UInt8]) -> Modeline? {
        var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let end = min(bytes.count, reach)
        while start < end {
            var next = start
            while next < end, bytes[next] != 0x0A, bytes[next] != 0x0D { next += 1 }
            defer { start = next + 1 }
            let line = bytes[start..<next]
            let text = line.drop(while: isSpace)
            if text.isEmpty { continue }
            if text.first == UInt8(ascii: "#") {
                // A line that was cut off says half of an address.
                if next < end || end == bytes.count, let found = reference(in: text.dropFirst()) { return found }
                continue
            }
            // Directives and the marker of the first document come before the content.
            if line.first == UInt8(ascii: "%") { continue }
            if text.elementsEqual("---".utf8) || text.starts(with: "--- #".utf8) { continue }
            return nil
        }
        return nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// The reference in a comment, given without its mark.
    private static func reference(in comment: ArraySlice<UInt8>) -> Modeline? {
        var rest = comment
        func skip(_ word: String) -> Bool {
            guard rest.starts(with: word.utf8) else { return false }
            rest = rest.dropFirst(word.utf8.count)
            return true
        }
        if skip(":schema") {
            guard let first = rest.first, isSpace(first) else { return nil }
        } else {
            rest = rest.drop(while: isSpace)
            if skip("yaml-language-server:") {
                rest = rest.drop(while: isSpace)
                guard skip("$schema=") else { return nil }
            } else {
                guard skip("$schema:") else { return nil }
            }
        }
        rest = rest.drop(while: isSpace)
        var value = rest.prefix { !isSpace($0) }
        if let quote = rest.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            value = rest.dropFirst().prefix { $0 != quote }
        }
        guard !value.isEmpty, let text = String(validating: value, as: UTF8.self) else { return nil }
        return Modeline(reference: text, range: value.startIndex..<value.endIndex)
    }
}
