// SPDX-License-Identifier: Apache-2.0

import Foundation
import Patterns
import TestSupport
import Testing

struct KnownFormatTests {
    @Test(arguments: [
        (
            KnownFormat.date, ["2024-02-29", "2000-02-29", "0400-02-29"],
            ["2023-02-29", "1900-02-29", "2024-13-01", "24-01-01"]
        ),
        (
            .time, ["08:30:06Z", "23:59:60Z", "01:29:60+01:30", "15:59:60-08:00"],
            ["24:00:00Z", "23:59:60+01:00", "08:30:06"]
        ),
        (
            .dateTime, ["1998-12-31T15:59:60.123-08:00", "1963-06-19t08:30:06z"],
            ["1998-12-31T22:59:60Z", "1990-02-31T00:00:00Z"]
        ),
        (.duration, ["P4DT12H30M5S", "P2W", "PT0S"], ["P", "PT", "P1YT", "P1D2H", "P1Y2D"]),
        (.email, ["a.b@example.com", "\"a b\"@x", "a@[127.0.0.1]"], ["@x", "a@", "a..b@x", "a b@x"]),
        (.idnEmail, ["실례@실례.테스트"], ["2962", "@실례"]),
        (.hostname, ["a", "www.example.com", "xn--4dbc5h"], ["", "-a", "a.", "a_b", "xn--X", "xn--5db1e"]),
        (.idnHostname, ["실례.테스트", "l·l", "ß"], ["〮", "a·", "א0٠", "aא"]),
        (.ipv4, ["0.0.0.0", "255.255.255.255"], ["256.0.0.0", "01.0.0.0", "1.2.3"]),
        (
            .ipv6, ["::", "::1", "1:2:3:4:5:6:7:8", "1::2:3.4.5.6", "1:2:3:4:5:6:7::"],
            ["1:2", ":::", "1:2:3:4:5:6:7:8:9", "::g", "::1%x"]
        ),
        (.uri, ["http://[::1]/a?b#c", "urn:a:b", "mailto:a@b"], ["//a", "a b:c", "http://[x]", "http://a/%g"]),
        (.uriReference, ["", "a/b", "#x"], ["\\a", "1:b", "#a\\b"]),
        (.iri, ["http://ƒøø.ßår/?∂éœ=πîx"], ["/abc", "http://a b"]),
        (.iriReference, ["âππ", "#ƒ"], ["\\a"]),
        (.uuid, ["2EB8AA08-aa98-11ea-b4aa-73b441d16380"], ["2eb8aa08aa9811eab4aa73b441d16380"]),
        (.uriTemplate, ["a{b:3}{+c*,d}"], ["{", "{}", "{a:0}", "a b"]),
        (.jsonPointer, ["", "/a~0~1", "/é"], ["a", "/~2", "#"]),
        (.relativeJSONPointer, ["0", "12/a", "1#"], ["01", "/a", "0##"]),
        (.regex, ["([abc])+\\s+$", "(?<n>a)\\k<n>", "(a)\\1"], ["^(abc]", "\\a", "(?P<n>x)"]),
    ] as [(KnownFormat, [String], [String])])
    func tellsValidFromInvalid(_ format: KnownFormat, _ valid: [String], _ invalid: [String]) {
        for text in valid { #expect(format.isValid(text), "\(text)") }
        for text in invalid { #expect(!format.isValid(text), "\(text)") }
    }

    @Test func knowsEveryLeapSecondAndNoOther() {
        for minutes in stride(from: 0, to: 1440, by: 7) {
            for offset in stride(from: -1439, to: 1440, by: 11) {
                let sign = offset < 0 ? "-" : "+"
                let text = "\(clock(minutes)):60\(sign)\(clock(abs(offset)))"
                let isLeap = ((minutes - offset) % 1440 + 1440) % 1440 == 1439
                #expect(KnownFormat.time.isValid(text) == isLeap, "\(text)")
            }
            let before = (minutes + 1439) % 1440
            #expect(KnownFormat.time.isValid("\(clock(before)):60+\(clock(minutes))"))
        }
    }

    private func clock(_ minutes: Int) -> String {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(two(minutes / 60)):\(two(minutes % 60))"
    }

    @Test(arguments: KnownFormat.allCases)
    func generatesOnlyValidTexts(_ format: KnownFormat) throws {
        let automaton = try Automaton(try #require(format.generationLanguage))
        var seed = format.rawValue.utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) }
        func random(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        for _ in 0..<300 {
            var state = automaton.start
            var text = String.UnicodeScalarView()
            let length = random(60)
            while text.count < length {
                let live = automaton.liveClasses(state)
                let choices = (0..<automaton.classCount).filter { live.contains($0) }
                if choices.isEmpty { break }
                let choice = choices[random(choices.count)]
                text.append(automaton.sample(ofClass: choice))
                state = automaton.transition(state, class: choice)
            }
            text.append(contentsOf: try #require(automaton.shortest(state)))
            #expect(format.isValid(String(text)), "\(String(text))")
        }
    }

    /// Names of the older drafts, and `time` without an offset as draft 3 has it, are left to the caller.
    @Test(.enabled(if: SharedData.has("json-schema-test-suite/suite.tar.gz"), "needs FORMWORK_SHARED"))
    func agreesWithTheOfficialSuite() throws {
        let archive = try #require(SharedData.url("json-schema-test-suite/suite.tar.gz"))
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("formats-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "-xzf", archive.path, "-C", folder.path]
        try tar.run()
        tar.waitUntilExit()
        var count = 0
        var misses: Set<String> = []
        for draft in ["draft3", "draft4", "draft6", "draft7", "draft2019-09", "draft2020-12", "v1"] {
            let formats = folder.appendingPathComponent("tests/\(draft)/optional/format")
            let names = (try? FileManager.default.contentsOfDirectory(atPath: formats.path)) ?? []
            for name in names.sorted() {
                let data = try Data(contentsOf: formats.appendingPathComponent(name))
                let groups = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
                for group in groups {
                    guard let schema = group["schema"] as? [String: Any],
                        let format = (schema["format"] as? String).flatMap(KnownFormat.init(rawValue:)),
                        let tests = group["tests"] as? [[String: Any]]
                    else { continue }
                    for test in tests {
                        guard let text = test["data"] as? String, let valid = test["valid"] as? Bool else { continue }
                        count += 1
                        if format.isValid(text) != valid { misses.insert("\(draft) \(format.rawValue) \(text)") }
                    }
                }
            }
        }
        #expect(count > 2000)
        #expect(misses == ["draft3 time 08:30:06"])
    }
}
