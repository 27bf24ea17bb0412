// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import Foundation
import JSONSchemas

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A process that runs cases and sends their result lines; a copy of this one, so the vocabulary is there already.
///
/// On the way to us each line starts with a letter: `C` a case begins, `W` its first mask is done, `R` its result.
final class MaskWorker {
    /// How the case at hand was lost.
    struct Loss {
        var status: String
        var phase: String
        var error: String?
    }

    private(set) var loss: Loss?
    private let process: pid_t
    private let input: Int32

    init(vocabulary: TokenVocabulary, cases: [[UInt8]], profile: SpellingProfile) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw MaskBench.Failure(message: "cannot make a pipe") }
        fflush(nil)
        process = fork()
        guard process >= 0 else { throw MaskBench.Failure(message: "cannot start a worker process") }
        input = ends[0]
        guard process == 0 else {
            close(ends[1])
            return
        }
        close(ends[0])
        MaskWorker.work(vocabulary, cases, profile, output: ends[1])
        _exit(0)
    }

    /// Passes on the result lines until the worker ends or has to be ended.
    func collect(limits: MaskBench.Limits, _ receive: (String) -> Void) {
        var pending: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var began = now()
        var phase = "compile"
        var isBusy = false
        func end(_ status: String, _ error: String?) {
            loss = Loss(status: status, phase: phase, error: error)
            kill(process, SIGKILL)
        }
        reading: while true {
            var waiting = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, 50)
            if isBusy, now() - began > UInt64(limits.seconds * 1e9) {
                end("timeout", nil)
                break
            }
            if isBusy, MaskWorker.residentMemory(process) > limits.memory {
                end("oom", nil)
                break
            }
            guard ready > 0 else { continue }
            let count = Glibc.read(input, &chunk, chunk.count)
            if count <= 0 { break }
            pending.append(contentsOf: chunk[..<count])
            while let newline = pending.firstIndex(of: 0x0A) {
                let line = pending[..<newline]
                let kind = line.first
                let text = String(decoding: line.dropFirst(), as: UTF8.self)
                pending.removeSubrange(...newline)
                switch kind {
                case UInt8(ascii: "C"):
                    began = now()
                    phase = "compile"
                    isBusy = true
                case UInt8(ascii: "W"): phase = "walk"
                default:
                    isBusy = false
                    receive(text)
                }
            }
        }
        close(input)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        if loss == nil, status != 0 {
            loss = Loss(status: "crash", phase: phase, error: "the worker ended with status \(status)")
        }
    }

    private func now() -> UInt64 { DispatchTime.now().uptimeNanoseconds }

    /// The resident memory of a process in bytes; 0 where it cannot be told.
    private static func residentMemory(_ process: pid_t) -> Int {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8) else { return 0 }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    // MARK: In the worker

    private static func work(
        _ vocabulary: TokenVocabulary, _ cases: [[UInt8]], _ profile: SpellingProfile, output: Int32
    ) {
        var profile = profile
        profile.allowsUnassignedPlanes = vocabulary.spellsUnassignedPlanes
        func send(_ text: String) {
            var bytes = Array(text.utf8)
            bytes.append(0x0A)
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes { write(output, $0.baseAddress?.advanced(by: sent), $0.count - sent) }
                if count <= 0 { _exit(1) }
                sent += count
            }
        }
        var mask = TokenMask(tokenCount: vocabulary.count)
        for bytes in cases {
            send("C")
            send("R" + run(bytes, vocabulary, profile, &mask, firstMaskDone: { send("W") }))
        }
    }

    @inline(__always)
    private static func clock() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    private static func microseconds(_ nanoseconds: UInt64) -> String {
        let rest = String(nanoseconds % 1000)
        return "\(nanoseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    /// Runs one case and returns its result line.
    private static func run(
        _ bytes: [UInt8], _ vocabulary: TokenVocabulary, _ profile: SpellingProfile, _ mask: inout TokenMask,
        firstMaskDone: () -> Void
    ) -> String {
        var id = ""
        do {
            var options = ReadOptions.lenient
            options.maximumDepth = 4096
            let node = try JSONReader.read(bytes, file: nil, options: options).root
            id = node["id"]?.stringValue ?? ""
            guard let schema = node["schema"] else { throw MaskBench.Failure(message: "a case without 'schema'") }
            let tests = (node["tests"].map { Array($0.elements) } ?? []).map {
                (valid: $0["valid"]?.boolValue ?? false, tokens: $0["tokens"]?.elements.compactMap(\.intValue) ?? [])
            }
            let begin = clock()
            let graph = try SchemaGraph.load(schema)
            let machine = try SchemaMachine(graph, profile: profile, formats: .assert)
            let engine = try ConstraintEngine(machine: machine, vocabulary: vocabulary)
            let compiled = clock()
            engine.fillMask(engine.start(), into: &mask)
            let first = clock()
            firstMaskDone()
            let walk = walk(tests, engine, vocabulary, &mask)
            return
                #"{"id":\#(MaskBench.quoted(id)),"status":"ok","error":null,"compile_us":\#(microseconds(compiled - begin)),"#
                + #""ttfm_us":\#(microseconds(first - begin)),"tests":[\#(walk.tests.joined(separator: ","))],"#
                + #""mask_us":[\#(walk.masks.map(microseconds).joined(separator: ","))],"#
                + #""commit_us":[\#(walk.commits.map { $0 == 0 ? "0" : microseconds($0) }.joined(separator: ","))]}"#
        } catch {
            let text: String
            if let error = error as? DiagnosticsError,
                let first = error.diagnostics.first(where: { $0.severity == .error })
            {
                text = "[\(first.id)] \(first.message)" + (first.path.map { " at \($0)" } ?? "")
            } else {
                text = "\(error)"
            }
            return #"{"id":\#(MaskBench.quoted(id)),"status":"compile_error","#
                + #""error":\#(MaskBench.quoted(String(text.prefix(2000)))),"tests":[]}"#
        }
    }

    private static func walk(
        _ tests: [(valid: Bool, tokens: [Int])], _ engine: ConstraintEngine, _ vocabulary: TokenVocabulary,
        _ mask: inout TokenMask
    ) -> (tests: [String], masks: [UInt64], commits: [UInt64]) {
        var results: [String] = []
        var masks: [UInt64] = []
        var commits: [UInt64] = []
        for test in tests {
            var configuration = engine.start()
            var stop: String?
            var steps = 0
            for token in test.tokens {
                let begin = clock()
                engine.fillMask(configuration, into: &mask)
                let filled = clock()
                masks.append(filled - begin)
                steps += 1
                guard mask.contains(token) else {
                    commits.append(0)
                    stop = "token"
                    break
                }
                let start = clock()
                let next = engine.commit(configuration, token)
                commits.append(max(1, clock() - start))
                guard let next else {
                    stop = "commit"
                    break
                }
                configuration = next
            }
            if stop == nil {
                let begin = clock()
                engine.fillMask(configuration, into: &mask)
                masks.append(clock() - begin)
                commits.append(0)
                steps += 1
                let isEnd = vocabulary.endOfGeneration.contains { mask.contains($0) }
                if !isEnd { stop = "eos" }
            }
            let reason = stop.map { "\"\($0)\"" } ?? "null"
            results.append(
                #"{"valid":\#(test.valid),"accepted":\#(stop == nil),"steps":\#(steps),"stop":\#(reason)}"#
            )
        }
        return (results, masks, commits)
    }
}
