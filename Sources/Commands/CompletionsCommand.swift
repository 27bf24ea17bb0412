// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// `formwork completions`.
struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Print a script with which the shell completes commands, options and files.",
        discussion: """
            EXAMPLE
              formwork completions bash > ~/.local/share/bash-completion/completions/formwork
              formwork completions zsh > "${fpath[1]}/_formwork"
              formwork completions fish > ~/.config/fish/completions/formwork.fish
            """
    )

    enum Shell: String, CaseIterable, ExpressibleByArgument {
        case bash, zsh, fish

        var parserShell: CompletionShell {
            switch self {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        }
    }

    @Argument(help: "bash, zsh or fish; by default the shell that SHELL names.")
    var shell: Shell?

    func run() throws {
        let name = ProcessInfo.processInfo.environment["SHELL"]?.split(separator: "/").last.map(String.init)
        guard let shell = shell ?? name.flatMap(Shell.init(rawValue:)) else {
            throw CommandFailure(.usage, "say which shell: bash, zsh or fish")
        }
        try Console.line(Formwork.completionScript(for: shell.parserShell))
    }
}
