// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Documents
import Foundation
import JSONSchemas

struct FormatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "format",
        abstract: "Lay out JSON, JSON with comments, JSON5, JSON Lines, YAML and TOML, or write one as another.",
        discussion: """
            Changes white space and commas only, unless options or formwork.yaml ask for more: comments, key order and
            the spelling of numbers and strings stay, and so do anchors, tags, markers and block scalars of YAML. Prints
            the result, or rewrites the files with --write. A file with a mistake is left alone. Exit status 2 where a
            file is wrong, or with --check or --diff would change, 4 where its schema is wrong.

            EXAMPLE
              formwork format --write settings.jsonc pyproject.toml compose.yaml
              formwork format --check config 'deploy/**/*.toml'
              formwork format --stdin-filename x.toml < x.toml
              formwork format --to json compose.yaml
              formwork format --order schema --defaults drop --schema service.json service.yaml
            """
    )

    @Flag(name: .long, help: "Print the names of files that would change, and nothing else.")
    var check = false

    @Flag(name: .long, help: "Print what would change.")
    var diff = false

    @Flag(name: .shortAndLong, help: "Rewrite files that change, each whole or not at all.")
    var write = false

    @Flag(
        name: .customLong("repair"),
        help: "Mend files with mistakes in the notation first, as 'formwork repair' does without a schema.")
    var repairs = false

    @Option(name: .long, help: "The name that tells the notation of standard input.")
    var stdinFilename: String?

    @Option(name: .long, help: "Spaces for each level. (default: \(FormatOptions().indent))")
    var indent: Int?

    @Option(name: .long, help: "Characters that a line should not exceed. (default: \(FormatOptions().width))")
    var width: Int?

    @Option(name: .long, help: "Whether YAML sequences below a key are indented or flush with it. (default: indented)")
    var sequences: SequenceLayout?

    @Option(
        name: .long,
        help:
            "The quotes of text in YAML and TOML where nothing has to be escaped: keep, double, single. (default: keep)"
    )
    var quotes: QuoteStyle?

    @Option(
        name: .long,
        help:
            "The order of members, with their comments: keep, schema (as it names them), alphabetical. (default: keep)")
    var order: MemberOrder?

    @Option(
        name: .long,
        help:
            "Members with a default in the schema: keep, fill (add absent ones), drop (remove them). (default: keep)"
    )
    var defaults: DefaultsPolicy?

    @Option(
        name: .shortAndLong,
        help: "The schema for --order and --defaults; by default each file's own, as for 'formwork validate'.")
    var schema: String?

    @OptionGroup var schemaArguments: SchemaArguments

    @Option(
        name: .long,
        help: """
            Write the value in another notation: json, jsonl, yaml, toml, csv. In JSON Lines and CSV each element of \
            an array is a line.
            """)
    var to: TargetNotation?

    @Flag(name: .long, help: "Do not warn of comments that are lost in another notation.")
    var dropComments = false

    @OptionGroup var projectArguments: ProjectArguments

    @Argument(
        help: "Files, folders, globs such as 'config/**/*.yaml'; '-' or nothing is standard input.",
        completion: .file())
    var files: [String] = []

    func validate() throws {
        if write && (check || diff) { throw ValidationError("--write goes with neither --check nor --diff") }
        if write && (files.isEmpty || files.contains("-")) { throw ValidationError("--write needs files") }
        if to != nil, write || check || diff {
            throw ValidationError("--to goes with none of --write, --check and --diff")
        }
        if to == nil, dropComments { throw ValidationError("--drop-comments needs --to") }
        if let indent, !(1...16).contains(indent) { throw ValidationError("--indent must lie between 1 and 16") }
        if let width, !(20...10_000).contains(width) { throw ValidationError("--width must lie between 20 and 10000") }
    }

    func run() throws {
        var worst = ExitStatus.ok
        var changed = 0
        let project = try projectArguments.find()
        let defaults = FormatOptions()
        let options = FormatOptions(
            indent: indent ?? project?.indent ?? defaults.indent, width: width ?? project?.width ?? defaults.width,
            indentsSequences: (sequences ?? project?.sequences ?? .indented) == .indented)
        let arranger = try FileArranger(self, project: project)
        let selected = try FileSelection.files(files, project: project)
        if let to, to != .jsonl, selected.count > 1 {
            throw CommandFailure(.usage, "--to \(to.rawValue) takes one file, and here are \(selected.count)")
        }
        for file in selected {
            // Found files that are compressed are somebody's data.
            if !file.isNamed, file.path.lowercased().hasSuffix(".gz") { continue }
            do {
                if let problem = file.problem { throw CommandFailure(.unreadable, diagnostics: [problem]) }
                if try format(file, options, arranger) { changed += 1 }
            } catch let problem as SchemaProblem {
                Console.report([problem.diagnostic])
                if worst == .ok || worst == .dataInvalid { worst = .schemaInvalid }
            } catch {
                let status = Formwork.report(error)
                // What is wrong is data here, whatever the notation.
                let isData = status == .schemaInvalid
                if worst == .ok || status == .internalError { worst = isData ? .dataInvalid : status }
            }
        }
        if worst == .ok, changed > 0, check || diff { worst = .dataInvalid }
        if worst != .ok { throw CommandFailure(worst) }
    }

    /// The text without the mistakes that can be mended; each is told.
    private func repaired(_ text: [UInt8], _ name: String, _ path: String) -> [UInt8] {
        let repair = Repairer.repair(text, file: path == "-" ? stdinFilename : path, validator: nil)
        guard repair.outcome == .repaired else { return text }
        for change in repair.changes { Console.message(RepairReport.line(change, name: name)) }
        return repair.bytes
    }

    /// Formats one file; says whether it would change, or has.
    private func format(_ file: SelectedFile, _ options: FormatOptions, _ arranger: FileArranger) throws -> Bool {
        let path = file.path
        if write, path.lowercased().hasSuffix(".gz") {
            throw CommandFailure(.unsupported, "'\(path)' is compressed and cannot be rewritten")
        }
        let old = try Console.read(path)
        let name = path == "-" ? stdinFilename ?? "<stdin>" : path
        let arranged = try arranger.arrange(repairs ? repaired(old, name, path) : old, name, file)
        if let to {
            let converter = FileConverter(target: to, options: options, dropsComments: dropComments)
            try Console.write(converter.convert(arranged, name: name))
            return false
        }
        let new = try DocumentFormatter.format(arranged, file: name, options: options)
        let isChanged = old != new
        if check, isChanged { try Console.line(name) }
        if diff, isChanged {
            try Console.write(LineDifference.unified(old, new, oldName: "a/\(name)", newName: "b/\(name)"))
        }
        if write {
            if isChanged { try Console.writeFile(path, String(decoding: new, as: UTF8.self)) }
        } else if !check, !diff {
            try Console.write(new)
        }
        return isChanged
    }
}

enum SequenceLayout: String, CaseIterable, ExpressibleByArgument {
    case indented, flush
}
