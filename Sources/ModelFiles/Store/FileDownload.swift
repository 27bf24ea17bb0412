// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Streams one file over HTTP to disk, without holding it in memory.
final class FileDownload: NSObject, URLSessionDataDelegate, Sendable {
    private struct State {
        var output: FileHandle?
        var done = 0
        var expected: Int?
        var failure: (any Error)?
        var status = 0
        var continuation: CheckedContinuation<Void, Never>?
    }

    private let state: Mutex<State>
    private let progress: @Sendable (Int, Int?) -> Void

    private init(output: FileHandle, progress: @escaping @Sendable (Int, Int?) -> Void) {
        state = Mutex(State(output: output))
        self.progress = progress
    }

    /// Writes what `link` serves into the existing file `target`.
    ///
    /// - Throws: ``ModelStoreError`` where the server refuses, the transfer stops early, or the disk is full.
    static func run(
        _ link: URL, to target: URL, progress: @escaping @Sendable (Int, Int?) -> Void
    ) async throws(ModelStoreError) {
        let output: FileHandle
        do {
            output = try FileHandle(forWritingTo: target)
        } catch {
            throw ModelStoreError(.storage, "cannot write '\(target.path)'", cause: error)
        }
        let delegate = FileDownload(output: output, progress: progress)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = 60
        let session = URLSession(configuration: configuration, delegate: delegate, delegateQueue: nil)
        defer { session.invalidateAndCancel() }
        await withCheckedContinuation { continuation in
            delegate.state.withLock { $0.continuation = continuation }
            session.dataTask(with: link).resume()
        }
        let (failure, status, done, expected) = delegate.state.withLock {
            ($0.failure, $0.status, $0.done, $0.expected)
        }
        do {
            try output.synchronize()
            try output.close()
        } catch {
            throw ModelStoreError(.storage, "cannot write '\(target.path)'", cause: error)
        }
        guard failure == nil, status == 200 else {
            throw ModelStoreError(
                .downloadFailed,
                failure == nil ? "the server answered \(status) for '\(link)'" : "the download of '\(link)' failed",
                cause: failure)
        }
        if let expected, expected != done {
            throw ModelStoreError(
                .downloadFailed, "the download of '\(link)' stopped at \(done) of \(expected) bytes; try again")
        }
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        state.withLock {
            $0.status = status
            $0.expected = response.expectedContentLength >= 0 ? Int(response.expectedContentLength) : nil
        }
        completionHandler(status == 200 ? .allow : .cancel)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let (done, expected): (Int, Int?) = state.withLock { state in
            guard state.failure == nil else { return (state.done, state.expected) }
            do {
                try state.output?.write(contentsOf: data)
                state.done += data.count
            } catch {
                state.failure = error
                dataTask.cancel()
            }
            return (state.done, state.expected)
        }
        progress(done, expected)
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let continuation = state.withLock { state in
            if state.failure == nil, state.status == 200 || state.status == 0 { state.failure = error }
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume()
    }
}
