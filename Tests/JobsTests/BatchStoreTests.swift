// SPDX-License-Identifier: Apache-2.0

import Foundation
import Jobs
import Testing

@Suite struct BatchStoreTests {
    private func result(_ number: Int, failed: Bool = false, _ text: String? = nil) -> LineResult {
        LineResult(number: number, hasFailed: failed, text: text ?? "\(number)")
    }

    @Test func resultsAreInOrderAndOnce() throws {
        let folder = try JobFolder()
        let store = try folder.store()
        let batch = try store.begin(lines: 4)
        for number in [3, 1, 4, 2] { try store.record(batch.id, result(number, failed: number == 2)) }
        try store.record(batch.id, result(3, "another"))
        let open = try store.batch(batch.id, owner: "")
        #expect(open.done == 4)
        #expect(open.failed == 1)
        try store.finalize(batch.id, as: .completed)
        try store.writeResults(batch.id) { "missing \($0)" }
        let ended = try store.batch(batch.id, owner: "")
        #expect(ended.status == .completed)
        #expect(ended.done == 4)
        let (output, errors) = (try store.content(ended.outputFile), try store.content(ended.errorFile))
        #expect(output == ["1", "3", "4"])
        #expect(errors == ["2"])
        #expect(try store.openBatches().isEmpty)
        // What comes too late changes nothing.
        try store.record(batch.id, result(1, "late"))
        let late = try store.done(batch.id)
        #expect(late.count == 0)
    }

    @Test func whatIsRecordedIsThereAfterAnotherOpening() throws {
        let folder = try JobFolder()
        var store: BatchStore? = try folder.store()
        let id = try #require(store).begin(lines: 3).id
        try store?.record(id, result(2))
        store = nil
        let again = try folder.store()
        let done = try again.done(id)
        #expect(!done.contains(1))
        #expect(done.contains(2))
        let open = try again.openBatches()
        #expect(open.map(\.id) == [id])
        #expect(open.first?.status == .inProgress)
    }

    /// A process that ends after the files are written and before the batch is ended writes them again.
    @Test func endingTwiceIsEndingOnce() throws {
        let folder = try JobFolder()
        let store = try folder.store()
        let batch = try store.begin(lines: 2)
        try store.record(batch.id, result(1))
        try store.finalize(batch.id, as: .expired)
        let name = "file-results-" + batch.id.dropFirst("batch_".count)
        try "rubbish".write(
            to: folder.url.appendingPathComponent("files/\(name)"), atomically: true, encoding: .utf8)
        try store.writeResults(batch.id) { "missing \($0)" }
        try store.writeResults(batch.id) { "twice \($0)" }
        let ended = try store.batch(batch.id, owner: "")
        #expect(ended.status == .expired)
        let (output, errors) = (try store.content(ended.outputFile), try store.content(ended.errorFile))
        #expect(output == ["1"])
        #expect(errors == ["missing 2"])
    }

    @Test func cancellingKeepsWhatIsDone() throws {
        let folder = try JobFolder()
        let store = try folder.store()
        let batch = try store.begin(lines: 3)
        try store.record(batch.id, result(2))
        #expect(try store.cancel(batch.id, owner: "").status == .cancelling)
        try store.finalize(batch.id, as: .completed)
        #expect(try store.batch(batch.id, owner: "").status == .cancelling)
        try store.writeResults(batch.id) { "missing \($0)" }
        let ended = try store.batch(batch.id, owner: "")
        #expect(ended.status == .cancelled)
        let errors = try store.content(ended.errorFile)
        #expect(errors == ["missing 1", "missing 3"])
        #expect(try store.cancel(batch.id, owner: "").status == .cancelled)
    }

    @Test func othersSeeNothing() throws {
        let folder = try JobFolder()
        let store = try folder.store()
        let batch = try store.begin(lines: 1, owner: "ada")
        for work in [
            { _ = try store.batch(batch.id, owner: "bob") }, { _ = try store.cancel(batch.id, owner: "bob") },
            { _ = try store.file(batch.inputFile, owner: "bob") },
            { try store.removeFile(batch.inputFile, owner: "bob") },
            {
                _ = try store.createBatch(
                    owner: "bob", endpoint: "/v1/transform", inputFile: batch.inputFile, window: ("1h", 3600),
                    metadata: nil)
            },
        ] {
            let error = #expect(throws: JobError.self) { try work() }
            #expect(error?.code == .notFound)
        }
        #expect(try store.files(owner: "bob", purpose: nil, after: nil, limit: 9).isEmpty)
        #expect(try store.batches(owner: "bob", after: nil, limit: 9).isEmpty)
        #expect(try store.batches(owner: "ada", after: nil, limit: 9).count == 1)
    }

