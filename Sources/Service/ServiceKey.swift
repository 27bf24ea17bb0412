// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A key that clients show, kept as its hash.
public struct ServiceKey: Sendable {
    /// The SHA-256 of the key.
    private let digest: SHA256.Digest

    /// - Parameter text: The key as clients send it.
    public init(_ text: String) { digest = SHA256.hash(data: Array(text.utf8)) }

    /// Whether a request's key is this one. Takes the same time whatever the request's key is.
    func matches(_ text: String) -> Bool { SHA256.hash(data: Array(text.utf8)) == digest }
}
