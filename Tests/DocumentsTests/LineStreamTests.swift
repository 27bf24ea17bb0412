// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import TestSupport
import Testing

/// Reading line by line and decompressing.
struct LineStreamTests {
    private func withFile<R>(_ bytes: [UInt8], _ body: (String) throws -> R) throws -> R {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("lines-\(UUID().uuidString)")
        try Data(bytes).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(url.path)
    }

    /// What the system's own program makes of the bytes.
    private func gzip(_ bytes: [UInt8], level: String) throws -> [UInt8] {
        try withFile(bytes) { path in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["gzip", level, "-c", path]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let data = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return Array(data)
        }
    }

    private static func lines(_ path: String) throws -> [LineStream.Line] {
        let stream = try LineStream(path: path)
        var result: [LineStream.Line] = []
        while let line = try stream.next() { result.append(line) }
        return result
    }

    @Test func readsLinesWithTheirPlaces() throws {
        try withFile(Array("\u{FEFF}one\r\n\n \t\ntwo\n\nthree".utf8)) { path in
            let lines = try Self.lines(path)
            #expect(lines.map { String(decoding: $0.bytes, as: UTF8.self) } == ["one", "two", "three"])
            #expect(lines.map(\.number) == [1, 4, 6])
            #expect(lines.map(\.offset) == [3, 12, 17])
        }
        try withFile([]) { path in
            let none = try Self.lines(path)
            #expect(none.isEmpty)
        }
        #expect(throws: DocumentError.self) { try LineStream(path: "/nonexistent/x") }
        #expect(throws: DocumentError.self) { try LineStream(path: "/") }
    }

    @Test func longLinesSpanPieces() throws {
        var bytes: [UInt8] = []
        for number in 0..<5 { bytes += [UInt8](repeating: UInt8(0x61 + number), count: 300_000 + number) + [0x0A] }
        try withFile(bytes) { path in
            let counts = try Self.lines(path).map(\.bytes.count)
            #expect(counts == (0..<5).map { 300_000 + $0 })
        }
        try withFile(gzip(bytes, level: "-6")) { path in
            let counts = try Self.lines(path).map(\.bytes.count)
            #expect(counts == (0..<5).map { 300_000 + $0 })
        }
    }

    @Test(arguments: ["-1", "-6", "-9"])
    func decompresses(_ level: String) throws {
        var generator = SeededGenerator(seed: 5)
        let words = ["alpha", "beta", "{\"key\": ", "é", "\n", "0123456789"]
        var texts: [[UInt8]] = [[], [0x61]]
        texts.append((0..<60_000).flatMap { _ in Array((words.randomElement(using: &generator) ?? "").utf8) })
        // What cannot be compressed is stored.
        texts.append((0..<200_000).map { _ in UInt8.random(in: 0...255, using: &generator) })
        texts.append([UInt8](repeating: 0x61, count: 500_000))
        var all: [UInt8] = []
        for text in texts {
            let packed = try gzip(text, level: level)
            #expect(try GzipReader.decompress(packed, limit: 1 << 20) == text)
            all += packed
        }
        // Members one after the other are one text.
        #expect(try GzipReader.decompress(all + [0, 0], limit: 1 << 22) == texts.flatMap(\.self))
        #expect(throws: CompressionError.self) { try GzipReader.decompress(all, limit: 1000) }
    }

    @Test func damageIsFound() throws {
        let text = Array(String(repeating: "some text, and more of it\n", count: 200).utf8)
        let packed = try gzip(text, level: "-6")
        var generator = SeededGenerator(seed: 9)
        for length in 0..<packed.count {
            #expect(throws: CompressionError.self) {
                try GzipReader.decompress(Array(packed.prefix(length)), limit: 1 << 20)
            }
        }
        for _ in 0..<500 {
            var damaged = packed
            let place = Int.random(in: 10..<packed.count, using: &generator)
            damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            // Some bits of the padding mean nothing.
            if let result = try? GzipReader.decompress(damaged, limit: 1 << 20) { #expect(result == text) }
        }
        #expect(throws: CompressionError.self) { try GzipReader.decompress(packed + [1, 2, 3], limit: 1 << 20) }
    }
}
