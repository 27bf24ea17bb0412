// SPDX-License-Identifier: Apache-2.0

import CKernels
import ModelFiles

/// The adapters of a model in the layout that products read, all adapters of a matrix as one.
///
/// Nothing in an adapter file is trusted, and nothing in it is left out: what is no pair of matrices that fits a matrix
/// of the model is refused by name.
final class AdapterSet: @unchecked Sendable {
    // Unchecked: nothing is written after `init`.

    /// Where the pair for a matrix lies in the memory, in floats.
    private struct Place {
        var rank = 0
        var columns = 0
        var rows = 0
        var narrow = 0
        var long = 0
    }

    /// A pair of tensors of one file, for one matrix of the model.
    private struct Pair {
        var target: String
        var file: GGUFFile
        var a: TensorInfo
        var b: TensorInfo
        var scale: Float
        /// The first of its ranks among those of all adapters for the matrix.
        var firstRank: Int

        var rank: Int { a.rowCount }
    }

    /// The most ranks that the adapters of one matrix may have together, and the most adapters.
    static let (mostRanks, mostAdapters) = (4096, 64)

    /// The bytes that the adapters take.
    let byteCount: Int
    /// The highest rank of any matrix; 0 without adapters.
    let highestRank: Int
    private var places: [String: Place] = [:]
    /// For refusals: a file and tensor that change the matrix.
    private var sources: [String: (path: String, tensor: TensorInfo)] = [:]
    private let memory: Memory?

    /// Reads and checks adapters for the tensors of a model.
    ///
    /// - Parameter isLoaded: Without it files are checked and sizes counted only; no pointer may be read then.
    init(
        _ adapters: [ModelOptions.Adapter], for model: GGUFFile, _ configuration: ModelConfiguration, isLoaded: Bool
    ) throws(InferenceError) {
        guard adapters.count <= Self.mostAdapters else {
            throw InferenceError(
                .adapter, "\(adapters.count) adapters were given; at most \(Self.mostAdapters) are taken")
        }
        var pairs: [Pair] = []
        for adapter in adapters {
            do {
                try Self.read(adapter, for: model, configuration, &pairs, &places, &sources)
            } catch let error as InferenceError {
                throw error
            } catch {
                throw InferenceError(.adapter, "cannot apply the adapter '\(adapter.path)': \(error)", cause: error)
            }
        }
        var floats = 0
        for name in places.keys.sorted() {
            guard var place = places[name] else { continue }
            // Ranks are limited and the model's matrices lie in its file: no product here comes near an overflow.
            place.narrow = floats
            floats += (place.rank * place.columns + 15) / 16 * 16
            place.long = floats
            floats += (place.rank * place.rows + 15) / 16 * 16
            places[name] = place
        }
        byteCount = floats * 4
        highestRank = places.values.map(\.rank).max() ?? 0
        memory = isLoaded && floats > 0 ? try Memory(byteCount: byteCount, for: "the adapters") : nil
        guard memory != nil else { return }
        for pair in pairs {
            do {
                try fill(pair)
            } catch {
                throw InferenceError(.adapter, "cannot apply the adapter '\(pair.file.path)': \(error)", cause: error)
            }
        }
    }

    /// What is added to the matrix of that name; nil if nothing is.
    func lowRank(_ name: String) -> LowRank? {
        guard let place = places[name] else { return nil }
        // While sizes are counted, any pointer will do: nothing reads it.
        let base = memory.map { UnsafePointer($0.base.assumingMemoryBound(to: Float.self)) } ?? Self.placeholder
        let isLoaded = memory != nil
        return LowRank(
            rank: place.rank, narrow: isLoaded ? base + place.narrow : base, long: isLoaded ? base + place.long : base,
            stride: place.rows)
    }

    nonisolated(unsafe) private static let placeholder = UnsafePointer(
        UnsafeMutablePointer<Float>.allocate(capacity: 1))

    /// Refuses adapters for tensors that no product of the model reads.
    ///
    /// - Parameter multiplied: The names of the matrices that are.
    func check(_ multiplied: Set<String>, _ configuration: ModelConfiguration) throws(InferenceError) {
        for (name, source) in sources.sorted(by: { $0.key < $1.key })
        where !multiplied.contains(name) {
            let error = ModelFileError(
                .mismatched,
                "'\(name)' is not a matrix that activations are multiplied by in '\(configuration.architecture.rawValue)'",
                field: "tensor '\(source.tensor.name)'", offset: source.tensor.offset)
            throw InferenceError(.adapter, "cannot apply the adapter '\(source.path)': \(error)", cause: error)
        }
    }

    // MARK: Files

    private static let suffixes = (a: ".lora_a", b: ".lora_b")

