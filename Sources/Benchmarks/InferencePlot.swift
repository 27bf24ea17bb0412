// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Draws the figures of the inference bench as horizontal bars, one panel for each kind.
package enum InferencePlot {
    private struct Panel {
        var title: String
        var unit: String
        var bars: [(label: String, value: Double)]
    }

    private static let (width, left, bar, gap) = (720.0, 250.0, 18.0, 6.0)

    /// The plot as a standalone SVG file; it follows the reader's light or dark scheme.
    package static func svg(_ figures: [InferenceBench.Figures]) -> String {
        var panels: [Panel] = []
        func threads(_ figure: InferenceBench.Figures) -> String {
            figure.threads == 1 ? "1 thread" : "\(figure.threads) threads"
        }
        panels.append(
            Panel(
                title: "Prompt of \(figures.first?.promptTokens ?? 0) tokens", unit: "tokens/s",
                bars: figures.map { (threads($0), $0.prefillTokensPerSecond) }))
        var decode: [(label: String, value: Double)] = []
        for figure in figures where figure.generatedTokens > 0 {
            decode.append((threads(figure) + ", after the prompt", figure.decodeTokensPerSecond))
            decode += figure.depths.map { (threads(figure) + ", after \($0.tokens) tokens", $0.tokensPerSecond) }
            if let together = figure.batchTokensPerSecond {
                decode.append((threads(figure) + ", \(figure.sequences) sequences", together))
            }
        }
        if !decode.isEmpty { panels.append(Panel(title: "Generating", unit: "tokens/s", bars: decode)) }
        for figure in figures where !figure.extraction.isEmpty {
            panels.append(
                Panel(
                    title: "Text to document, \(threads(figure))", unit: "s",
                    bars: figure.extraction.map { ($0.variant.rawValue, $0.seconds) }))
        }
        var body = ""
        var y = 44.0
        for panel in panels {
            body += "<text class=\"t\" x=\"16\" y=\"\(y)\">\(escape(panel.title)) (\(panel.unit))</text>\n"
            y += 12
            let most = max(panel.bars.map(\.value).max() ?? 1, 1e-9)
            for (label, value) in panel.bars {
                let length = value / most * (width - left - 90)
                let number = String(format: value < 10 ? "%.2f" : "%.0f", value)
                body += "<text class=\"l\" x=\"\(left - 8)\" y=\"\(y + bar - 5)\">\(escape(label))</text>"
                body += "<rect x=\"\(left)\" y=\"\(y)\" width=\"\(String(format: "%.1f", length))\" height=\"\(bar)\" rx=\"2\"/>"
                body += "<text class=\"n\" x=\"\(String(format: "%.1f", left + length + 6))\" y=\"\(y + bar - 5)\">\(number)</text>\n"
                y += bar + gap
            }
            y += 26
        }
        let name = figures.first?.model.split(separator: "/").last.map(String.init) ?? ""
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(Int(y))" width="\(Int(width))" height="\(Int(y))" role="img">
            <title>\(escape(name))</title>
            <style>
            svg { background: #fff; font: 13px sans-serif } text { fill: #222 } rect { fill: #3b6ea8 }
            .t { font-weight: bold } .l { text-anchor: end }
            @media (prefers-color-scheme: dark) { svg { background: #1b1b1b } text { fill: #ddd } rect { fill: #7fa9d6 } }
            </style>
            <text class="t" x="16" y="22">\(escape(name))</text>
            \(body)</svg>

            """
    }

    private static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
