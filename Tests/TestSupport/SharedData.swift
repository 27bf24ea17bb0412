// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// Test data that is kept outside the repository.
public enum SharedData {
    /// The folder named by `FORMWORK_SHARED`, else `../shared` beside the package.
    public static let root: URL = {
        if let path = ProcessInfo.processInfo.environment["FORMWORK_SHARED"] { return URL(fileURLWithPath: path) }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared")
    }()

    /// The file or folder at `path` below the root, or nil where it is absent.
    public static func url(_ path: String) -> URL? {
        let url = root.appendingPathComponent(path)
        return FileManager.default.fileExists(atPath: url.path) ? url : nil
    }

    /// Whether the file or folder exists: the condition for `.enabled(if:)`.
    public static func has(_ path: String) -> Bool { url(path) != nil }
}