    private static func read(
        _ adapter: ModelOptions.Adapter, for model: GGUFFile, _ configuration: ModelConfiguration, _ pairs: inout [Pair],
        _ places: inout [String: Place], _ sources: inout [String: (path: String, tensor: TensorInfo)]
    ) throws {
        guard adapter.scale.isFinite else {
            throw InferenceError(
                .adapter, "the scale of the adapter '\(adapter.path)' is \(adapter.scale), which is not a finite number")
        }
        let file = try GGUFFile(path: adapter.path)
        let alpha = try alpha(file, configuration)
        guard !file.tensors.isEmpty else {
            throw ModelFileError(.missing, "the file has no tensors", field: "tensors", offset: 8)
        }
        for tensor in file.tensors {
            func refuse(_ code: ModelFileError.Code, _ message: String) -> ModelFileError {
                ModelFileError(code, message, field: "tensor '\(tensor.name)'", offset: tensor.offset)
            }
            let isA = tensor.name.hasSuffix(suffixes.a)
            guard isA || tensor.name.hasSuffix(suffixes.b) else {
                throw refuse(.mismatched, "the name ends in neither '\(suffixes.a)' nor '\(suffixes.b)'")
            }
            let target = String(tensor.name.dropLast(suffixes.a.count))
            let partnerName = target + (isA ? suffixes.b : suffixes.a)
            guard let partner = file.tensor(named: partnerName) else {
                throw refuse(.missing, "its partner '\(partnerName)' is missing")
            }
            guard let matrix = model.tensor(named: target) else {
                throw refuse(.mismatched, "the model has no tensor '\(target)'")
            }
            if target == "token_embd.weight" {
                throw refuse(.mismatched, "adapters of the embedding are not supported")
            }
            guard tensor.dimensions.count <= 2 else {
                throw refuse(.mismatched, "has the shape \(tensor.shape), expected a matrix")
            }
            // The pair is looked at once, with A.
            guard isA else { continue }
            guard tensor.rowLength == matrix.rowLength else {
                throw refuse(
                    .mismatched,
                    "has the shape \(tensor.shape), expected \(matrix.rowLength) x rank for the model's \(matrix.shape)")
            }
            guard partner.rowLength == tensor.rowCount, partner.rowCount == matrix.rowCount else {
                throw ModelFileError(
                    .mismatched,
                    "has the shape \(partner.shape), expected \(tensor.rowCount) x \(matrix.rowCount): the rank of "
                        + "'\(tensor.name)' by the rows of the model's \(matrix.shape)",
                    field: "tensor '\(partner.name)'", offset: partner.offset)
            }
            let scale = adapter.scale * (alpha / Float(tensor.rowCount))
            guard scale.isFinite else {
                throw refuse(.mismatched, "\(adapter.scale) by alpha \(alpha) by rank is not a finite number")
            }
            var place = places[target] ?? Place(columns: matrix.rowLength, rows: matrix.rowCount)
            guard tensor.rowCount <= mostRanks, place.rank + tensor.rowCount <= mostRanks else {
                throw refuse(
                    .mismatched,
                    "the ranks of all adapters for it are \(place.rank + tensor.rowCount); at most \(mostRanks) are taken")
            }
            pairs.append(
                Pair(target: target, file: file, a: tensor, b: partner, scale: scale, firstRank: place.rank))
            place.rank += tensor.rowCount
            places[target] = place
            sources[target] = (file.path, tensor)
        }
    }

    /// Checks the metadata and returns the alpha that products are scaled by.
    private static func alpha(_ file: GGUFFile, _ configuration: ModelConfiguration) throws -> Float {
        func refuse(_ key: String, _ message: String) -> ModelFileError {
            ModelFileError(.mismatched, message, field: "metadata '\(key)'", offset: file.offset(of: key))
        }
        for (key, expected) in [
            ("general.type", "adapter"), ("adapter.type", "lora"),
            ("general.architecture", configuration.architecture.rawValue),
        ] {
            guard let text = try file.string(key) else {
                throw ModelFileError(.missing, "is missing", field: "metadata '\(key)'")
            }
            guard text == expected else {
                throw refuse(key, "'\(text)' where '\(expected)' is expected")
            }
        }
        // Whatever else the file says of the adapter may change what it means, but for the name of what it is for.
        let known = ["adapter.type", "adapter.lora.alpha", "adapter.lora.task_name"]
        for key in file.keys where key.hasPrefix("adapter.") && !known.contains(key) {
            throw refuse(key, "is not known")
        }
        let key = "adapter.lora.alpha"
        guard let value = try file.float(key) else {
            throw ModelFileError(.missing, "is missing", field: "metadata '\(key)'")
        }
        let alpha = Float(value)
        guard alpha.isFinite, alpha != 0 else {
            throw refuse(key, "\(value) is not a number that products can be scaled by")
        }
        return alpha
    }

    // MARK: Values

    /// Expands a pair into the memory, the second matrix scaled and transposed.
    private func fill(_ pair: Pair) throws(ModelFileError) {
        guard let place = places[pair.target], let base = memory?.base.assumingMemoryBound(to: Float.self) else { return }
        let narrow = base + place.narrow + pair.firstRank * place.columns
        let long = base + place.long + pair.firstRank * place.rows
        try rows(pair.a, pair.file) { row, values in
            (narrow + row * place.columns).update(from: values, count: place.columns)
        }
        try rows(pair.b, pair.file, scale: pair.scale) { row, values in
            for index in 0..<pair.rank { long[index * place.rows + row] = values[index] }
        }
    }

    /// Calls `body` with each row of a tensor as float32, times `scale`.
    private func rows(
        _ tensor: TensorInfo, _ file: GGUFFile, scale: Float = 1, _ body: (Int, UnsafePointer<Float>) -> Void
    ) throws(ModelFileError) {
        guard let source = file.bytes(of: tensor).baseAddress else { return }
        var buffer = [Float](repeating: 0, count: tensor.rowLength)
        for row in 0..<tensor.rowCount {
            let isFinite = buffer.withUnsafeMutableBufferPointer { buffer in
                guard let target = buffer.baseAddress else { return true }
                ck_dequantize_row(
                    ck_format(tensor.format.rawValue), source + row * tensor.rowBytes, target, tensor.rowLength)
                if scale != 1 { ck_scale(target, scale, tensor.rowLength) }
                body(row, target)
                return buffer.allSatisfy(\.isFinite)
            }
            guard isFinite else {
                throw ModelFileError(
                    .malformed, "row \(row) holds a value that is not finite\(scale == 1 ? "" : " when scaled")",
                    field: "tensor '\(tensor.name)'", offset: tensor.offset + row * tensor.rowBytes)
            }
        }
    }
}
