// SPDX-License-Identifier: Apache-2.0

/// Writes rows of values as CSV (RFC 4180), with a header.
///
/// Each value is a row. Members of objects are columns, those of objects inside `outer.inner`; arrays are written as
/// JSON. A row that is no object has the column `value`. Columns come in the order in which they first occur; a row
/// without a column, and null, leave it empty, and an empty string is `""`.
///
///     try CSVWriter().write([["a": 1, "b": ["c": "x"]], ["a": 2]])
///     // a,b.c
///     // 1,x
///     // 2,
public struct CSVWriter: Sendable {
    /// What stands between columns.
    public var separator: Character
    /// What ends lines; RFC 4180 has `\r\n`.
    public var lineEnd: String

    public init(separator: Character = ",", lineEnd: String = "\r\n") {
        self.separator = separator
        self.lineEnd = lineEnd
    }

    /// The rows with a header; nothing where there is no column.
    ///
    /// - Throws: ``DiagnosticsError`` with `csv.column` where different members would have the same column, such as
    ///   `{"a.b": 1, "a": {"b": 2}}`.
    public func write(_ rows: [JSONValue]) throws(DiagnosticsError) -> String {
        var columns: [String] = []
        var places: [ScalarString: (column: Int, path: [String])] = [:]
        var table: [[(column: Int, text: String)]] = []
        for (number, row) in rows.enumerated() {
            var cells: [(path: [String], value: JSONValue)] = []
            if case .object = row { Self.flatten(row, [], &cells) } else { cells = [([], row)] }
            var line: [(column: Int, text: String)] = []
            for cell in cells {
                let name = cell.path.isEmpty ? "value" : cell.path.joined(separator: ".")
                let place = places[ScalarString(name)] ?? (columns.count, cell.path)
                if place.column == columns.count {
                    columns.append(name)
                    places[ScalarString(name)] = place
                }
                guard place.path.elementsEqual(cell.path, by: { ScalarString($0) == ScalarString($1) }) else {
                    throw DiagnosticsError([
                        Diagnostic(
                            "csv.column", "two members would have the column '\(name)'",
                            path: JSONPointer([String(number)] + cell.path), help: "rename one of them")
                    ])
                }
                line.append((place.column, field(cell.value)))
            }
            table.append(line)
        }
        guard !columns.isEmpty else { return "" }
        var text = columns.map { quoted($0) }.joined(separator: String(separator)) + lineEnd
        for line in table {
            var fields = [String](repeating: "", count: columns.count)
            for cell in line { fields[cell.column] = cell.text }
            // An empty line would be no row.
            if fields == [""] { fields = ["\"\""] }
            text += fields.joined(separator: String(separator)) + lineEnd
        }
        return text
    }

    // The depth is that of the value.
    private static func flatten(
        _ value: JSONValue, _ path: [String], _ cells: inout [(path: [String], value: JSONValue)]
    ) {
        guard case .object(let object) = value, !object.isEmpty else {
            if !path.isEmpty { cells.append((path, value)) }
            return
        }
        for member in object.members { flatten(member.value, path + [member.key], &cells) }
    }

    private func field(_ value: JSONValue) -> String {
        switch value {
        case .null: ""
        case .bool(let value): value ? "true" : "false"
        case .number(let number): number.description
        case .string(let string): string.isEmpty ? "\"\"" : quoted(string)
        case .array, .object: quoted(JSONWriter().write(value))
        }
    }

    /// Text, in quotes where readers would take a part of it for something else.
    private func quoted(_ text: String) -> String {
        let needsQuotes = text.unicodeScalars.contains { scalar in
            scalar == "\"" || scalar == "\n" || scalar == "\r" || separator.unicodeScalars.contains(scalar)
        }
        let hasSpace = text.unicodeScalars.first == " " || text.unicodeScalars.last == " "
        guard needsQuotes || hasSpace else { return text }
        // By scalars: a quote with an accent on it is a quote too.
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { result += "\"" }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }
}
