// SPDX-License-Identifier: Apache-2.0

import CLibYAML

extension YAMLComposer {
    /// Turns libyaml's error into a problem with a place and, where the cause is well known, a hint.
    mutating func report(_ parser: UnsafeMutablePointer<yaml_parser_t>, base: Int) {
        let state = parser.pointee
        let problem = state.problem.map { String(cString: $0) } ?? "the document cannot be read"
        if state.error == YAML_MEMORY_ERROR {
            problems.add("yaml.memory", "not enough memory to read the document", 0..<0)
            return
        }
        if state.error == YAML_READER_ERROR {
            let place = min(base + state.problem_offset, bytes.count)
            let value = String(max(0, state.problem_value), radix: 16, uppercase: true)
            problems.add(
                "yaml.control-character",
                "the character U+\(String(repeating: "0", count: max(0, 4 - value.count)))\(value) is not allowed in YAML",
                place..<min(place + 1, bytes.count), help: "write it as an escape in double quotes")
            return
        }
        var place = offset(state.problem_mark)
        var notes: [(message: String, range: Range<Int>)] = []
        if let context = state.context {
            let start = offset(state.context_mark)
            if start != place {
                notes.append((String(cString: context), start..<min(start + 1, bytes.count)))
            }
        }
        place = min(place, bytes.count)
        problems.add(
            "yaml.syntax", Self.message(problem), place..<min(place + 1, bytes.count), notes: notes,
            help: help(problem, at: place))
    }

    private static func message(_ problem: String) -> String {
        switch problem {
        case "mapping values are not allowed in this context": "a ':' is not allowed here"
        case "could not find expected ':'": "expected ':' after a key"
        case "did not find expected key": "expected a key, or the end of the mapping"
        case "did not find expected '-' indicator": "expected '-', or the end of the sequence"
        case "did not find expected ',' or ']'": "expected ',' or ']'"
        case "did not find expected ',' or '}'": "expected ',' or '}'"
        case "did not find expected <document start>": "expected the end of the document"
        default: problem
        }
    }

    private func help(_ problem: String, at place: Int) -> String? {
        let byte = place < bytes.count ? bytes[place] : 0
        if byte == 0x09 { return "indent with spaces, not with tabs" }
        switch problem {
        case "found character that cannot start any token": return "put the text in quotes"
        case "mapping values are not allowed in this context":
            return "put text that contains ': ' in quotes, or check the indentation"
        case "could not find expected ':'", "did not find expected key", "did not find expected '-' indicator":
            return "check the indentation"
        case "did not find expected <document start>":
            return "check the indentation, or start another document with '---'"
        case "found unexpected end of stream": return "add the closing quote"
        case "did not find expected ',' or ']'": return "close the sequence with ']'"
        case "did not find expected ',' or '}'": return "close the mapping with '}'"
        default: return nil
        }
    }
}
