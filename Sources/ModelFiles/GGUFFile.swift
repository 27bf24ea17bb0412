// SPDX-License-Identifier: Apache-2.0

/// A GGUF model file (version 2 or 3), mapped into memory and checked.
///
/// After `init` every metadata value and every tensor is known to lie inside the file: counts, lengths, offsets,
/// types and products were checked without overflow, names are unique, and tensors do not overlap.
///
///     let file = try GGUFFile(path: "model.gguf")
///     let architecture = try file.string("general.architecture")
///     for tensor in file.tensors { print(tensor.name, tensor.format, tensor.shape) }
///
/// Opening costs a walk over the metadata and the tensor table; the weights are not read.
public final class GGUFFile: Sendable {
    /// The path the file was opened from.
    public let path: String
    /// The GGUF version: 2 or 3.
    public let version: Int
    /// The alignment of tensor data, a power of two.
    public let alignment: Int
    /// The metadata keys in file order.
    public let keys: [String]
    /// The tensors in file order.
    public let tensors: [TensorInfo]
    /// The number of bytes of the file.
    public var byteCount: Int { mapping.count }

    let mapping: MappedFile
    let entries: [String: GGUFEntry]
    private let tensorIndex: [String: Int]
    /// The bytes before the first tensor: header, metadata, tensor table.
    private let headerEnd: Int

    /// Opens and checks a file.
    ///
    /// - Throws: ``ModelFileError`` that names the field and the byte offset.
    public init(path: String) throws(ModelFileError) {
        let mapping = try MappedFile(path: path)
        var parser = GGUFParser(bytes: mapping.bytes)
        try parser.parse()
        self.path = path
        self.mapping = mapping
        version = parser.version
        alignment = parser.alignment
        keys = parser.keys
        entries = parser.entries
        tensors = parser.tensors
        tensorIndex = parser.tensorIndex
        headerEnd = parser.cursor.offset
    }

    /// The tensor of that name, or nil.
    public func tensor(named name: String) -> TensorInfo? { tensorIndex[name].map { tensors[$0] } }

    /// The bytes of a tensor of this file, in place; valid as long as this object.
    public func bytes(of tensor: TensorInfo) -> UnsafeRawBufferPointer {
        precondition(
            tensor.offset >= 0 && tensor.byteCount >= 0 && tensor.offset <= mapping.count - tensor.byteCount,
            "tensor of another file"
        )
        return UnsafeRawBufferPointer(rebasing: mapping.bytes[tensor.offset..<tensor.offset + tensor.byteCount])
    }

    /// Calls `body` with the bytes of a tensor of this file, in place.
    public func withBytes<R>(of tensor: TensorInfo, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(bytes(of: tensor))
    }

    /// Gives the memory of a tensor's pages back to the system; reading it again loads it from the file.
    public func releasePages(of tensor: TensorInfo) {
        mapping.releasePages(tensor.offset..<tensor.offset + tensor.byteCount)
    }

    /// Gives the memory of the whole pages behind some rows of a tensor back to the system.
    public func releasePages(of tensor: TensorInfo, rows: Range<Int>) {
        let first = tensor.offset + rows.lowerBound * tensor.rowBytes
        mapping.releasePages(first..<first + rows.count * tensor.rowBytes)
    }

    /// Gives the memory of the metadata's pages back to the system; reading it again loads it from the file.
    public func releaseMetadataPages() { mapping.releasePages(0..<headerEnd) }

    /// Asks the system to read a tensor ahead.
    public func willNeed(_ tensor: TensorInfo) {
        mapping.willNeed(tensor.offset..<tensor.offset + tensor.byteCount)
    }
}
