// SPDX-License-Identifier: Apache-2.0

/// A product's outputs cut into tiles: ranges of weight rows by ranges of tokens.
struct Tiling {
    /// Outputs of a product that one thread computes at once.
    struct Tile {
        var rows: Range<Int>
        var tokens: Range<Int>
    }

    private let rows: Int
    private let rowStep: Int
    private let tokens: Int
    private let tokenStep: Int
    private let rowPieces: Int
    /// The number of tiles.
    let count: Int

    /// Cuts `rows` weight rows into about `pieces` ranges of whole units, and `all` tokens into ranges of `tokens`.
    @inline(__always)
    init(_ rows: Int, _ pieces: Int, _ unit: Int, tokens: Int, of all: Int) {
        self.rows = rows
        self.tokens = all
        rowStep = max(((rows + pieces - 1) / max(pieces, 1) + unit - 1) / unit, 1) * unit
        tokenStep = max(tokens, 1)
        rowPieces = (rows + rowStep - 1) / rowStep
        count = rowPieces * ((all + tokenStep - 1) / tokenStep)
    }

    /// The tile of an index below ``count``: the ranges of rows of the first tokens come first.
    @inline(__always)
    subscript(_ index: Int) -> Tile {
        let (row, token) = (index % rowPieces * rowStep, index / rowPieces * tokenStep)
        return Tile(rows: row..<min(row + rowStep, rows), tokens: token..<min(token + tokenStep, tokens))
    }
}
