// SPDX-License-Identifier: Apache-2.0

import CKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The computation of a batch of tokens, run by all threads of a pool together.
///
/// The rows of a batch may belong to several sequences: products, norms and the feed-forward work on all rows alike, and
/// only positions, keys and values go by ``Segment``. A row's result does not depend on the rows beside it.
///
/// A layer has five phases for the threads to share: queries, keys and values by head; attention by head and run of
/// positions; the attention's output matrix; gate and up; down. Between them lie operations on single rows. Of a batch
/// they are shared by rows; of a single token every thread does them in its own buffers, which saves a barrier each.
struct ForwardPass {
    private let configuration: ModelConfiguration
    private let weights: ModelWeights
    private let workspace: Workspace

    init(_ model: Model, _ workspace: Workspace) {
        configuration = model.configuration
        weights = model.weights
        self.workspace = workspace
    }

    /// The rows that a phase works on: the shared buffers, or a thread's own for a single row.
    private struct Rows {
        var count: Int
        var x: UnsafeMutablePointer<Float>
        var activations: ActivationRows
    }

    /// Computes the cosines and sines of a single token's position; a batch's are computed by ``run`` itself.
    func prepare(_ batch: RowBatch) {
        if batch.count == 1 { fillRope(row: 0, batch.segments[0]) }
    }

    private func fillRope(row: Int, _ segment: Segment) {
        let rotated = configuration.ropeDimension
        let position = segment.start + row - segment.row
        ck_rope_table(
            position, rotated, Float(configuration.ropeBase), Float(configuration.ropeScale), segment.divisors,
            configuration.ropeMagnitude, workspace.rope + row * rotated)
        if configuration.window != nil {
            ck_rope_table(
                position, rotated, Float(configuration.windowRopeBase), Float(configuration.windowRopeScale), nil, configuration.ropeMagnitude,
                workspace.windowRope + row * rotated)
        }
    }

    /// Runs all layers for the tokens of a batch, and leaves each sequence's normalised output where its segment says.
    ///
    /// - Parameters:
    ///   - keepsAll: Whether the result of every row is needed, not only of each sequence's last.
    ///   - logits: Receives the logits of the rows kept, or nil.
    func run(_ batch: RowBatch, keepsAll: Bool, logits: UnsafeMutablePointer<Float>?, _ team: Team) {
        let (width, count, segments) = (configuration.embeddingLength, batch.count, batch.segments)
        let own = workspace.threads[team.index]
        var rows =
            count == 1
            ? Rows(count: 1, x: own.x, activations: own.activations)
            : Rows(count: count, x: workspace.x, activations: workspace.activations)
        eachRow(count, team) { row in
            if count > 1 { fillRope(row: row, segments[Int(batch.segmentOfRow[row])]) }
            let x = rows.x + row * width
            weights.embedding.expandRow(Int(batch.tokens[row]), to: x)
            if configuration.embeddingScale != 1 { ck_scale(x, configuration.embeddingScale, width) }
        }
        for index in 0..<weights.layerCount {
            let layer = weights.layers + index
            let isLast = index == weights.layerCount - 1
            let next = isLast ? weights.outputNorm : layer[1].attentionNorm
            if index == 0 {
                eachRow(rows.count, team) { row in normalize(rows, row, layer.pointee.attentionNorm) }
            }
            // Only the last rows' output is needed after the last layer: the others stop at their keys and values.
            let drops = isLast && !keepsAll && segments.count < count
            let kept = drops ? lastRows(rows, batch, own, team) : rows
            project(layer, index, batch, rows, kept: kept, own, team)
            attend(layer, index, batch, drops ? batch.lastRuns : batch.runs, kept.count, own, team)
            rows = kept
            finishAttention(layer, rows, own, team)
            feedForward(layer, rows, next, own, team)
        }
        if team.index == 0 {
            for index in segments.indices {
                let segment = segments[index]
                let row = rows.count == segments.count ? index : segment.row + segment.count - 1
                let last = rows.activations.dropping(row)
                segment.hidden.floats.update(from: last.floats, count: width)
                if weights.head.layout == .packed {
                    segment.hidden.quantized.copyMemory(
                        from: last.quantized, byteCount: segment.hidden.quantizedStride)
                }
            }
        }
        if let logits { head(rows.activations, count: rows.count, to: logits, team) }
    }

