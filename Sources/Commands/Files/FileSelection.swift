// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation

/// A file to work on.
struct SelectedFile: Sendable {
    /// As the user gave it, or found below what the user gave; `-` is standard input.
    var path: String
    /// Whether the user named it, as against a file that was found in a folder or by a glob.
    var isNamed: Bool
    /// Why there is nothing to read.
    var problem: Diagnostic?

    /// The name in messages.
    var name: String { path == "-" ? "<stdin>" : path }
}

/// Finds the files that arguments stand for: files, folders, and globs that the shell has left alone.
///
/// In folders, files with a known ending are taken; hidden ones, `node_modules` and links to folders are passed over.
struct FileSelection {
    /// Bounds on one selection.
    struct Limits {
        var files = 200_000
        /// Entries of folders that are looked at.
        var entries = 2_000_000
        var depth = 200
    }

    private let project: Project?
    private let limits: Limits
    private var entries = 0
    private var found: [SelectedFile] = []
    private var seen: Set<String> = []

    /// The files that `arguments` stand for, each once; standard input where there are none.
    ///
    /// - Parameter project: Says which found files are left out.
    /// - Throws: ``CommandFailure`` where there are more than the limits allow.
    static func files(
        _ arguments: [String], project: Project?, limits: Limits = Limits()
    ) throws(CommandFailure) -> [SelectedFile] {
        var selection = FileSelection(project: project, limits: limits)
        for argument in arguments.isEmpty ? ["-"] : arguments { try selection.add(argument) }
        return selection.found
    }

    private init(project: Project?, limits: Limits) {
        self.project = project
        self.limits = limits
    }

    private enum Kind { case file, folder, other }

    /// What lies at a path, links followed; nil for nothing.
    private static func kind(_ path: String) -> Kind? {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        switch information.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .other
        }
    }

    private static func isLink(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFLNK
    }

    private mutating func add(_ argument: String) throws(CommandFailure) {
        if argument == "-" { return try take(SelectedFile(path: argument, isNamed: true)) }
        switch Self.kind(argument) {
        case .folder: try add(folder: argument)
        case nil where GlobPattern.isPattern(argument): try add(glob: argument)
        // What is not there is reported when it is opened.
        default: try take(SelectedFile(path: argument, isNamed: true))
        }
    }

    private mutating func add(folder: String) throws(CommandFailure) {
        let alternative = GlobPattern.Alternative(isAbsolute: false, segments: [.anyDepth])
        let before = found.count
        let isAny = try walk(alternative, from: folder, places: alternative.start, needsKnownEnding: true)
        if found.count == before, !isAny {
            try take(
                SelectedFile(
                    path: folder, isNamed: true,
                    problem: Diagnostic(
                        "input.no-files", "the folder '\(folder)' holds no files that can be read here",
                        help:
                            "files are known by their ending: .json, .jsonc, .json5, .yaml, .toml, .jsonl and a few more"
                    )))
        }
    }

    private mutating func add(glob text: String) throws(CommandFailure) {
        let glob: GlobPattern
        do throws(GlobPattern.Problem) {
            glob = try GlobPattern(text)
        } catch {
            throw CommandFailure(.usage, error.message)
        }
        var isAny = false
        for alternative in glob.alternatives {
            // Names without wildcards lead to the folder that the search starts in.
            var base: [String] = []
            var places = alternative.start
            for case .literal(let name) in alternative.segments.dropLast().prefix(while: Self.isLiteral) {
                base.append(name)
                places = alternative.advance(places, name, takesHidden: true)
            }
            let folder = (alternative.isAbsolute ? "/" : "") + base.joined(separator: "/")
            guard Self.kind(folder.isEmpty ? "." : folder) == .folder else { continue }
            let isFound = try walk(
                alternative, from: folder, places: places, needsKnownEnding: !alternative.spellsEnding)
            isAny = isAny || isFound
        }
        if !isAny {
            try take(
                SelectedFile(
                    path: text, isNamed: true, problem: Diagnostic("input.no-files", "no file matches '\(text)'")))
        }
    }

    private static func isLiteral(_ segment: GlobPattern.Segment) -> Bool {
        if case .literal = segment { return true }
        return false
    }

    /// Takes the files below a folder that a pattern is for, in the order of their names; says whether there are any,
    /// be they taken or not.
    private mutating func walk(
        _ pattern: GlobPattern.Alternative, from start: String, places: [Int], needsKnownEnding: Bool
    ) throws(CommandFailure) -> Bool {
        var isAny = false
        var start = start
        while start.utf8.count > 1, start.hasSuffix("/") { start.removeLast() }
        while start.hasPrefix("./") { start.removeFirst(2) }
        if start == "." { start = "" }
        enum Task {
            case file(String)
            case folder(String, [Int], depth: Int)
        }
        var left = [Task.folder(start, places, depth: 0)]
        while let task = left.popLast() {
            switch task {
            case .file(let path):
                isAny = true
                if project?.excludes(path) != true { try take(SelectedFile(path: path, isNamed: false)) }
            case .folder(let folder, let places, let depth):
                let names: [String]
                do {
                    names = try FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)
                } catch {
                    try take(
                        SelectedFile(
                            path: folder, isNamed: false,
                            problem: Diagnostic("input.unreadable", "cannot read the folder '\(folder)'")))
                    continue
                }
                entries += names.count
                guard entries <= limits.entries else {
                    throw CommandFailure(.unsupported, "more than \(limits.entries) files and folders to look at")
                }
                // The last one that is put down is taken up first.
                for name in names.sorted(by: >) {
                    let path = folder.isEmpty ? name : folder == "/" ? "/" + name : folder + "/" + name
                    // `**` enters neither packages of others nor, so that it comes to an end, links.
                    let next = pattern.advance(
                        places, name, takesHidden: false, entersAnyDepth: name != "node_modules")
                    guard !next.isEmpty else { continue }
                    switch Self.kind(path) {
                    case .file:
                        guard pattern.accepts(next) else { continue }
                        if needsKnownEnding, DocumentReader.format(ofFile: name) == nil { continue }
                        left.append(.file(path))
                    case .folder:
                        let onward =
                            Self.isLink(path)
                            ? pattern.advance(places, name, takesHidden: false, entersAnyDepth: false) : next
                        guard onward.contains(where: { $0 < pattern.segments.count }) else { continue }
                        if project?.excludes(path) == true {
                            isAny = true
                            continue
                        }
                        guard depth < limits.depth else {
                            throw CommandFailure(.unsupported, "'\(path)' is nested more than \(limits.depth) deep")
                        }
                        left.append(.folder(path, onward, depth: depth + 1))
                    case .other, nil: continue
                    }
                }
            }
        }
        return isAny
    }

    private mutating func take(_ file: SelectedFile) throws(CommandFailure) {
        var key = file.path
        while key.hasPrefix("./") { key.removeFirst(2) }
        // Standard input can be read once only; that it is given twice is for the reader to find out.
        guard seen.insert(key).inserted || file.path == "-" else { return }
        guard found.count < limits.files else {
            throw CommandFailure(.unsupported, "more than \(limits.files) files are selected")
        }
        found.append(file)
    }
}
