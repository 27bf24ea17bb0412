// SPDX-License-Identifier: Apache-2.0

import Foundation
import ModelFiles
import TestSupport
import Testing

/// Opens the file that a builder writes, and removes it from the folder.
func open(_ builder: GGUFBuilder) throws -> GGUFFile { try open(builder.bytes()) }

func open(_ bytes: [UInt8]) throws -> GGUFFile {
    let url = try GGUFBuilder.write(bytes)
    defer { try? FileManager.default.removeItem(at: url) }
    return try GGUFFile(path: url.path)
}

/// A file with an entry of each type and three tensors.
func sample() -> GGUFBuilder {
    var builder = GGUFBuilder()
    builder.add("general.architecture", .string("llama"))
    builder.add("a.uint8", .uint8(200))
    builder.add("a.int8", .int8(-3))
    builder.add("a.uint16", .uint16(60_000))
    builder.add("a.int16", .int16(-300))
    builder.add("a.uint32", .uint32(4_000_000_000))
    builder.add("a.int32", .int32(-70_000))
    builder.add("a.uint64", .uint64(1 << 40))
    builder.add("a.int64", .int64(-1 << 40))
    builder.add("a.float32", .float32(1.5))
    builder.add("a.float64", .float64(-2.25))
    builder.add("a.bool", .bool(true))
    builder.add("a.strings", .strings(["eins", "", "drei ▁"]))
    builder.add("a.ints", .int32s([1, -2, 3]))
    builder.add("a.floats", .float32s([0.5, -1]))
    builder.addTensor("first", [4, 3], (0..<12).map(Float.init))
    builder.addTensor("second", [32, 2], type: 8, [UInt8](repeating: 7, count: 68))
    builder.addTensor("third", [5], [1, 2, 3, 4, 5])
    return builder
}

struct GGUFFileTests {
    @Test func readsMetadataOfEachType() throws {
        let file = try open(sample())
        #expect(file.version == 3)
        #expect(try file.string("general.architecture") == "llama")
        #expect(try file.int("a.uint8") == 200)
        #expect(try file.int("a.int8") == -3)
        #expect(try file.int("a.uint16") == 60_000)
        #expect(try file.int("a.int16") == -300)
        #expect(try file.int("a.uint32") == 4_000_000_000)
        #expect(try file.int("a.int32") == -70_000)
        #expect(try file.int("a.uint64") == 1 << 40)
        #expect(try file.int("a.int64") == -1 << 40)
        #expect(try file.float("a.float32") == 1.5)
        #expect(try file.float("a.float64") == -2.25)
        #expect(try file.float("a.int8") == -3)
        #expect(try file.bool("a.bool") == true)
        #expect(try file.ints("a.ints") == [1, -2, 3])
        #expect(try file.floats("a.floats") == [0.5, -1])
        #expect(file.count("a.strings") == 3)
        #expect(file.keys.count == 15)
        #expect(try file.string("absent") == nil)
        #expect(try file.strings("absent") == nil)
    }

    @Test func givesStringsAsByteRanges() throws {
        let strings = try #require(try open(sample()).strings("a.strings"))
        #expect(strings.map { String(decoding: $0, as: UTF8.self) } == ["eins", "", "drei ▁"])
        #expect(strings.withBytes(at: 2) { $0.count } == 8)
        #expect(strings.text(at: 0) == "eins")
    }

    @Test func givesTensorsWithTheirBytes() throws {
        let file = try open(sample())
        #expect(file.tensors.map(\.name) == ["first", "second", "third"])
        let second = try #require(file.tensor(named: "second"))
        #expect(second.format == .q8_0)
        #expect(second.rowCount == 2)
        #expect(second.rowBytes == 34)
        #expect(second.offset % 32 == 0)
        #expect(file.withBytes(of: second) { $0.allSatisfy { $0 == 7 } && $0.count == 68 })
        let third = try #require(file.tensor(named: "third"))
        #expect(file.bytes(of: third).loadUnaligned(fromByteOffset: 16, as: Float.self) == 5)
        file.releasePages(of: third)
        #expect(file.bytes(of: third).loadUnaligned(fromByteOffset: 0, as: Float.self) == 1)
    }

    @Test func readsVersion2AndOtherAlignments() throws {
        var builder = sample()
        builder.version = 2
        builder.alignment = 64
        builder.add("general.alignment", .uint32(64))
        let file = try open(builder)
        #expect(file.version == 2)
        #expect(file.tensors.allSatisfy { $0.offset % 64 == 0 })
    }

    @Test func refusesEntriesOfAnotherType() throws {
        let file = try open(sample())
        let error = try #require(throws: ModelFileError.self) { try file.int("a.bool") }
        #expect(error.code == .mismatched)
        #expect(error.description.contains("'a.bool': is bool, expected an integer"))
        #expect(throws: ModelFileError.self) { try file.string("a.strings") }
        #expect(throws: ModelFileError.self) { try file.strings("a.ints") }
        #expect(throws: ModelFileError.self) { try file.floats("a.strings") }
    }

    @Test func refusesAMissingFileAndAFolder() throws {
        #expect(throws: ModelFileError.self) { try GGUFFile(path: "/nowhere/model.gguf") }
        let error = try #require(throws: ModelFileError.self) {
            try GGUFFile(path: FileManager.default.temporaryDirectory.path)
        }
        #expect(error.code == .unreadable)
    }
}