    /// The last row of each sequence, one after another in buffers of their own.
    private func lastRows(_ rows: Rows, _ batch: RowBatch, _ own: Workspace.ThreadBuffers, _ team: Team) -> Rows {
        let width = configuration.embeddingLength
        let count = batch.segments.count
        let kept =
            count == 1
            ? Rows(count: 1, x: own.x, activations: own.activations)
            : Rows(count: count, x: workspace.keptX, activations: workspace.keptActivations)
        eachRow(count, team) { index in
            let row = batch.segments[index].row + batch.segments[index].count - 1
            (kept.x + index * width).update(from: rows.x + row * width, count: width)
            let (from, to) = (rows.activations.dropping(row), kept.activations.dropping(index))
            to.floats.update(from: from.floats, count: width)
            to.quantized.copyMemory(from: from.quantized, byteCount: to.quantizedStride)
        }
        return kept
    }

    // MARK: Phases of a layer

    /// Computes queries, keys and values by head, rotates them, and stores keys and values.
    private func project(
        _ layer: UnsafeMutablePointer<LayerWeights>, _ index: Int, _ batch: RowBatch, _ rows: Rows, kept: Rows,
        _ own: Workspace.ThreadBuffers, _ team: Team
    ) {
        let length = configuration.headLength
        let rope = configuration.hasWindow(layer: index) ? workspace.windowRope : workspace.rope
        let query = tiling(layer.pointee.query, kept.count, unit: headsPerUnit * length, team)
        let keys = tiling(layer.pointee.key, rows.count, unit: headsPerUnit * length, team)
        let values = tiling(layer.pointee.value, rows.count, unit: headsPerUnit * length, team)
        if weights.highestRank > 0 {
            narrow(
                (layer.pointee.query.lowRank, kept.activations, kept.count),
                (layer.pointee.key.lowRank, rows.activations, rows.count),
                (layer.pointee.value.lowRank, rows.activations, rows.count), columns: layer.pointee.query.columns, team)
        }
        team.forEach(query.count + keys.count + values.count) { chunk in
            if chunk < query.count {
                let tile = query[chunk]
                project(
                    layer.pointee.query, kept.activations, tile, to: workspace.query, configuration.queryLength,
                    layer.pointee.queryBias, narrowed: 0, own)
                for row in tile.tokens {
                    let base = workspace.query + row * configuration.queryLength + tile.rows.lowerBound
                    let source =
                        kept.count == rows.count ? row : batch.segments[row].row + batch.segments[row].count - 1
                    turn(
                        base, tile.rows.count / length, layer.pointee.queryNorm,
                        rope + source * configuration.ropeDimension)
                }
                return
            }
            let isKey = chunk < query.count + keys.count
            let tile = isKey ? keys[chunk - query.count] : values[chunk - query.count - keys.count]
            let buffer = isKey ? workspace.key : workspace.value
            project(
                isKey ? layer.pointee.key : layer.pointee.value, rows.activations, tile, to: buffer,
                configuration.keyLength, isKey ? layer.pointee.keyBias : layer.pointee.valueBias,
                narrowed: isKey ? 1 : 2, own)
            let heads = tile.rows.lowerBound / length..<tile.rows.upperBound / length
            for row in tile.tokens {
                let base = buffer + row * configuration.keyLength
                if isKey {
                    turn(
                        base + heads.lowerBound * length, heads.count, layer.pointee.keyNorm,
                        rope + row * configuration.ropeDimension)
                }
                let segment = batch.segments[Int(batch.segmentOfRow[row])]
                let (cache, position) = (segment.cache, segment.start + row - segment.row)
                for head in heads {
                    if isKey {
                        cache.storeKey(base + head * length, at: position, in: cache.keys(layer: index, head: head))
                    } else {
                        cache.storeValue(
                            base + head * length, at: position, in: cache.values(layer: index, head: head))
                    }
                }
            }
        }
    }