    @Test func listsHavePages() throws {
        let folder = try JobFolder()
        let store = try folder.store()
        var ids: [String] = []
        for _ in 0..<5 { ids.append(try store.add("x").id) }
        let first = try store.files(owner: "", purpose: "batch", after: nil, limit: 2).map(\.id)
        #expect(first == [ids[4], ids[3]])
        let second = try store.files(owner: "", purpose: nil, after: ids[3], limit: 9).map(\.id)
        #expect(second == [ids[2], ids[1], ids[0]])
    }

    @Test func filesInUseAndAboveTheLimitAreRefused() throws {
        let folder = try JobFolder()
        let store = try folder.store()
        let batch = try store.begin(lines: 1)
        let error = #expect(throws: JobError.self) { try store.removeFile(batch.inputFile, owner: "") }
        #expect(error?.code == .conflict)
        _ = try store.add(String(repeating: "x", count: 1 << 20))
        let full = #expect(throws: JobError.self) { try store.add("one more") }
        #expect(full?.code == .full)
    }

    @Test func onlyOneProcessUsesAFolder() throws {
        let folder = try JobFolder()
        let store = try folder.store()
        let error = #expect(throws: JobError.self) { try folder.store() }
        #expect(error?.code == .inUse)
        withExtendedLifetime(store) {}
    }

    /// A store whose database is damaged from a place on.
    private func damaged(_ place: Int, _ folder: JobFolder) throws -> (batch: Batch, bytes: Data) {
        var store: BatchStore? = try folder.store()
        let batch = try #require(store).begin(lines: 200)
        for number in 1...200 { try store?.record(batch.id, result(number, String(repeating: "x", count: 100))) }
        store = nil
        let path = folder.url.appendingPathComponent("batches.sqlite")
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path.path + suffix) }
        var bytes = try Data(contentsOf: path)
        for index in place..<min(place + 600, bytes.count) { bytes[index] = 0xA5 }
        try bytes.write(to: path)
        return (batch, bytes)
    }

    @Test(arguments: [0, 16, 100])
    func damagedDatabasesArePutAside(_ place: Int) throws {
        let folder = try JobFolder()
        let (batch, bytes) = try damaged(place, folder)
        let again = try folder.store()
        let aside = try #require(again.putAside)
        #expect(try Data(contentsOf: URL(fileURLWithPath: aside)) == bytes)
        #expect(try again.openBatches().isEmpty)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/files")
        #expect(names == [batch.inputFile])
        // The new database works.
        #expect(try again.begin(lines: 1).status == .validating)
    }

    /// Wherever the damage is, it is found at once, told later, or in what nothing reads; the input is never removed.
    @Test func damageAnywhereIsToldOrHarmless() throws {
        for place in stride(from: 4096, to: 40_000, by: 1777) {
            let folder = try JobFolder()
            let (batch, _) = try damaged(place, folder)
            let again = try folder.store()
            do {
                let found = try again.batch(batch.id, owner: "")
                #expect(found.total == 200 && found.done <= 200)
            } catch {
                let code = (error as? JobError)?.code
                #expect(code == .damaged || code == .notFound || code == .unavailable, "\(error)")
            }
            #expect(FileManager.default.fileExists(atPath: folder.path + "/files/" + batch.inputFile))
        }
    }

    @Test func unfinishedUploadsLeaveNothing() throws {
        let folder = try JobFolder()
        var store: BatchStore? = try folder.store()
        let kept = try #require(store).add("kept")
        var upload: BatchStore.Upload? = try #require(store).beginFile()
        try upload?.write(Array(repeating: 7, count: 200_000))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/files").count == 2)
        upload = nil
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/files") == [kept.id])
        // The remains of a process that ended.
        try "half".write(
            to: folder.url.appendingPathComponent("files/file-x.partial"), atomically: true, encoding: .utf8)
        store = nil
        store = try folder.store()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/files") == [kept.id])
    }
}
