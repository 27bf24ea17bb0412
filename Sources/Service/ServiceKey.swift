// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A key that clients show, kept as its hash.
public struct ServiceKey: Sendable {
    /// The SHA-256 of the key.
    private let digest: SHA256.Digest

    /// - Parameter text: The key as clients send it.
    public init(_ text: String) { digest = SHA256.hash(data: Array(text.utf8)) }

    /// What tells this key from others in logs and stored data: the beginning of its hash, from which it cannot be found.
    var id: String { digest.prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }

    /// Whether a request's key is this one. Takes the same time whatever the request's key is.
    func matches(_ text: String) -> Bool { SHA256.hash(data: Array(text.utf8)) == digest }
}