    /// Heads that must be projected together: their rows start and end at groups of the packed layout.
    private var headsPerUnit: Int {
        let group = Int(CK_GROUP_ROWS)
        var heads = 1
        while heads < configuration.headCount, heads * configuration.headLength % group != 0 { heads += 1 }
        return heads * configuration.headLength % group == 0 ? heads : configuration.headCount
    }

    /// Multiplies a tile of whole heads, and adds their biases.
    @inline(__always)
    private func project(
        _ matrix: WeightMatrix, _ input: ActivationRows, _ tile: Tiling.Tile, to out: UnsafeMutablePointer<Float>,
        _ stride: Int, _ bias: UnsafePointer<Float>?, narrowed slot: Int, _ own: Workspace.ThreadBuffers
    ) {
        matrix.multiply(
            input.dropping(tile.tokens.lowerBound), count: tile.tokens.count, rows: tile.rows,
            out: out + tile.tokens.lowerBound * stride, stride: stride, panel: own.panel)
        addLowRank(matrix, slot, tile, to: out, stride)
        guard let bias else { return }
        for row in tile.tokens {
            let target = out + row * stride + tile.rows.lowerBound
            ck_add(target, bias + tile.rows.lowerBound, target, tile.rows.count)
        }
    }

    /// Normalises and rotates heads of one position in place.
    @inline(__always)
    private func turn(
        _ heads: UnsafeMutablePointer<Float>, _ count: Int, _ norm: UnsafePointer<Float>?, _ rope: UnsafePointer<Float>
    ) {
        let length = configuration.headLength
        if let norm {
            for head in 0..<count {
                ck_rms_norm(heads + head * length, norm, configuration.normEpsilon, heads + head * length, length)
            }
        }
        if configuration.ropeHalves {
            ck_rope_halves(heads, rope, count, length, configuration.ropeDimension)
        } else {
            ck_rope_adjacent(heads, rope, count, length, configuration.ropeDimension)
        }
    }

    /// Replaces the queries of `count` rows by the attention's result.
    private func attend(
        _ layer: UnsafeMutablePointer<LayerWeights>, _ index: Int, _ batch: RowBatch,
        _ runs: UnsafeBufferPointer<AttentionRun>, _ count: Int, _ own: Workspace.ThreadBuffers, _ team: Team
    ) {
        let length = configuration.headLength
        let group = configuration.headCount / configuration.kvHeadCount
        // A single query is shared out by query heads, unless the heads that share keys are enough for all threads.
        let together = count > 1 || configuration.kvHeadCount % team.count == 0 ? group : 1
        let parts = group / together
        let perRun = configuration.kvHeadCount * parts
        let window = configuration.hasWindow(layer: index) ? configuration.window ?? 0 : 0
        team.forEach(runs.count * perRun) { chunk in
            let run = runs[chunk / perRun]
            let cache = batch.segments[run.segment].cache
            let head = chunk / parts % configuration.kvHeadCount
            let queries =
                workspace.query + run.row * configuration.queryLength
                + (head * group + chunk % parts * together) * length
            var attention = ck_attention(
                q: queries, q_stride: configuration.queryLength, out: queries,
                out_stride: configuration.queryLength, k: cache.keys(layer: index, head: head),
                v: cache.values(layer: index, head: head), kv_stride: length, kv_is_f16: cache.isHalf,
                head_size: length, heads: together, queries: run.count, first_position: run.position, window: window,
                scale: configuration.attentionScale,
                softcap: configuration.attentionSoftcap ?? 0)
            ck_attend(&attention, own.attention)
        }
    }

