// SPDX-License-Identifier: Apache-2.0

/// The difference of two texts by lines, as `diff -u` writes it.
public enum LineDifference {
    /// Lines around a change.
    private static let context = 3
    /// Beyond this many pairs of lines between the first and the last change, they are shown as one change.
    private static let maximumPairs = 4_000_000

    private enum Step {
        case same, removed, added
    }

    /// The difference; empty where there is none.
    public static func unified(_ old: [UInt8], _ new: [UInt8], oldName: String, newName: String) -> String {
        if old == new { return "" }
        let (a, b) = (lines(old), lines(new))
        let steps = steps(a, b)
        var result = "--- \(oldName)\n+++ \(newName)\n"
        // The steps of each hunk: changes with the lines around them.
        var index = 0
        var (oldLine, newLine) = (0, 0)
        while let first = steps[index...].firstIndex(where: { $0 != .same }) {
            let start = max(index, first - context)
            oldLine += start - index
            newLine += start - index
            var end = first
            var last = first
            while end < steps.count, steps[end] != .same || end - last <= 2 * context {
                if steps[end] != .same { last = end }
                end += 1
            }
            end = min(steps.count, last + context + 1)
            let hunk = steps[start..<end]
            let removed = hunk.count { $0 != .added }
            let added = hunk.count { $0 != .removed }
            // An empty side names the line before it.
            let (left, right) = (removed == 0 ? oldLine : oldLine + 1, added == 0 ? newLine : newLine + 1)
            result += "@@ -\(left),\(removed) +\(right),\(added) @@\n"
            for step in hunk {
                switch step {
                case .same:
                    result += " " + shown(a[oldLine])
                    oldLine += 1
                    newLine += 1
                case .removed:
                    result += "-" + shown(a[oldLine])
                    oldLine += 1
                case .added:
                    result += "+" + shown(b[newLine])
                    newLine += 1
                }
            }
            index = end
        }
        return result
    }

    private static func shown(_ line: ArraySlice<UInt8>) -> String {
        let text = String(decoding: line, as: UTF8.self)
        return line.last == 0x0A ? text : text + "\n\\ No newline at end of file\n"
    }

    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var result: [ArraySlice<UInt8>] = []
        var at = 0
        while at < bytes.count {
            let end = (bytes[at...].firstIndex(of: 0x0A) ?? bytes.count - 1) + 1
            result.append(bytes[at..<end])
            at = end
        }
        return result
    }

    private static func steps(_ a: [ArraySlice<UInt8>], _ b: [ArraySlice<UInt8>]) -> [Step] {
        var head = 0
        while head < a.count, head < b.count, a[head] == b[head] { head += 1 }
        var tail = 0
        while tail < a.count - head, tail < b.count - head, a[a.count - 1 - tail] == b[b.count - 1 - tail] { tail += 1 }
        let (x, y) = (a[head..<(a.count - tail)], b[head..<(b.count - tail)])
        var middle: [Step] = []
        if x.count * y.count > maximumPairs || x.isEmpty || y.isEmpty {
            middle = Array(repeating: .removed, count: x.count) + Array(repeating: .added, count: y.count)
        } else {
            // Lengths of the longest common subsequences of the rests.
            let columns = y.count + 1
            var table = [Int32](repeating: 0, count: (x.count + 1) * columns)
            for i in stride(from: x.count - 1, through: 0, by: -1) {
                for j in stride(from: y.count - 1, through: 0, by: -1) {
                    table[i * columns + j] =
                        x[head + i] == y[head + j]
                        ? table[(i + 1) * columns + j + 1] + 1
                        : max(table[(i + 1) * columns + j], table[i * columns + j + 1])
                }
            }
            var (i, j) = (0, 0)
            while i < x.count || j < y.count {
                if i < x.count, j < y.count, x[head + i] == y[head + j] {
                    middle.append(.same)
                    (i, j) = (i + 1, j + 1)
                } else if j == y.count || i < x.count && table[(i + 1) * columns + j] >= table[i * columns + j + 1] {
                    middle.append(.removed)
                    i += 1
                } else {
                    middle.append(.added)
                    j += 1
                }
            }
        }
        return Array(repeating: .same, count: head) + middle + Array(repeating: .same, count: tail)
    }
}
