// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Documents
import Foundation

/// `formwork manual`.
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual",
        abstract: "Print the manual pages, in the form that 'man' reads.",
        discussion: """
            EXAMPLE
              formwork manual | man -l -
              formwork manual schema diff | man -l -
              formwork manual --folder ~/.local/share/man/man1
            """
    )

    @Option(name: .long, help: "Write all pages into this folder instead.", completion: .directory)
    var folder: String?

    @Argument(help: "A command, such as 'validate' or 'schema diff'; by default the page about all of them.")
    var command: [String] = []

    func validate() throws {
        if folder != nil, !command.isEmpty { throw ValidationError("--folder writes all pages; name no command") }
    }

    func run() throws {
        let pages = try ManualPage.all()
        guard let folder else {
            let name = command.first.map { "formwork-\($0)" } ?? "formwork"
            guard let page = pages.first(where: { $0.name == name && $0.describes(command.dropFirst()) }) else {
                throw CommandFailure(.usage, "there is no command '\(command.joined(separator: " "))'")
            }
            return try Console.write(page.text)
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure(.unreadable, "cannot make the folder '\(folder)': \(error.localizedDescription)")
        }
        for page in pages { try Console.writeFile("\(folder)/\(page.name).1", page.text) }
        Console.message("wrote \(pages.count) pages to \(folder)")
    }
}

/// A page of the manual in the language of troff's `man` macros.
///
/// It is made of what the argument parser knows about the commands, so that it says what `--help` says.
struct ManualPage {
    let name: String
    private(set) var text = ""
    /// The names of the commands below it that it describes.
    private var partNames: [String] = []

    /// The page about the program, and one for each of its commands.
    static func all() throws -> [ManualPage] {
        let root = try JSONReader.read(Formwork._dumpHelp()).root
        guard let command = root["command"] else {
            throw CommandFailure(.internalError, "the argument parser does not describe its commands")
        }
        let commands = (command["subcommands"].map { Array($0.elements) } ?? []).filter(isShown)
        return [ManualPage(program: command, commands)] + commands.map(ManualPage.init(command:))
    }

    /// Whether the page is about what the words behind its own command name.
    func describes(_ words: ArraySlice<String>) -> Bool {
        words.isEmpty || words.count == 1 && words.allSatisfy { partNames.contains($0) }
    }

    private static func isShown(_ node: Node) -> Bool { node["shouldDisplay"]?.boolValue != false }

    private static func name(of command: Node) -> String { command["commandName"]?.stringValue ?? "" }

    private init(program: Node, _ commands: [Node]) {
        name = "formwork"
        begin(program["abstract"]?.stringValue)
        line(".SH SYNOPSIS")
        line(".B formwork")
        line(".I command")
        line("[\\fIoptions\\fR] [\\fIarguments\\fR]")
        describe(program)
        line(".SH COMMANDS")
        for command in commands {
            let name = Self.name(of: command)
            line(".TP")
            line(".BR formwork\\-\(Self.escaped(name)) (1)")
            line(Self.escaped(command["abstract"]?.stringValue ?? ""))
        }
        options(of: program, heading: ".SH OPTIONS")
        line(".SH FILES")
        line(".TP\n.I formwork.yaml\nWhich files have which schemas, and settings; in the folder or one above it.")
        line(".SH ENVIRONMENT")
        line(".TP\n.B FORMWORK_HOME\nWhere models and added schemas are kept.")
        line(".TP\n.B FORMWORK_SCHEMAS\nThe folder of the catalogue of schemas.")
        line(".TP\n.B NO_COLOR\nMessages are not coloured.")
        let pages = commands.map { ".BR formwork\\-\(Self.escaped(Self.name(of: $0))) (1)" }
        line(".SH SEE ALSO")
        line(pages.joined(separator: ",\n"))
    }