    /// Multiplies by the output matrix, adds the result to the residual stream, and normalises for the feed-forward.
    private func finishAttention(
        _ layer: UnsafeMutablePointer<LayerWeights>, _ rows: Rows, _ own: Workspace.ThreadBuffers, _ team: Team
    ) {
        let input = floatRows(
            workspace.query, configuration.queryLength, rows, quantized: layer.pointee.output.layout == .packed, team)
        multiply(layer.pointee.output, input, rows.count, to: workspace.product, own, team)
        eachRow(rows.count, team) { row in
            addProduct(rows, row, layer.pointee.outputBias, layer.pointee.postAttentionNorm, own)
            normalize(rows, row, layer.pointee.feedForwardNorm)
        }
    }

    /// The gated feed-forward layer; leaves the rows normalised for what follows.
    private func feedForward(
        _ layer: UnsafeMutablePointer<LayerWeights>, _ rows: Rows, _ next: UnsafePointer<Float>,
        _ own: Workspace.ThreadBuffers, _ team: Team
    ) {
        let length = configuration.feedForwardLength
        let isGELU = configuration.usesGELU
        let tiles = tiling(layer.pointee.gate, rows.count, team)
        if weights.highestRank > 0 {
            narrow(
                (layer.pointee.gate.lowRank, rows.activations, rows.count),
                (layer.pointee.up.lowRank, rows.activations, rows.count), columns: layer.pointee.gate.columns, team)
        }
        team.forEach(tiles.count) { chunk in
            let tile = tiles[chunk]
            let (first, range) = (tile.tokens.lowerBound, tile.rows)
            let input = rows.activations.dropping(first)
            layer.pointee.gate.multiply(
                input, count: tile.tokens.count, rows: range, out: workspace.gate + first * length, stride: length,
                panel: own.panel)
            layer.pointee.up.multiply(
                input, count: tile.tokens.count, rows: range, out: workspace.up + first * length, stride: length,
                panel: own.panel)
            addLowRank(layer.pointee.gate, 0, tile, to: workspace.gate, length)
            addLowRank(layer.pointee.up, 1, tile, to: workspace.up, length)
            for row in tile.tokens {
                let gate = workspace.gate + row * length + range.lowerBound
                let up = workspace.up + row * length + range.lowerBound
                if isGELU {
                    ck_gelu_multiply(gate, up, gate, range.count)
                } else {
                    ck_silu_multiply(gate, up, gate, range.count)
                }
            }
        }
        let input = floatRows(
            workspace.gate, length, rows, quantized: layer.pointee.down.layout == .packed, team)
        multiply(layer.pointee.down, input, rows.count, to: workspace.product, own, team)
        eachRow(rows.count, team) { row in
            addProduct(rows, row, nil, layer.pointee.postFeedForwardNorm, own)
            normalize(rows, row, next)
        }
    }

    // MARK: Output head

    /// Computes the logits of normalised rows.
    func head(_ input: ActivationRows, count: Int, to logits: UnsafeMutablePointer<Float>, _ team: Team) {
        let own = workspace.threads[team.index]
        let length = configuration.vocabularySize
        let tiles = tiling(weights.head, count, team)
        if weights.highestRank > 0 { narrow((weights.head.lowRank, input, count), columns: weights.head.columns, team) }
        team.forEach(tiles.count) { chunk in
            let tile = tiles[chunk]
            let out = logits + tile.tokens.lowerBound * length
            weights.head.multiply(
                input.dropping(tile.tokens.lowerBound), count: tile.tokens.count, rows: tile.rows, out: out,
                stride: length, panel: own.panel)
            addLowRank(weights.head, 0, tile, to: logits, length)
            guard let cap = configuration.logitSoftcap else { return }
            for row in tile.tokens {
                for column in tile.rows { capLogit(logits + row * length + column, cap) }
            }
        }
    }

