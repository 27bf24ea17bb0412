// SPDX-License-Identifier: Apache-2.0

import Foundation
public import Inference

/// What a service serves, and its limits.
public struct ServiceConfiguration: Sendable {
    /// A model that clients can ask for.
    public struct Model: Sendable, Hashable {
        /// The name that requests give.
        public var name: String
        /// The GGUF file.
        public var path: String

        public init(name: String, path: String) {
            self.name = name
            self.path = path
        }

        /// Size and date of the file, not of a link to it.
        var attributes: [FileAttributeKey: Any] {
            let file = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            return (try? FileManager.default.attributesOfItem(atPath: file)) ?? [:]
        }
    }

    /// What a service shows to speak HTTPS.
    public struct TLS: Sendable, Hashable {
        /// A file with the certificate and those that it depends on, in PEM.
        public var certificate: String
        /// A file with the private key, in PEM.
        public var key: String

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The address that is listened on; the loopback address unless told otherwise.
    public var host = "127.0.0.1"
    /// The port; 0 takes a free one.
    public var port = 8177
    /// What is shown to speak HTTPS; HTTP is spoken without it.
    public var tls: TLS?
    /// The models, the default one first.
    public var models: [Model]
    /// How models are run.
    public var modelOptions = ModelOptions()
    /// Keys of which each request must carry one as a bearer token; none are asked for where this is empty.
    public var keys: [ServiceKey] = []
    /// Origins of web pages that may call the service, in addition to its own.
    public var allowedOrigins: [String] = []
    /// Answers of a model that are generated at once.
    public var slots = 8
    /// Bytes of keys and values of prompts' beginnings that are kept for requests that begin alike.
    public var cacheBytes = 512 << 20
    /// Requests of a model that may wait; more are refused with status 429.
    public var queueLength = 64
    /// Tokens of an answer where a request does not say.
    public var defaultTokens = 512
    /// The most tokens of an answer that a request may ask for.
    public var maximumTokens = 8192
    /// Tokens of prompt and answer together; nil is what the model was trained for, up to 8192.
    public var contextLength: Int?
    /// The longest body of a request, in bytes.
    public var maximumBody = 4 << 20
    /// Seconds that a request may take in all.
    public var deadline: Double = 300
    /// Seconds without a byte from a client after which a connection is closed.
    public var idleSeconds = 60
    /// Connections at the same time; others wait. Of those on which nothing is asked half as many are kept, so that they
    /// never keep out the others. Below the 1,024 open files that a process may have on most systems.
    public var maximumConnections = 896
    /// Bytes that all loaded models may take together, by the size of their files; the least recently used is given up.
    public var modelBytes = 8 << 30

    /// The folder for files and batches; without it there are none.
    public var stateFolder: String?
    /// Whether the service does not begin where ``stateFolder`` cannot be used.
    public var needsState = false
    /// The longest file that can be stored, in bytes.
    public var maximumFile = 200 << 20
    /// Bytes that all stored files may take together.
    public var fileBytes = 10 << 30
    /// Requests per minute that a key may send, or all clients together where no keys are asked for; nil does not limit them.
    public var requestsPerMinute: Int?
    /// Requests of a key that generate at the same time; nil does not limit them.
    public var concurrentRequests: Int?
    /// Versions of schemas that may be registered, and the bytes that their contents may take together.
    public var schemaCount = 1000
    public var schemaBytes = 16 << 20

    public init(models: [Model]) { self.models = models }
}