    private init(command: Node) {
        name = "formwork-" + Self.name(of: command)
        begin(command["abstract"]?.stringValue)
        let parts = (command["subcommands"].map { Array($0.elements) } ?? []).filter(Self.isShown)
        partNames = parts.map(Self.name)
        line(".SH SYNOPSIS")
        if parts.isEmpty {
            synopsis(of: command, ["formwork", Self.name(of: command)])
        } else {
            for part in parts where Self.name(of: part) != "help" {
                synopsis(of: part, ["formwork", Self.name(of: command), Self.name(of: part)])
                line(".br")
            }
        }
        describe(command)
        options(of: command, heading: ".SH OPTIONS")
        for part in parts where Self.name(of: part) != "help" {
            line(".SH \(Self.escaped(Self.name(of: part).uppercased()))")
            if let abstract = part["abstract"]?.stringValue { line(Self.escaped(abstract)) }
            describe(part, heading: ".PP")
            options(of: part, heading: ".PP")
        }
        line(".SH SEE ALSO\n.BR formwork (1)")
    }

    // MARK: Parts

    private mutating func line(_ text: String) { self.text += text + "\n" }

    private mutating func begin(_ abstract: String?) {
        line(
            ".TH \(Self.escaped(name.uppercased())) 1 \"\" \"formwork \(Formwork.configuration.version)\" \"Formwork\"")
        line(".SH NAME")
        var summary = abstract ?? ""
        if summary.hasSuffix(".") { summary.removeLast() }
        line("\(Self.escaped(name)) \\- \(Self.escaped(summary))")
    }

    private mutating func synopsis(of command: Node, _ names: [String]) {
        line(".B " + Self.escaped(names.joined(separator: " ")))
        line("[\\fIoptions\\fR]")
        for argument in (command["arguments"].map { Array($0.elements) } ?? []).filter(Self.isShown)
        where argument["kind"]?.stringValue == "positional" {
            let value = "\\fI\(Self.escaped(argument["valueName"]?.stringValue ?? "value"))\\fR"
            let repeated = argument["isRepeating"]?.boolValue == true ? value + " ..." : value
            line(argument["isOptional"]?.boolValue == true ? "[\(repeated)]" : repeated)
        }
    }

    /// Running text, with the lines below EXAMPLE as they are.
    private mutating func describe(_ command: Node, heading: String = ".SH DESCRIPTION") {
        guard let discussion = command["discussion"]?.stringValue, !discussion.isEmpty else { return }
        line(heading)
        var isExample = false
        for part in discussion.split(separator: "\n", omittingEmptySubsequences: false) {
            if part == "EXAMPLE" {
                line(".PP\nExamples:\n.PP\n.nf\n.RS 4")
                isExample = true
            } else if part.isEmpty, !isExample {
                line(".PP")
            } else {
                line(Self.escaped(String(isExample && part.hasPrefix("  ") ? part.dropFirst(2) : part)))
            }
        }
        if isExample { line(".RE\n.fi") }
    }

    private mutating func options(of command: Node, heading: String) {
        let all = (command["arguments"].map { Array($0.elements) } ?? []).filter(Self.isShown)
        guard !all.isEmpty else { return }
        line(heading)
        for argument in all {
            let value = Self.escaped(argument["valueName"]?.stringValue ?? "value")
            line(".TP")
            if argument["kind"]?.stringValue == "positional" {
                line("\\fI\(value)\\fR")
            } else {
                let names = (argument["names"].map { Array($0.elements) } ?? []).map { name in
                    let text = Self.escaped(name["name"]?.stringValue ?? "")
                    return "\\fB" + (name["kind"]?.stringValue == "long" ? "\\-\\-" : "\\-") + text + "\\fR"
                }
                let takesValue = argument["kind"]?.stringValue == "option"
                line(names.joined(separator: ", ") + (takesValue ? " \\fI\(value)\\fR" : ""))
            }
            var sentence = argument["abstract"]?.stringValue ?? ""
            if let fallback = argument["defaultValue"]?.stringValue, !fallback.isEmpty, !sentence.contains("(default") {
                sentence += " (default: \(fallback))"
            }
            line(Self.escaped(sentence.isEmpty ? " " : sentence))
        }
    }

    /// Text that troff takes as it is.
    static func escaped(_ text: String) -> String {
        var result = ""
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if index > 0 { result += "\n" }
            // A dot or quote at the beginning of a line would be a request.
            if line.hasPrefix(".") || line.hasPrefix("'") { result += "\\&" }
            for character in line {
                switch character {
                case "\\": result += "\\e"
                case "-": result += "\\-"
                case "'": result += "\\(aq"
                case "`": result += "\\(ga"
                case "^": result += "\\(ha"
                case "~": result += "\\(ti"
                default: result.append(character)
                }
            }
        }
        return result
    }
}