    /// Computes the logits of the rows of several sequences, each into its own memory, as one product.
    ///
    /// - Parameter input: At most ``Workspace/keptRows`` rows, one for each element of `logits`.
    func head(_ input: ActivationRows, to logits: UnsafeBufferPointer<UnsafeMutablePointer<Float>>, _ team: Team) {
        let own = workspace.threads[team.index]
        let length = configuration.vocabularySize
        let step = Workspace.stagedColumns
        if weights.highestRank > 0 {
            narrow((weights.head.lowRank, input, logits.count), columns: weights.head.columns, team)
        }
        team.forEach((length + step - 1) / step) { chunk in
            let range = chunk * step..<min((chunk + 1) * step, length)
            // Results of a chunk are written side by side and moved while they are in the cache.
            weights.head.multiply(
                input, count: logits.count, rows: range, out: own.staged - range.lowerBound, stride: step,
                panel: own.panel)
            addLowRank(
                weights.head, 0, Tiling.Tile(rows: range, tokens: 0..<logits.count),
                to: own.staged - range.lowerBound, step)
            for row in logits.indices {
                let target = logits[row] + range.lowerBound
                target.update(from: own.staged + row * step, count: range.count)
                guard let cap = configuration.logitSoftcap else { continue }
                for column in 0..<range.count { capLogit(target + column, cap) }
            }
        }
    }

    /// Logits of one row of the output head's input that a thread computes at once: small enough to share out, and not
    /// more than fits the thread's row buffer.
    var chosenStep: Int { min(64, configuration.embeddingLength) }

    /// Computes chosen logits of one normalised row.
    func head(_ input: ActivationRows, rows: [Int32], to logits: UnsafeMutablePointer<Float>, _ team: Team) {
        let own = workspace.threads[team.index]
        let step = chosenStep
        rows.withUnsafeBufferPointer { rows in
            guard let base = rows.baseAddress else { return }
            team.forEach((rows.count + step - 1) / step) { chunk in
                let first = chunk * step
                chosen(input, base + first, min(step, rows.count - first), to: logits, own)
            }
        }
    }

    /// Computes chosen logits of several sequences.
    func head(_ chunks: UnsafeBufferPointer<ChosenRows>, _ team: Team) {
        let own = workspace.threads[team.index]
        team.forEach(chunks.count) { index in
            let chunk = chunks[index]
            chosen(chunk.input, chunk.rows, chunk.count, to: chunk.logits, own)
        }
    }

    /// Computes at most ``chosenStep`` logits.
    private func chosen(
        _ input: ActivationRows, _ rows: UnsafePointer<Int32>, _ count: Int, to logits: UnsafeMutablePointer<Float>,
        _ own: Workspace.ThreadBuffers
    ) {
        let matrix = weights.head
        switch matrix.layout {
        case .packed:
            ck_matmul_quantized_rows(
                matrix.format, matrix.weights, matrix.rows, matrix.columns, input.quantized, rows, count, own.row)
        case .float:
            ck_matmul_float_rows(
                matrix.format, matrix.weights, matrix.columns, input.floats, rows, count, own.row)
        case .expanded:
            for index in 0..<count {
                matrix.expandRow(Int(rows[index]), to: own.panel)
                ck_matmul_float(
                    ck_format(CK_F32), own.panel, matrix.columns, input.floats, matrix.columns, 1, 0, 1,
                    own.row + index, 1)
            }
        }
        if let lowRank = matrix.lowRank {
            lowRank.narrow(input, count: 1, columns: matrix.columns, elements: 0..<lowRank.rank, to: own.narrowed)
            for index in 0..<count { lowRank.add(own.narrowed, row: Int(rows[index]), to: own.row + index) }
        }
        for index in 0..<count {
            let target = logits + Int(rows[index])
            target.pointee = own.row[index]
            if let cap = configuration.logitSoftcap { capLogit(target, cap) }
        }
    }

