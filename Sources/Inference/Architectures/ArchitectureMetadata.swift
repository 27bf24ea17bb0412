// SPDX-License-Identifier: Apache-2.0

import ModelFiles

/// The metadata entries under the name of the architecture.
struct ArchitectureMetadata {
    let file: GGUFFile
    let prefix: String

    func key(_ name: String) -> String { prefix + "." + name }

    func mismatch(_ name: String, _ message: String) -> ModelFileError {
        ModelFileError(.mismatched, message, field: "metadata '\(key(name))'", offset: file.offset(of: key(name)))
    }

    /// The refusal of an entry that the forward pass does not know.
    func unsupported(_ name: String, _ message: String) -> InferenceError {
        let place = file.offset(of: key(name)).map { " (at byte \($0))" } ?? ""
        return InferenceError(.unsupported, "'\(file.path)': '\(key(name))': \(message)\(place)")
    }

    /// Refuses a sliding window, for architectures whose forward pass has none.
    func refuseWindow() throws {
        if let window = try file.int(key("attention.sliding_window")), window != 0 {
            throw unsupported(
                "attention.sliding_window", "a sliding window of \(window) is not supported for '\(prefix)'")
        }
    }

    /// A factor that bounds values softly; nil if it is zero, or absent with no default.
    func softcap(_ name: String, default absent: Double = 0) throws -> Float? {
        let cap = try file.float(key(name)) ?? absent
        guard cap >= 0, cap < 1e12 else { throw mismatch(name, "\(cap) is not in 0..<1e12") }
        return cap == 0 ? nil : Float(cap)
    }

    func size(_ name: String, upTo limit: Int, default absent: Int? = nil) throws -> Int {
        guard let value = try file.int(key(name)) ?? absent else {
            throw ModelFileError(.missing, "is missing", field: "metadata '\(key(name))'")
        }
        guard value > 0, value <= limit else {
            throw mismatch(name, "\(value) is not in the supported range of 1 to \(limit)")
        }
        return value
    }

    func positive(_ name: String, default absent: Double) throws -> Double {
        let value = try file.float(key(name)) ?? absent
        guard value > 0, value < 1e12 else { throw mismatch(name, "\(value) is not a positive number below 1e12") }
        return value
    }
}
