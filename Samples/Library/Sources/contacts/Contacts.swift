// SPDX-License-Identifier: Apache-2.0

import Formwork

/// A person named in the text.
@Structured
struct Contact {
    /// The person's full name.
    @Guide(.length(1...60)) var name: String
    @Guide(description: "What the person does") var role: Role?
    @Guide(.format(.email)) var email: String?
    @Guide(description: "Age in years", .range(0...150)) var age: Int?
}

@Structured
enum Role: String {
    case engineer, manager, writer, other
}

@main
struct Contacts {
    static let text = """
        My colleague Grace Hopper (grace@example.org), 85, is an engineer. Write to her.
        """

    static func main() async throws {
        let text = CommandLine.arguments.dropFirst().joined(separator: " ")
        let session = try await FormworkSession.load(model: "smollm2")
        let stream = session.stream(text.isEmpty ? Self.text : text, to: Contact.self)
        for try await partial in stream {
            print("name so far: \(partial.name ?? "")")
        }
        let result = try await stream.result()
        print("\(result.value)")
        print("\(result.report.valueTokens) tokens in \(result.report.totalTime)")
    }
}
