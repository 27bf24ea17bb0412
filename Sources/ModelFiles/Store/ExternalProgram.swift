// SPDX-License-Identifier: Apache-2.0

package import Foundation

/// A program of the system that one step is left to.
package enum ExternalProgram {
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    /// The full path of `name` on `PATH`, or nil.
    static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        for folder in path.split(separator: ":") {
            let candidate = "\(folder)/\(name)"
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        return nil
    }

    /// Runs `executable`, waits, and returns what it printed.
    static func run(_ executable: String, _ arguments: [String]) throws(ModelStoreError) -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        // Standard error goes to a file: two pipes read one after the other can block each other.
        let errorFile = FileManager.default.temporaryDirectory.appendingPathComponent("formwork-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: errorFile.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: errorFile) }
        process.standardOutput = output
        process.standardError = (try? FileHandle(forWritingTo: errorFile)) ?? FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw ModelStoreError(.toolFailed, "cannot start '\(executable)'", cause: error)
        }
        let data = (try? output.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        let errors = (try? Data(contentsOf: errorFile)) ?? Data()
        return Outcome(
            status: process.terminationStatus,
            output: String(decoding: data, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self)
        )
    }

    /// SHA-256 of a file in hexadecimal, by `sha256sum` or `shasum`.
    ///
    /// - Throws: ``ModelStoreError`` where neither is there, or the file cannot be read.
    package static func sha256(of file: URL) throws(ModelStoreError) -> String {
        let outcome: Outcome
        if let program = find("sha256sum") {
            outcome = try run(program, ["-b", "--", file.path])
        } else if let program = find("shasum") {
            outcome = try run(program, ["-a", "256", file.path])
        } else {
            throw ModelStoreError(
                .toolFailed, "neither 'sha256sum' nor 'shasum' is on PATH; install coreutils for checksums"
            )
        }
        // A leading backslash marks an escaped file name.
        let sum = outcome.output.drop { $0 == "\\" }.prefix { $0.isHexDigit }
        guard outcome.status == 0, sum.count == 64 else {
            throw ModelStoreError(.toolFailed, "cannot compute the checksum of '\(file.path)': \(outcome.errors)")
        }
        return String(sum)
    }
}
