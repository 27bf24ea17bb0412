// SPDX-License-Identifier: Apache-2.0

package import Foundation
import Inference
import ModelFiles

/// Compares the inference engine with recorded results: the `logits` and `tiny` parts of a golden folder.
///
/// Every fixture is run twice: on the reference path (float32 activations and cache), which must agree closely with the
/// recorded single precision results, and on the fast path, which must agree within the noise of 8-bit activations.
/// Greedy continuations are compared teacher-forced: the recorded tokens are fed, and where the recorded margin is not
/// within the tolerance, the engine must choose the same next token.
package enum GoldenLogits {
    /// What became of one fixture.
    package struct FixtureResult: Sendable {
        /// The outcome.
        package enum Status: String, Sendable {
            /// Everything was within its tolerance.
            case passed
            /// Something was not.
            case failed
            /// The engine does not support the model and says so.
            case refused
            /// The model file is not at hand.
            case skipped
        }

        /// The path below the golden folder, without its ending.
        package var name: String
        /// The outcome.
        package var status: Status
        /// The figures, and what was missed.
        package var detail: String

        /// One line for a report.
        package var line: String { "\(status.rawValue) \(name): \(detail)" }
    }

    /// Runs all fixtures of the folder, in order of their names.
    ///
    /// - Parameters:
    ///   - folder: A folder with `tiny/**/NAME.json` beside `NAME.gguf`, and `logits/NAME.json`.
    ///   - threads: The threads to compute with.
    ///   - modelPath: Finds a model file by its name, for the fixtures in `logits`.
    ///   - report: Called with each result as soon as it is known.
    package static func run(
        folder: URL, threads: Int, modelPath: (String) -> String?, report: (FixtureResult) -> Void
    ) -> [FixtureResult] {
        var results: [FixtureResult] = []
        for name in fixtures(folder) {
            let url = folder.appendingPathComponent(name + ".json")
            var checks = GoldenChecks()
            let result: FixtureResult
            do {
                let fixture = try GoldenObject(contentsOf: url)
                if name.hasPrefix("tiny/") {
                    let model = url.deletingPathExtension().appendingPathExtension("gguf").path
                    try GoldenTiny(fixture: fixture, path: model, threads: threads).run(&checks)
                    result = checks.result(name)
                } else {
                    let file = try fixture.string("model_file")
                    if let model = modelPath(file) {
                        try GoldenModel(fixture: fixture, path: model, threads: threads).run(&checks)
                        result = checks.result(name)
                    } else {
                        result = FixtureResult(
                            name: name, status: .skipped, detail: "the model file '\(file)' was not found")
                    }
                }
            } catch let error as InferenceError where error.code == .unsupported {
                result = FixtureResult(name: name, status: .refused, detail: "\(error)")
            } catch let error as InferenceError {
                let format = (error.cause as? ModelFileError)?.code == .unsupportedWeightFormat
                result = FixtureResult(name: name, status: format ? .refused : .failed, detail: "\(error)")
            } catch {
                result = FixtureResult(name: name, status: .failed, detail: "\(error)")
            }
            results.append(result)
            report(result)
        }
        return results
    }

    private static func fixtures(_ folder: URL) -> [String] {
        var names: [String] = []
        for part in ["logits", "tiny", "tiny/arch", "tiny/type"] {
            let entries =
                (try? FileManager.default.contentsOfDirectory(
                    atPath: folder.appendingPathComponent(part).path)) ?? []
            names += entries.filter { $0.hasSuffix(".json") }.map { part + "/" + $0.dropLast(5) }
        }
        return names.sorted()
    }
}

/// What a fixture's comparisons found.
struct GoldenChecks {
    var figures: [String] = []
    var misses: [String] = []

    func result(_ name: String) -> GoldenLogits.FixtureResult {
        let detail = (misses.isEmpty ? figures : misses.map { "MISS " + $0 } + figures).joined(separator: "; ")
        return GoldenLogits.FixtureResult(name: name, status: misses.isEmpty ? .passed : .failed, detail: detail)
    }

    /// The largest and the root mean square difference; a pair with a value that is not finite counts as infinite.
    static func difference(_ values: some Sequence<Float>, _ expected: [Float]) -> (max: Double, rms: Double) {
        var (largest, sum, count) = (0.0, 0.0, 0)
        for (value, reference) in zip(values, expected) {
            let distance = abs(Double(value) - Double(reference))
            guard distance.isFinite else { return (.infinity, .infinity) }
            largest = Swift.max(largest, distance)
            sum += distance * distance
            count += 1
        }
        guard count == expected.count, count > 0 else { return (.infinity, .infinity) }
        return (largest, (sum / Double(count)).squareRoot())
    }
}

/// The error of a fixture that does not have the documented form.
struct GoldenFormatError: Error, CustomStringConvertible {
    var description: String
}

/// A JSON object of a fixture with typed access.
struct GoldenObject {
    private let members: [String: Any]

    init(contentsOf url: URL) throws {
        guard let object = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any] else {
            throw GoldenFormatError(description: "'\(url.path)' is not a JSON object")
        }
        members = object
    }

    private init(members: [String: Any]) { self.members = members }

    func has(_ key: String) -> Bool { members[key] != nil }

    func string(_ key: String) throws -> String { try value(key) }
    func int(_ key: String) throws -> Int { (try value(key) as NSNumber).intValue }
    func double(_ key: String) throws -> Double { (try value(key) as NSNumber).doubleValue }
    func tokens(_ key: String) throws -> [Int32] { (try value(key) as [NSNumber]).map(\.int32Value) }
    func ints(_ key: String) throws -> [Int] { (try value(key) as [NSNumber]).map(\.intValue) }
    func doubles(_ key: String) throws -> [Double] { (try value(key) as [NSNumber]).map(\.doubleValue) }
    func object(_ key: String) throws -> GoldenObject { GoldenObject(members: try value(key)) }
    func objects(_ key: String) throws -> [GoldenObject] {
        (try value(key) as [[String: Any]]).map(GoldenObject.init(members:))
    }

    /// Pairs of a token and its logit.
    func pairs(_ key: String) throws -> [(token: Int, logit: Float)] {
        try (value(key) as [[NSNumber]]).map { pair in
            guard pair.count == 2 else { throw GoldenFormatError(description: "'\(key)' is not a list of pairs") }
            return (pair[0].intValue, pair[1].floatValue)
        }
    }

    /// Little-endian float32 values in base64.
    func floats(_ key: String) throws -> [Float] {
        guard let data = Data(base64Encoded: try string(key)), data.count % 4 == 0 else {
            throw GoldenFormatError(description: "'\(key)' is not base64 of float32 values")
        }
        return data.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
            }
        }
    }

    private func value<T>(_ key: String) throws -> T {
        guard let value = members[key] as? T else {
            throw GoldenFormatError(description: "'\(key)' is missing or has another type")
        }
        return value
    }
}