    // MARK: Rows

    /// Calls `body` for each row: shared out for a batch, on every thread for a single row.
    @inline(__always)
    private func eachRow(_ count: Int, _ team: Team, _ body: (Int) -> Void) {
        guard count > 1 else {
            body(0)
            return
        }
        let step = min(8, (count + 2 * team.count - 1) / (2 * team.count))
        team.forEach((count + step - 1) / step) { chunk in
            for row in chunk * step..<min((chunk + 1) * step, count) { body(row) }
        }
    }

    /// Writes the normalised residual row, as float32 and quantized.
    @inline(__always)
    private func normalize(_ rows: Rows, _ row: Int, _ norm: UnsafePointer<Float>) {
        let width = configuration.embeddingLength
        let target = rows.activations.dropping(row)
        ck_rms_norm(rows.x + row * width, norm, configuration.normEpsilon, target.floats, width)
        if weights.usesQuantized, width % 32 == 0 {
            ck_quantize_activations(target.floats, width, 1, width, target.quantized)
        }
    }

    /// Adds the product's row, with its bias and norm, to the residual stream.
    @inline(__always)
    private func addProduct(
        _ rows: Rows, _ row: Int, _ bias: UnsafePointer<Float>?, _ norm: UnsafePointer<Float>?,
        _ own: Workspace.ThreadBuffers
    ) {
        let width = configuration.embeddingLength
        var source = UnsafePointer(workspace.product + row * width)
        if let bias {
            ck_add(source, bias, own.row, width)
            source = UnsafePointer(own.row)
        }
        if let norm {
            ck_rms_norm(source, norm, configuration.normEpsilon, own.row, width)
            source = UnsafePointer(own.row)
        }
        ck_add(rows.x + row * width, source, rows.x + row * width, width)
    }

    /// Shared rows of float32 as the input of a product, quantized where it reads that.
    @inline(__always)
    private func floatRows(
        _ floats: UnsafeMutablePointer<Float>, _ length: Int, _ rows: Rows, quantized: Bool, _ team: Team
    ) -> ActivationRows {
        let stride = quantized ? ck_activation_row_bytes(length) : 0
        if quantized {
            eachRow(rows.count, team) { row in
                ck_quantize_activations(
                    floats + row * length, length, 1, length, rows.activations.quantized + row * stride)
            }
        }
        return ActivationRows(
            floats: floats, stride: length, quantized: rows.activations.quantized, quantizedStride: stride)
    }

    /// Multiplies by a matrix, shared out by its rows.
    @inline(__always)
    private func multiply(
        _ matrix: WeightMatrix, _ input: ActivationRows, _ count: Int, to out: UnsafeMutablePointer<Float>,
        _ own: Workspace.ThreadBuffers, _ team: Team
    ) {
        let tiles = tiling(matrix, count, team)
        if weights.highestRank > 0 { narrow((matrix.lowRank, input, count), columns: matrix.columns, team) }
        team.forEach(tiles.count) { chunk in
            let tile = tiles[chunk]
            matrix.multiply(
                input.dropping(tile.tokens.lowerBound), count: tile.tokens.count, rows: tile.rows,
                out: out + tile.tokens.lowerBound * matrix.rows, stride: matrix.rows, panel: own.panel)
            addLowRank(matrix, 0, tile, to: out, matrix.rows)
        }
    }

    // MARK: Adapters

    /// A product that adapters add to: what they add, its input, and the number of rows.
    private typealias Narrowing = (lowRank: LowRank?, input: ActivationRows, count: Int)

