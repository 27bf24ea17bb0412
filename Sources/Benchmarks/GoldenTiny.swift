// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inference
import ModelFiles

/// One tiny model with its recorded rows, logits and continuations.
struct GoldenTiny {
    let fixture: GoldenObject
    let path: String
    let threads: Int

    private struct Tolerance {
        var max: Double
        var rms: Double
    }

    func run(_ checks: inout GoldenChecks) throws {
        let file = try GGUFFile(path: path)
        try checkRows(file, &checks)
        let isGemma = try fixture.string("architecture").hasPrefix("gemma")
        let isFloat = ["F32", "F16", "BF16"].contains(try fixture.string("weight_type"))
        let runs = try fixture.objects("runs")

        let exact = Tolerance(max: isGemma ? 2e-2 : 1e-3, rms: isGemma ? 2e-2 : 1e-3)
        let reference = try Model(path: path, options: .reference)
        var worst = Tolerance(max: 0, rms: 0)
        var greedy = (0, 0)
        for run in runs {
            try check(
                run, on: reference, expected: ["_exact_f32"], greedyPrefix: "exact_f32_", exact, "exact", &worst,
                &greedy, &checks)
        }
        checks.figures.append(
            "exact max \(format(worst.max)) rms \(format(worst.rms)) greedy \(greedy.0)/\(greedy.1)")

        let noise = isFloat ? Tolerance(max: 0.1, rms: 0.02) : Tolerance(max: 1.0, rms: 0.25)
        let fast = try Model(path: path, options: ModelOptions(threads: threads))
        worst = Tolerance(max: 0, rms: 0)
        greedy = (0, 0)
        for run in runs {
            try check(
                run, on: fast, expected: isFloat ? [""] : ["", "_exact_f32"], greedyPrefix: "", noise, "default",
                &worst, &greedy, &checks)
        }
        checks.figures.append(
            "default max \(format(worst.max)) rms \(format(worst.rms)) greedy \(greedy.0)/\(greedy.1)")
    }

    private func checkRows(_ file: GGUFFile, _ checks: inout GoldenChecks) throws {
        let rows = try fixture.objects("rows")
        var exact = 0
        for row in rows {
            let name = try row.string("tensor")
            let expected = try row.floats("first64_b64")
            guard let tensor = file.tensor(named: name), try row.string("type") == tensor.format.description,
                let values = WeightRows.expanded(file, tensor, row: try row.int("row"))
            else {
                checks.misses.append("row of \(name): not found")
                continue
            }
            // Exact but for the last bit of float32.
            let isEqual = zip(values, expected).allSatisfy { abs($0 - $1) <= $1.ulp }
            if isEqual, values.count >= expected.count {
                exact += 1
            } else {
                checks.misses.append("row \(try row.int("row")) of \(name) differs")
            }
        }
        checks.figures.append("rows \(exact)/\(rows.count)")
    }

    /// Compares one run; of several expected results the nearest counts.
    private func check(
        _ run: GoldenObject, on model: Model, expected suffixes: [String], greedyPrefix: String,
        _ tolerance: Tolerance, _ label: String, _ worst: inout Tolerance, _ greedy: inout (Int, Int),
        _ checks: inout GoldenChecks
    ) throws {
        let name = try run.string("prompt")
        let ids = try run.tokens("ids")
        let session = try InferenceSession(model, contextLength: try run.int("n_ctx"))
        var comparisons: [(String, [Float], [[Float]])] = []
        if run.has("positions") {
            let positions = try run.ints("positions")
            try session.prefill(ids, logitsAtAll: true)
            guard positions.allSatisfy({ (0..<ids.count).contains($0) }) else {
                throw GoldenFormatError(description: "'positions' has a position outside the prompt")
            }
            let references = try suffixes.map { try run.floats("logits_at_positions\($0)_b64") }
            comparisons.append((name + " positions", positions.flatMap { Array(session.logits(at: $0)) }, references))
            session.truncate(to: 0)
        }
        try session.prefill(ids)
        comparisons.append(
            (name, Array(session.logits), try suffixes.map { try run.floats("logits_last\($0)_b64") }))
        for (place, values, references) in comparisons {
            let differences = references.map { GoldenChecks.difference(values, $0) }
            guard let nearest = differences.min(by: { $0.max < $1.max }) else { continue }
            worst = Tolerance(max: max(worst.max, nearest.max), rms: max(worst.rms, nearest.rms))
            if nearest.max > tolerance.max || nearest.rms > tolerance.rms {
                checks.misses.append(
                    "\(label) \(place): max \(format(nearest.max)) (\(tolerance.max)) rms \(format(nearest.rms)) "
                        + "(\(tolerance.rms))")
            }
        }
        let tokens = try run.tokens(greedyPrefix + "greedy_ids")
        let margins = try run.doubles(greedyPrefix + "greedy_margins")
        for (token, margin) in zip(tokens, margins) {
            let chosen = session.argmax()
            greedy.1 += 1
            if chosen == token || margin < tolerance.max {
                greedy.0 += 1
            } else {
                checks.misses.append("\(label) \(name): greedy token \(chosen), expected \(token), margin \(margin)")
            }
            if session.position < session.contextLength { try session.decode(token) }
        }
    }
}

/// A figure with three significant digits.
func format(_ value: Double) -> String { String(format: "%.3g", value) }
