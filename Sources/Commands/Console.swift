// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation

/// Standard output for data, standard error for messages.
enum Console {
    /// Whether messages may be coloured: a terminal, and `NO_COLOR` unset.
    static let colours: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return errorIsTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }()

    static let errorIsTerminal = isatty(2) == 1

    /// Writes bytes to standard output, whole or not at all.
    ///
    /// - Throws: ``CommandFailure`` where the reader has gone or the disk is full.
    static func write(_ bytes: [UInt8]) throws(CommandFailure) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(bytes))
        } catch {
            throw CommandFailure(.unreadable, "cannot write to standard output: \(error.localizedDescription)")
        }
    }

    static func write(_ text: String) throws(CommandFailure) { try write(Array(text.utf8)) }

    static func line(_ text: String) throws(CommandFailure) { try write(text + "\n") }

    /// Writes a message to standard error.
    static func message(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }

    /// Overwrites the current line of the terminal; nothing elsewhere.
    static func progress(_ text: String) {
        guard errorIsTerminal else { return }
        try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K\(text)".utf8))
    }

    static func endProgress() { progress("") }

    /// Reads standard input to its end.
    static func readInput() throws(CommandFailure) -> [UInt8] {
        do {
            return Array(try FileHandle.standardInput.readToEnd() ?? Data())
        } catch {
            throw CommandFailure(.unreadable, "cannot read standard input: \(error.localizedDescription)")
        }
    }

    /// Reads a file, or standard input for `-`.
    static func read(_ path: String, limit: Int = 256 << 20) throws(CommandFailure) -> [UInt8] {
        if path == "-" { return try readInput() }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CommandFailure(.unreadable, "there is no file '\(path)'")
        }
        guard !isFolder.boolValue else { throw CommandFailure(.unreadable, "'\(path)' is a folder") }
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
            guard data.count <= limit else {
                throw CommandFailure(.unreadable, "'\(path)' has \(data.count) bytes; the limit is \(limit)")
            }
            if path.lowercased().hasSuffix(".gz") { return try GzipReader.decompress(Array(data), limit: limit) }
            return Array(data)
        } catch let failure as CommandFailure {
            throw failure
        } catch let failure as CompressionError {
            throw CommandFailure(.unreadable, "cannot read '\(path)': \(failure.message)")
        } catch {
            throw CommandFailure(.unreadable, "cannot read '\(path)': \(error.localizedDescription)")
        }
    }

    /// Writes a file under a temporary name and renames it, so that the old one stays whole if anything fails.
    ///
    /// A link is followed, and what is no regular file, such as a device or a pipe, is written as it is.
    static func writeFile(_ path: String, _ text: String) throws(CommandFailure) {
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        do {
            let attributes = try? FileManager.default.attributesOfItem(atPath: target.path)
            let type = attributes?[.type] as? FileAttributeType
            if type == nil || type == .typeRegular {
                try Data(text.utf8).write(to: target, options: .atomic)
                // A new file would have lost the mode of the old one.
                if let mode = attributes?[.posixPermissions] {
                    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: target.path)
                }
            } else {
                let handle = try FileHandle(forWritingTo: target)
                try handle.write(contentsOf: Data(text.utf8))
                try handle.close()
            }
        } catch {
            throw CommandFailure(.unreadable, "cannot write '\(path)': \(error.localizedDescription)")
        }
    }
}

extension Console {
    /// Prints diagnostics with the source lines they point at.
    static func report(_ diagnostics: [Diagnostic], sources: [SourceText] = []) {
        guard !diagnostics.isEmpty else { return }
        message(DiagnosticRenderer(sources: sources, color: colours).text(diagnostics))
    }

    /// Prints one error line.
    static func error(_ text: String) {
        message(colours ? "\u{1B}[1;31merror:\u{1B}[0m \(text)" : "error: \(text)")
    }
}