    /// Applies the first matrices of adapters to the inputs of up to three products, each into its own shared buffer.
    ///
    /// A single row's elements are shared out, several rows as such.
    private func narrow(
        _ first: Narrowing, _ second: Narrowing? = nil, _ third: Narrowing? = nil, columns: Int, _ team: Team
    ) {
        guard first.lowRank != nil || second?.lowRank != nil || third?.lowRank != nil else { return }
        let rows = max(first.count, second?.count ?? 0, third?.count ?? 0)
        let step = rows == 1 ? 1 : 8
        let pieces = rows == 1 ? team.count : (rows + step - 1) / step
        team.forEach(3 * pieces) { chunk in
            let (slot, piece) = (chunk / pieces, chunk % pieces)
            guard let job = slot == 0 ? first : slot == 1 ? second : third, let lowRank = job.lowRank else { return }
            let tokens = rows == 1 ? 0..<1 : min(piece * step, job.count)..<min((piece + 1) * step, job.count)
            let elements =
                rows == 1
                ? piece * lowRank.rank / pieces..<(piece + 1) * lowRank.rank / pieces : 0..<lowRank.rank
            guard !tokens.isEmpty, !elements.isEmpty else { return }
            lowRank.narrow(
                job.input.dropping(tokens.lowerBound), count: tokens.count, columns: columns, elements: elements,
                to: workspace.narrowed[slot] + tokens.lowerBound * lowRank.rank)
        }
    }

    /// Adds what adapters make of a tile's tokens to a product.
    @inline(__always)
    private func addLowRank(
        _ matrix: WeightMatrix, _ slot: Int, _ tile: Tiling.Tile, to out: UnsafeMutablePointer<Float>, _ stride: Int
    ) {
        guard let lowRank = matrix.lowRank else { return }
        lowRank.add(
            workspace.narrowed[slot] + tile.tokens.lowerBound * lowRank.rank, count: tile.tokens.count, rows: tile.rows,
            out: out + tile.tokens.lowerBound * stride, stride: stride)
    }

    /// Divides a product into tiles for the threads. What a tile computes does not depend on how it was cut.
    @inline(__always)
    private func tiling(_ matrix: WeightMatrix, _ count: Int, unit: Int = Int(CK_GROUP_ROWS), _ team: Team) -> Tiling {
        if count == 1 {
            // One token's rows are shared out in a few pieces, so that a thread that was interrupted does not hold up
            // the others.
            return Tiling(matrix.rows, team.count == 1 ? 1 : team.count * 4, unit, tokens: 1, of: 1)
        }
        // OpenBLAS rearranges all activations for each call, so that its calls are large; they do not depend on the
        // number of threads, because its results depend on the shape of a call.
        guard matrix.layout == .packed else {
            let pieces = (matrix.rows + WeightMatrix.panelRows - 1) / WeightMatrix.panelRows
            return Tiling(matrix.rows, pieces, unit, tokens: count, of: count)
        }
        // The kernels spread a few activation rows out for all rows of a tile: many rows share that work, as long as
        // their weights stay in the second-level cache. Few tokens stream the weights once.
        let rows = min(max(Self.tileBytes / max(matrix.rowBytes, 1), Self.smallestTile), Self.largestTile)
        var pieces = (matrix.rows + rows - 1) / rows
        var tokens = count
        while pieces * ((count + tokens - 1) / tokens) < 3 * team.count {
            if tokens > 4 * Self.tokenUnit {
                tokens = (tokens / 2 + Self.tokenUnit - 1) / Self.tokenUnit * Self.tokenUnit
            } else if matrix.rows / pieces > Self.smallestTile {
                pieces *= 2
            } else {
                break
            }
        }
        return Tiling(matrix.rows, pieces, unit, tokens: tokens, of: count)
    }

    /// Bytes of weights of a tile, at most; rows of one, at least and at most; tokens that the kernels take together.
    private static let (tileBytes, smallestTile, largestTile, tokenUnit) = (1 << 18, 64, 256, 16)

    @inline(__always)
    private func capLogit(_ logit: UnsafeMutablePointer<Float>, _ cap: Float) {
        logit.pointee = cap * tanh(logit.pointee / cap)
    }
}
