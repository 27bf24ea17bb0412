// SPDX-License-Identifier: Apache-2.0

public import Constraints
import Documents
import Foundation
import JSONSchemas

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Measures token masks for JSON schemas: are exactly the valid instances allowed, token by token, and how long does a
/// mask take?
///
/// Reads a vocabulary and a case file and writes `mask-results-v1`: a header line, then one JSON line per schema. The
/// schemas run one after another in a worker process, so that one which takes too long, needs too much memory or
/// crashes is reported and the rest goes on.
public enum MaskBench {
    /// What a schema may take.
    public struct Limits: Sendable {
        public var seconds = 20.0
        public var memory = 4 << 30

        public init() {}
    }

    /// Why a benchmark cannot run.
    public struct Failure: Error, CustomStringConvertible {
        public var message: String
        public var description: String { message }
    }

    /// Runs the cases and prints a summary.
    ///
    /// - Parameters:
    ///   - vocab: A `vocab-v1` file; `.gz` is unpacked.
    ///   - cases: A case file; `.gz` is unpacked.
    ///   - out: Where the results go; packed if the name ends in `.gz`.
    ///   - profile: The spellings to take.
    ///   - every: Run only the lines 0, *every*, 2 · *every* and so on.
    @discardableResult
    public static func run(
        vocab: String, cases: String, out: String, every: Int = 1, limits: Limits = Limits(),
        profile: SpellingProfile = .lenient,
        print: (String) -> Void = { Swift.print($0) }
    ) throws -> MaskScore {
        let every = max(1, every)
        let vocabulary = try vocabulary(vocab)
        let all = lines(try read(cases))
        let chosen = stride(from: 0, to: all.count, by: every).map { all[$0] }
        let plain = out.hasSuffix(".gz") ? String(out.dropLast(3)) : out
        guard let file = fopen(plain, "w") else {
            throw Failure(message: "cannot write '\(plain)': \(String(cString: strerror(errno)))")
        }
        func write(_ line: String) {
            fputs(line + "\n", file)
            fflush(file)
        }
        write(
            #"{"format":"mask-results-v1","engine":"formwork","version":"0.1.0","vocab":\#(quoted(base(vocab))),"#
                + #""cases":\#(quoted(base(cases))),"limit_s":\#(number(limits.seconds)),"#
                + #""mem_gib":\#(number(Double(limits.memory) / Double(1 << 30))),"every":\#(every)}"#
        )
        var score = MaskScore()
        var index = 0
        while index < chosen.count {
            let worker = try MaskWorker(vocabulary: vocabulary, cases: Array(chosen[index...]), profile: profile)
            worker.collect(limits: limits) { line in
                write(line)
                score.add(line)
                index += 1
            }
            if let loss = worker.loss, index < chosen.count {
                let id = (try? JSONReader.read(chosen[index], file: nil).root)?["id"]?.stringValue ?? ""
                let line =
                    #"{"id":\#(quoted(id)),"status":"\#(loss.status)","phase":"\#(loss.phase)","#
                    + #""error":\#(loss.error.map(quoted) ?? "null"),"tests":[]}"#
                write(line)
                score.add(line, limit: limits.seconds)
                index += 1
            }
        }
        fclose(file)
        if plain != out {
            try pipe("/usr/bin/env", ["gzip", "-f", plain])
        }
        print(score.report)
        return score
    }

    /// Reads the results of any engine and works out its figures.
    public static func score(_ results: String) throws -> MaskScore {
        var score = MaskScore()
        for line in lines(try read(results)).dropFirst() {
            score.add(String(decoding: line, as: UTF8.self))
        }
        return score
    }

    /// Reads a `vocab-v1` file.
    public static func vocabulary(_ path: String) throws -> TokenVocabulary {
        let content = lines(try read(path))
        guard let first = content.first, let header = try? JSONReader.read(first, file: path).root,
            header["format"]?.stringValue == "vocab-v1", let count = header["n_vocab"]?.intValue,
            let ends = header["eos"]?.elements.compactMap(\.intValue), content.count == count + 1
        else { throw Failure(message: "'\(path)' is not a vocab-v1 file") }
        var tokens: [[UInt8]?] = []
        tokens.reserveCapacity(count)
        for line in content.dropFirst() {
            let token = try JSONReader.read(line, file: path).root
            guard let special = token["special"]?.boolValue, let hex = token["hex"]?.stringValue,
                let bytes = unhex(hex)
            else { throw Failure(message: "'\(path)' has a token without 'hex' and 'special'") }
            tokens.append(special ? nil : bytes)
        }
        return TokenVocabulary(tokens: tokens, endOfGeneration: ends)
    }

    private static func unhex(_ text: String) -> [UInt8]? {
        func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 0x30...0x39: return byte - 0x30
            case 0x41...0x46: return byte - 0x41 + 10
            case 0x61...0x66: return byte - 0x61 + 10
            default: return nil
            }
        }
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digit(digits[index]), let low = digit(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// The content of a file, unpacked if its name ends in `.gz`.
    static func read(_ path: String) throws -> Data {
        guard path.hasSuffix(".gz") else { return try Data(contentsOf: URL(fileURLWithPath: path)) }
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw Failure(message: "cannot read '\(path)'")
        }
        return try pipe("/usr/bin/env", ["gzip", "-dc", path])
    }

    @discardableResult
    private static func pipe(_ program: String, _ arguments: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(message: "'\(arguments.joined(separator: " "))' failed")
        }
        return data
    }

    /// The lines that are not empty.
    static func lines(_ data: Data) -> [[UInt8]] {
        data.split(separator: 0x0A).map { Array($0) }
    }

    static func base(_ path: String) -> String { URL(fileURLWithPath: path).lastPathComponent }
    static func quoted(_ text: String) -> String { JSONWriter.quoted(text) }

    static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
