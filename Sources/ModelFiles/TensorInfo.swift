// SPDX-License-Identifier: Apache-2.0

/// Where a tensor lies in a model file, and its shape.
public struct TensorInfo: Hashable, Sendable {
    /// The name, such as `blk.0.attn_q.weight`.
    public let name: String
    /// The dimensions, the fastest running (the row length) first; one to four, all at least one.
    public let dimensions: [Int]
    /// How the values are stored.
    public let format: WeightFormat
    /// The offset of the first byte from the start of the file; the tensor lies wholly inside the file.
    public let offset: Int
    /// The number of bytes.
    public let byteCount: Int

    /// The number of values in a row.
    public var rowLength: Int { dimensions[0] }
    /// The number of rows: the product of the other dimensions.
    public var rowCount: Int { dimensions.dropFirst().reduce(1, *) }
    /// The number of bytes of a row.
    public var rowBytes: Int { rowLength / format.blockLength * format.blockBytes }
    /// The shape as text, such as `576 x 1536`.
    public var shape: String { dimensions.map(String.init).joined(separator: " x ") }
}
