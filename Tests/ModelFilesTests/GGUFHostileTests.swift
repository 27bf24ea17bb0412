// SPDX-License-Identifier: Apache-2.0

import Foundation
import ModelFiles
import TestSupport
import Testing

/// One malformed file and what its refusal says.
struct HostileFile: CustomTestStringConvertible, Sendable {
    var name: String
    var code: ModelFileError.Code
    var message: String
    var bytes: [UInt8]

    var testDescription: String { name }

    init(_ name: String, _ code: ModelFileError.Code, _ message: String, _ change: (inout GGUFBuilder) -> Void) {
        var builder = sample()
        change(&builder)
        self.name = name
        self.code = code
        self.message = message
        bytes = builder.bytes()
    }
}

struct GGUFHostileTests {
    static let files: [HostileFile] = [
        HostileFile("magic", .notGGUF, "'GGUF'") { $0.magic = Array("GGML".utf8) },
        HostileFile("version 1", .notGGUF, "version 1") { $0.version = 1 },
        HostileFile("big-endian", .notGGUF, "big-endian") { $0.version = UInt32(3).byteSwapped },
        HostileFile("tensor count", .truncated, "tensor count") { $0.forcedTensorCount = 1 << 60 },
        HostileFile("tensor count with the top bit", .truncated, "tensor count") { $0.forcedTensorCount = .max },
        HostileFile("metadata count", .truncated, "metadata count") { $0.forcedEntryCount = 1 << 62 },
        HostileFile("duplicate key", .malformed, "'a.bool': the key occurs twice") { $0.add("a.bool", .bool(false)) },
        HostileFile("empty key", .malformed, "a name of 0 bytes") { $0.add("", .bool(false)) },
        HostileFile("value type", .malformed, "99 is not a value type") { $0.add("x", .raw(type: 99, [])) },
        HostileFile("boolean", .malformed, "a boolean has the value 2") { $0.add("x", .raw(type: 7, [2])) },
        HostileFile("nested array", .malformed, "arrays of arrays") {
            $0.add("x", .raw(type: 9, GGUFBuilder.littleEndian(UInt32(9)) + GGUFBuilder.littleEndian(UInt64(1))))
        },
        HostileFile("array count", .truncated, "'x' array count") {
            $0.add("x", .raw(type: 9, GGUFBuilder.littleEndian(UInt32(4)) + GGUFBuilder.littleEndian(UInt64.max)))
        },
        HostileFile("array count whose bytes wrap", .truncated, "'x' array count") {
            $0.add("x", .raw(type: 9, GGUFBuilder.littleEndian(UInt32(10)) + GGUFBuilder.littleEndian(UInt64(1) << 61)))
        },
        HostileFile("string length", .truncated, "'x' length") {
            $0.add("x", .raw(type: 8, GGUFBuilder.littleEndian(UInt64.max)))
        },
        HostileFile("string length in an array", .truncated, "'x' element 0 length") {
            $0.add(
                "x",
                .raw(
                    type: 9,
                    GGUFBuilder.littleEndian(UInt32(8)) + GGUFBuilder.littleEndian(UInt64(1))
                        + GGUFBuilder.littleEndian(UInt64(1) << 63)))
        },
        HostileFile("alignment 0", .malformed, "not a power of two") { $0.add("general.alignment", .uint32(0)) },
        HostileFile("alignment 24", .malformed, "not a power of two") { $0.add("general.alignment", .uint32(24)) },
        HostileFile("alignment type", .malformed, "expected uint32") { $0.add("general.alignment", .string("32")) },
        HostileFile("duplicate tensor", .malformed, "occurs twice") { $0.addTensor("first", [1], [1]) },
        HostileFile("no dimensions", .malformed, "0 dimensions") { $0.tensors[2].dimensions = [] },
        HostileFile("five dimensions", .malformed, "5 dimensions") { $0.tensors[2].dimensions = [1, 1, 1, 1, 5] },
        HostileFile("dimension 0", .malformed, "dimension 0 is 0") { $0.tensors[2].dimensions = [0] },
        HostileFile("dimension with the top bit", .malformed, "dimension 1 is") {
            $0.tensors[2].dimensions = [5, 1 << 63]
        },
        HostileFile("product that wraps", .malformed, "product of the dimensions") {
            $0.tensors[2].dimensions = [1 << 32, 1 << 32, 4]
        },
        HostileFile("byte count that wraps", .malformed, "product of the dimensions") {
            $0.tensors[2].dimensions = [1 << 31, 1 << 31]
        },
        HostileFile("partial block", .malformed, "not a multiple of Q8_0's 32") { $0.tensors[1].dimensions = [33, 2] },
        HostileFile("IQ2_XS", .unsupportedWeightFormat, "IQ2_XS is not supported") { $0.tensors[1].type = 17 },
        HostileFile("unknown format", .unsupportedWeightFormat, "type 77 is not supported") {
            $0.tensors[1].type = 77
        },
        HostileFile("data past the end", .truncated, "reach past the end") { $0.tensors[2].dimensions = [6] },
        HostileFile("offset past the end", .truncated, "reach past the end") {
            $0.tensors[2].forcedOffset = 1 << 40
        },
        HostileFile("offset that wraps", .truncated, "reach past the end") {
            $0.tensors[2].forcedOffset = UInt64.max - 31
        },
        HostileFile("offset off the alignment", .malformed, "not a multiple of the alignment") {
            $0.tensors[2].forcedOffset = 4
        },
        HostileFile("overlap", .malformed, "overlaps") { $0.tensors[2].forcedOffset = 0 },
    ]

    @Test(arguments: files) func refuses(_ file: HostileFile) throws {
        let error = try #require(throws: ModelFileError.self) { try open(file.bytes) }
        #expect(error.code == file.code)
        #expect(error.description.contains(file.message), "\(error)")
        #expect(error.offset != nil)
    }

    @Test func refusesEveryTruncation() throws {
        let bytes = sample().bytes()
        for count in 0..<bytes.count {
            #expect(throws: ModelFileError.self, "\(count) bytes") { try open(Array(bytes[..<count])) }
        }
        #expect(throws: Never.self) { try open(bytes) }
    }

    /// Whatever a changed byte makes of the file, it is read in bounds or refused.
    @Test(arguments: [0, 1, 0x7F, 0x80, 0xFF] as [UInt8]) func survivesEveryChangedByte(_ value: UInt8) throws {
        let bytes = sample().bytes()
        for index in bytes.indices {
            var changed = bytes
            changed[index] = value
            do {
                let file = try open(changed)
                for key in file.keys {
                    _ = try? file.string(key)
                    _ = try? file.float(key)
                    _ = try? file.ints(key)
                    if let strings = try? file.strings(key) { #expect(strings.reduce(0) { $0 + $1.count } >= 0) }
                }
                for tensor in file.tensors { #expect(file.bytes(of: tensor).count == tensor.byteCount) }
            } catch {
                #expect(error is ModelFileError)
            }
        }
    }
}
