// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inference
import ModelFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Damaged headers of model files, or of adapters for a sound model: `bench fuzz --gguf`.
///
/// Each case changes the header of a small sound file, loads what came out, and where that succeeds runs a token. A case
/// depends on the seed and its number only. It fails if it takes more than a second of processor time, needs more than
/// 1 GB, gives an error of another kind than a refusal, or ends the process: cases run in a process of their own, which
/// logs a line per case.
public struct ModelFuzz: Sendable {
    /// A seed that cannot be used.
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    private struct Seed {
        var bytes: [UInt8]
        var header: ModelHeader
    }

    private let seeds: [Seed]
    private let seed: UInt64
    /// The model that damaged adapters are applied to; nil where models are damaged.
    private let model: String?

    /// The most memory that a case may take beyond what the process has.
    static let memoryLimit = 1 << 30

    /// Reads the seed files: models, or with `model` adapters for it.
    public init(paths: [String], model: String? = nil, seed: UInt64) throws {
        guard !paths.isEmpty else { throw Failure(description: "there are no files to damage") }
        self.model = model
        seeds = try paths.map { path in
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            guard let header = ModelHeader(bytes) else { throw Failure(description: "'\(path)' is not a sound GGUF file") }
            guard bytes.count <= 4 << 20 else { throw Failure(description: "'\(path)' is larger than 4 MB") }
            return Seed(bytes: bytes, header: header)
        }
        self.seed = seed
    }

    // MARK: Cases

    /// The file of a case.
    public func bytes(ofCase number: Int) -> [UInt8] {
        var random = FuzzRandom(seed: seed, number)
        let seed = random.pick(seeds)
        var bytes = seed.bytes
        // Changes that move bytes come last: the places of the header are those of the sound file.
        for _ in 0..<1 + random.below(3) { overwrite(&bytes, seed.header, &random) }
        if random.once(in: 4) { move(&bytes, seed.header, &random) }
        return bytes
    }

    private func overwrite(_ bytes: inout [UInt8], _ header: ModelHeader, _ random: inout FuzzRandom) {
        if random.once(in: 4) {
            let index = random.below(header.end)
            bytes[index] = random.once(in: 2) ? bytes[index] ^ 1 << random.below(8) : UInt8(random.below(256))
            return
        }
        // A kind first: most fields are lengths of tokens.
        let kind = random.pick(ModelHeader.Kind.allCases)
        let candidates = header.fields.filter { $0.kind == kind }
        guard !candidates.isEmpty else { return }
        let field = random.pick(candidates)
        if field.kind == .text {
            // Another name of the same file, cut or filled up: keys and names that occur twice, or mean something else.
            let other = random.pick(header.fields.filter { $0.kind == .text })
            for (target, source) in zip(field.range, other.range) { bytes[target] = bytes[source] }
            return
        }
        let old = bytes[field.range].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        let value: UInt64 =
            switch random.below(8) {
            case 0: 0
            case 1: old &+ 1
            case 2: old &- 1
            case 3: random.pick([1, 2, 3, 31, 32, 33, 127, 255, 256, 65_535, 1_000_000_000, 1 << 31, 1 << 32, 1 << 62])
            case 4: .max - UInt64(random.below(64))
            case 5: old &* UInt64(2 + random.below(1000))
            case 6: UInt64(random.below(40))
            default: random.next() >> UInt64(random.below(64))
            }
        for (place, index) in field.range.enumerated() { bytes[index] = UInt8(truncatingIfNeeded: value >> (8 * place)) }
    }

    private func move(_ bytes: inout [UInt8], _ header: ModelHeader, _ random: inout FuzzRandom) {
        let isTensor = random.once(in: 2)
        let list = isTensor ? header.tensors : header.entries
        let counter = isTensor ? 8 : 16
        switch random.below(4) {
        case 0: bytes.removeSubrange(random.below(bytes.count)...)
        case 1 where !list.isEmpty:
            let entry = bytes[random.pick(list)]
            let place = isTensor ? header.end : list.last?.upperBound ?? header.end
            bytes.insert(contentsOf: entry, at: place)
            bytes[counter] &+= 1
        case 2 where !list.isEmpty:
            bytes.removeSubrange(random.pick(list))
            bytes[counter] &-= 1
        default:
            let place = random.below(header.end)
            let count = 1 + random.below(16)
            if random.once(in: 2) {
                bytes.removeSubrange(place..<min(place + count, bytes.count))
            } else {
                bytes.insert(contentsOf: (0..<count).map { _ in UInt8(random.below(256)) }, at: place)
            }
        }
    }

    // MARK: Worker

    /// Runs cases in this process and appends a line per case to the log: its number, then, when it has ended, `loaded`,
    /// a refusal's id, or what is wrong after an exclamation mark.
    public func work(cases: Range<Int>, folder: String, log: String) throws {
        let descriptor = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { throw Failure(description: "cannot write '\(log)'") }
        defer { close(descriptor) }
        func put(_ text: String) { _ = text.utf8CString.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count - 1) } }
        let path = log + ".gguf"
        defer { unlink(path) }
        // A sound file first, so that libraries have taken what they keep before memory is limited.
        try Data(seeds[0].bytes).write(to: URL(fileURLWithPath: path))
        _ = try? outcome(path)
        Self.limitMemory()
        for number in cases {
            put("\(number)")
            put(" \(try result(ofCase: number, file: path))\n")
        }
    }

    /// Runs a case in this process, without a limit of memory: `loaded`, a refusal's id, or what is wrong after an
    /// exclamation mark.
    ///
    /// - Parameter path: Where the damaged file goes.
    public func result(ofCase number: Int, file path: String) throws -> String {
        try Data(bytes(ofCase: number)).write(to: URL(fileURLWithPath: path))
        let start = Self.processorTime()
        var result: String
        do {
            result = try outcome(path)
        } catch {
            result = Self.id(of: error)
        }
        let time = Self.processorTime() - start
        if time > 1 { result = "!\(time) s (\(result))" }
        return result
    }

    /// Loads the file and runs a token.
    private func outcome(_ path: String) throws -> String {
        let model =
            try model.map { try Model(path: $0, options: ModelOptions(adapters: [ModelOptions.Adapter(path: path)])) }
            ?? Model(path: path)
        let session = try InferenceSession(model, contextLength: min(model.contextLength, 8))
        try session.prefill([0])
        guard session.logits.count == model.vocabularySize else { return "!logits missing" }
        return "loaded"
    }

    private static func id(of error: any Error) -> String {
        guard let error = error as? InferenceError else { return "!\(error)".replacing("\n", with: " ") }
        if error.code == .adapter, error.cause == nil { return "!no cause: \(error.message)" }
        if error.code == .outOfMemory { return "!out of memory: \(error.message)" }
        guard let cause = error.cause as? ModelFileError else { return error.code.description }
        // What has a place in the file says so.
        if cause.field == nil { return "!no field: \(cause.description)" }
        return "\(error.code).\(cause.code)"
    }

    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// From here on the process gets no more than ``memoryLimit`` beyond what it has.
    private static func limitMemory() {
        #if os(Linux)
            guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
                let pages = text.split(separator: " ").first.flatMap({ Int($0) })
            else { return }
            let most = rlim_t(pages * Int(sysconf(Int32(_SC_PAGESIZE))) + memoryLimit)
            var limit = rlimit(rlim_cur: most, rlim_max: most)
            setrlimit(.init(RLIMIT_AS.rawValue), &limit)
        #endif
    }
}
