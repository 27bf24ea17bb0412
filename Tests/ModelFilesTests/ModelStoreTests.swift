// SPDX-License-Identifier: Apache-2.0

import Foundation
import ModelFiles
import TestSupport
import Testing

struct ModelStoreTests {
    private struct Place {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("store-\(UUID().uuidString)")
        var store: ModelStore { ModelStore(root: folder) }
        var contents: [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
        }
        func close() { try? FileManager.default.removeItem(at: folder) }
    }

    @Test func keepsALocalFileWithItsChecksum() async throws {
        let place = Place()
        defer { place.close() }
        let source = try TinyModel().write()
        defer { try? FileManager.default.removeItem(at: source) }
        let model = try await place.store.pull(source.path, name: "tiny")
        #expect(place.contents == ["tiny.gguf", "tiny.json"])
        #expect(try place.store.models() == [model])
        #expect(try place.store.verify("tiny") == model)
        #expect(try place.store.resolve("tiny").path == place.store.file("tiny").path)
        #expect(try Data(contentsOf: source) == Data(contentsOf: place.store.file("tiny")))
    }

    @Test func aWrongChecksumLeavesTheOldFile() async throws {
        let place = Place()
        defer { place.close() }
        let source = try TinyModel().write()
        let other = try TinyModel(seed: 2).write()
        defer { for url in [source, other] { try? FileManager.default.removeItem(at: url) } }
        _ = try await place.store.pull(source.path, name: "tiny")
        await #expect(throws: ModelStoreError.self) {
            _ = try await place.store.pull(other.path, name: "tiny", sha256: String(repeating: "0", count: 64))
        }
        #expect(place.contents == ["tiny.gguf", "tiny.json"])
        #expect(try Data(contentsOf: source) == Data(contentsOf: place.store.file("tiny")))
    }

    @Test func noticesADamagedFile() async throws {
        let place = Place()
        defer { place.close() }
        let source = try TinyModel().write()
        defer { try? FileManager.default.removeItem(at: source) }
        _ = try await place.store.pull(source.path, name: "tiny")
        var bytes = try Data(contentsOf: place.store.file("tiny"))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: place.store.file("tiny"))
        let error = #expect(throws: ModelStoreError.self) { _ = try place.store.verify("tiny") }
        #expect(error?.code == .checksumMismatch)
    }

    @Test func whatIsNoModelLeavesNothingBehind() async throws {
        let place = Place()
        defer { place.close() }
        let source = try GGUFBuilder.write(Array("GGUF and then nonsense".utf8))
        defer { try? FileManager.default.removeItem(at: source) }
        await #expect(throws: ModelStoreError.self) { _ = try await place.store.pull(source.path) }
        #expect(place.contents.isEmpty)
    }

    @Test(arguments: ["", "../x", "a/b", ".hidden", "ü", "a b"])
    func refusesNamesThatAreNoFileNames(name: String) async throws {
        let place = Place()
        defer { place.close() }
        let source = try TinyModel().write()
        defer { try? FileManager.default.removeItem(at: source) }
        let error = await #expect(throws: ModelStoreError.self) {
            _ = try await place.store.pull(source.path, name: name)
        }
        #expect(error?.code == .invalidName)
    }

    @Test func followsNoPlainHTTPLinks() async throws {
        let place = Place()
        defer { place.close() }
        let error = await #expect(throws: ModelStoreError.self) {
            _ = try await place.store.pull("http://example.org/model.gguf")
        }
        #expect(error?.code == .downloadFailed)
    }

    @Test func saysHowToGetAKnownModel() {
        let place = Place()
        let error = #expect(throws: ModelStoreError.self) { _ = try place.store.resolve("smollm2") }
        #expect(error?.message.contains("formwork models pull smollm2") == true)
    }

    @Test func theFolderFollowsTheEnvironment() {
        #expect(ModelStore.standard(environment: ["FORMWORK_HOME": "/x"]).root.path == "/x/models")
        #if !os(macOS)
            #expect(ModelStore.standard(environment: ["XDG_DATA_HOME": "/d"]).root.path == "/d/formwork/models")
        #endif
    }
}
