// SPDX-License-Identifier: Apache-2.0

import Documents
import TestSupport
import Testing

struct JSONEventReaderTests {
    /// What came of a text in pieces: events as short lines, and the last snapshot before each piece's end.
    private func trace(_ pieces: [[UInt8]]) throws -> (lines: [String], snapshots: [JSONValue?]) {
        var reader = JSONEventReader()
        var lines: [String] = []
        var snapshots: [JSONValue?] = []
        func tell(_ events: [JSONEvent]) {
            for event in events {
                switch event.kind {
                case .start(let kind): lines.append("\(event.pointer) start \(kind)")
                case .delta(let text): lines.append("\(event.pointer) delta \(text)")
                case .end(let value): lines.append("\(event.pointer) end \(JSONWriter(style: .compact).write(value))")
                }
            }
        }
        for piece in pieces {
            tell(try reader.read(piece))
            snapshots.append(reader.snapshot)
        }
        tell(try reader.finish())
        snapshots.append(reader.snapshot)
        return (lines, snapshots)
    }

    @Test func tellsOfFieldsAsTheyGrow() throws {
        let pieces = [#"{"na"#, #"me":"Ad"#, #"a","to"#, #"tal":1"#, #"2,"ok":tr"#, #"ue,"tags":["x""#, #",[]]}"#]
        let result = try trace(pieces.map { Array($0.utf8) })
        #expect(
            result.lines == [
                " start object", "/name start string", "/name delta Ad", "/name delta a", #"/name end "Ada""#,
                "/total start number", "/total end 12", "/ok start bool", "/ok end true", "/tags start array",
                "/tags/0 start string", "/tags/0 delta x", #"/tags/0 end "x""#, "/tags/1 start array", "/tags/1 end []",
                #"/tags end ["x",[]]"#, #" end {"name":"Ada","total":12,"ok":true,"tags":["x",[]]}"#,
            ])
        let snapshots = result.snapshots.map { $0.map { JSONWriter(style: .compact).write($0) } }
        #expect(
            snapshots == [
                "{}", #"{"name":"Ad"}"#, #"{"name":"Ada"}"#, #"{"name":"Ada"}"#, #"{"name":"Ada","total":12}"#,
                #"{"name":"Ada","total":12,"ok":true,"tags":["x"]}"#,
                #"{"name":"Ada","total":12,"ok":true,"tags":["x",[]]}"#,
                #"{"name":"Ada","total":12,"ok":true,"tags":["x",[]]}"#,
            ])
    }

    @Test(arguments: [
        #"{"a":{"b":[1,-2.5e3,null,false],"":{}},"é":"ü\n\u00e9\ud83d\ude00😀\/"}"#, "12", #""x""#, "[ ]", " {\n} ", "[[[]],{}]",
        "true", #"[{"a":1},{"a":2}]"#,
    ])
    func piecesOfAnySizeGiveTheSameValue(_ text: String) throws {
        let bytes = Array(text.utf8)
        let expected = try JSONReader.read(bytes, file: nil).root.value
        for size in 1...bytes.count {
            let pieces = stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
            let result = try trace(pieces)
            #expect(result.snapshots.last == expected)
            #expect(result.lines.last == " end \(JSONWriter(style: .compact).write(expected))")
        }
    }

    @Test(arguments: [
        "{", "[1,]", "[1 2]", #"{"a"}"#, #"{"a":}"#, "tru", "trux", "01", "1.", "-", #""\x""#, #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, "\"\n\"",
        "]", "{]", "[}", "1 1", #"{1:2}"#, "", #"{"a":1,}"#, "\"\\ud800x\"",
    ])
    func refusesWhatIsNotJSON(_ text: String) {
        #expect(throws: JSONEventError.self) { _ = try trace(text.utf8.map { [$0] }) }
    }

    @Test func refusesBytesThatAreNotUTF8() {
        #expect(throws: JSONEventError.self) { _ = try trace([[0x22, 0xFF, 0x22]]) }
        #expect(throws: JSONEventError.self) { _ = try trace([[0x22, 0xC3, 0x22]]) }
    }

    @Test func limitsTheDepth() throws {
        var reader = JSONEventReader(depthLimit: 8)
        _ = try reader.read(Array(repeating: UInt8(ascii: "["), count: 8))
        #expect(throws: JSONEventError.self) { _ = try reader.read([UInt8(ascii: "[")]) }
        #expect(throws: JSONEventError.self) { _ = try reader.read([UInt8(ascii: "]")]) }
    }

    @Test func agreesWithTheReaderOnDamagedTexts() {
        let base = Array(#"{"a":[1,true,"x\u00e9\n"],"b":{"c":null,"d":-1.5e3}}"#.utf8)
        var random = SeededGenerator(seed: 5)
        for _ in 0..<4000 {
            var bytes = base
            for _ in 0...Int.random(in: 0...2, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = base[Int.random(in: 0..<base.count, using: &random)]
                case 1: bytes.remove(at: place)
                default: bytes.insert(base[Int.random(in: 0..<base.count, using: &random)], at: place)
                }
            }
            var options = ReadOptions()
            options.duplicateKeys = .warning
            let expected = try? JSONReader.read(bytes, file: nil, options: options).root.value
            let streamed = (try? trace([bytes]))?.snapshots.last ?? nil
            #expect(streamed == expected, "\(String(decoding: bytes, as: UTF8.self))")
        }
    }
}
