// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser

/// The `formwork` command.
public struct Formwork: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "formwork",
        abstract: "Turn text into schema-valid JSON with a small language model on your own machine."
    )

    public init() {}
}
