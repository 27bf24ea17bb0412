// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation

/// The texts that the reports for other programs have in common.
enum ReportText {
    /// The path of a file as the hosts of code want it: from the top of the checkout, without `./`; nil for standard
    /// input.
    ///
    /// - Parameter top: The folder of the checkout; by default where `GITHUB_WORKSPACE` or `CI_PROJECT_DIR` says.
    static func path(_ file: String?, top: String? = Self.checkout) -> String? {
        guard var path = file, path != "<stdin>" else { return nil }
        if let top, !top.isEmpty {
            let folder = top.hasSuffix("/") ? top : top + "/"
            if path.hasPrefix(folder) { path.removeFirst(folder.count) }
        }
        while path.hasPrefix("./") { path.removeFirst(2) }
        return path
    }

    private static let checkout: String? = {
        let environment = ProcessInfo.processInfo.environment
        return environment["GITHUB_WORKSPACE"] ?? environment["CI_PROJECT_DIR"]
    }()

    /// The message, with the notes and the help on lines of their own.
    static func full(_ diagnostic: Diagnostic) -> String {
        var lines = [diagnostic.message]
        for note in diagnostic.notes {
            let place = note.range.map { "\($0.start): " } ?? ""
            lines.append("note: \(place)\(note.message)")
        }
        if let help = diagnostic.help { lines.append("help: \(help)") }
        return lines.map(DiagnosticRenderer.printable).joined(separator: "\n")
    }

    /// The values of a fingerprint's problem that stay the same when lines move.
    static func identity(_ diagnostic: Diagnostic, file: String?) -> String {
        [
            diagnostic.id.rawValue, file ?? "", diagnostic.path?.description ?? "",
            diagnostic.message,
        ].joined(separator: "\u{0}")
    }

    /// 128 bits of a text as 32 hexadecimal digits: stable over runs and versions, not meant against intent.
    static func digest(_ text: String) -> String {
        // FNV-1a from two starting points, the second over the text with a mark before it.
        func hash(_ bytes: some Sequence<UInt8>) -> String {
            var value: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return hash(text.utf8) + hash([0xFF] + Array(text.utf8))
    }
}

/// Fingerprints that are unique in a report.
struct Fingerprints {
    private var counts: [String: Int] = [:]

    /// The fingerprint of a problem; the second of several that look alike has another one than the first.
    mutating func next(_ diagnostic: Diagnostic, file: String?) -> String {
        let identity = ReportText.identity(diagnostic, file: file)
        let number = counts[identity, default: 0]
        counts[identity] = number + 1
        return ReportText.digest(number == 0 ? identity : "\(identity)\u{0}\(number)")
    }
}
