// SPDX-License-Identifier: Apache-2.0

import Documents
import Foundation
import Generation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Jobs
import Logging
import NIOCore
import NIOSSL

/// Structured output over HTTP, in the interfaces of OpenAI and Ollama and one of its own.
///
///     let service = FormworkService(ServiceConfiguration(models: [.init(name: "smollm2", path: "smollm2.gguf")]))
///     try await service.run { port in print("listening on \(port)") }
public struct FormworkService: Sendable {
    let configuration: ServiceConfiguration
    let host: ModelHost
    let metrics = ServiceMetrics()
    let logger: Logger
    /// Stored files and batches, or why there are none.
    let batches: Result<BatchStore, JobError>
    private(set) var runner: BatchRunner?
    let schemaStore: SchemaStore
    let limits: RequestLimits

    /// Creates a service. Nothing is loaded and nobody listens yet.
    ///
    /// - Parameter logLevel: `debug`, `info`, `warning` or `error`. Logs hold no texts and no documents.
    public init(_ configuration: ServiceConfiguration, logLevel: String = "info") {
        self.configuration = configuration
        host = ModelHost(configuration, metrics: metrics)
        var logger = Logger(label: "formwork")
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        self.logger = logger
        schemaStore = SchemaStore(
            folder: configuration.stateFolder,
            limits: .init(count: configuration.schemaCount, bytes: configuration.schemaBytes), logger: logger)
        limits = RequestLimits(perMinute: configuration.requestsPerMinute, concurrent: configuration.concurrentRequests)
        batches = Self.openStore(configuration, logger)
        // It answers with a copy of this service, which needs no runner.
        if let store = try? batches.get() { runner = makeRunner(store) }
    }

    /// Listens until SIGINT or SIGTERM, then answers what has begun and ends.
    ///
    /// - Parameters:
    ///   - preload: Whether the default model is loaded at once.
    ///   - onReady: Called with the port once the service listens.
    /// - Throws: ``ServiceStartError`` where the address cannot be listened on.
    public func run(preload: Bool = true, onReady: @escaping @Sendable (Int) -> Void = { _ in }) async throws {
        if configuration.needsState, case .failure(let error) = batches { throw ServiceStartError(error.message) }
        do {
            try await prepare(preload: preload, onReady: onReady).runService()
        } catch let error as IOError {
            throw ServiceStartError("cannot listen on \(configuration.host):\(configuration.port): \(error)")
        } catch let error as SocketAddressError {
            throw ServiceStartError("cannot listen on \(configuration.host):\(configuration.port): \(error)")
        }
    }

    /// Listens until the task is cancelled.
    package func serve(onReady: @escaping @Sendable (Int) -> Void) async throws {
        try await prepare(preload: false, onReady: onReady).run()
    }

    private func prepare(preload: Bool, onReady: @escaping @Sendable (Int) -> Void) throws -> some ApplicationProtocol {
        if preload, let first = configuration.models.first {
            let (host, logger) = (host, logger)
            Task {
                do {
                    _ = try await host.worker(first.name)
                } catch {
                    logger.error("the model could not be loaded", metadata: ["model": "\(first.name)", "error": "\(error)"])
                }
            }
        }
        let quiet = QuietConnections(limit: max(1, configuration.maximumConnections / 2))
        var application = Application(
            router: router(),
            server: try server(quiet),
            configuration: .init(
                address: .hostname(configuration.host, port: configuration.port), serverName: "formwork",
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.maximumConnections)),
            onServerRunning: { channel in onReady(channel.localAddress?.port ?? 0) }, logger: logger)
        if let runner { application.addServices(runner) }
        return application
    }

    /// HTTP, or HTTPS where there is a certificate.
    private func server(_ quiet: QuietConnections) throws -> HTTPServerBuilder {
        let plain = HTTPServerBuilder.http1(
                configuration: .init(
                    additionalChannelHandlers: [QuietConnections.Handler(quiet)],
                    idleTimeout: .seconds(Int64(configuration.idleSeconds)),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 64 << 10, maxHeaderFieldCount: 128)))
        guard let tls = configuration.tls else { return plain }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(tls.certificate).map { NIOSSLCertificateSource.certificate($0) }
            let key = try NIOSSLPrivateKey(file: tls.key, format: .pem)
            var settings = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
            settings.minimumTLSVersion = .tlsv12
            return try .tls(plain, tlsConfiguration: settings)
        } catch {
            throw ServiceStartError("cannot use '\(tls.certificate)' with the key '\(tls.key)': \(error)")
        }
    }

    // MARK: Routes

    func router() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        router.add(middleware: UnknownPaths())
        open(router, .get, "/health") { _ in
            let problems = await problems()
            guard !problems.isEmpty else { return .json(["status": "ok"]) }
            return .json(["status": "degraded", "problems": .array(problems.map { .string($0) })])
        }
        open(router, .get, "/ready") { _ in
            let name = configuration.models.first?.name ?? ""
            if await host.isLoaded(name) { return .json(["status": "ready"]) }
            throw ServiceFault(
                .serviceUnavailable, "server.not-ready", "the default model is not loaded yet", kind: .server,
                retryAfter: 1)
        }
        route(router, .get, "/metrics", .native) { _ in
            let loads = await host.loads
            return Reply(
                text: metrics.text(
                    queues: loads.map { (model: $0.model, load: $0.load) }, cache: host.cache.counters),
                type: "text/plain; version=0.0.4; charset=utf-8")
        }
        openAI(router)
        ollama(router)
        native(router)
        files(router)
        openAPI(document: router)
        batches(router)
        schemas(router)
        playground(router)
        return router
    }

    /// How errors are told.
    enum Style: Sendable { case openAI, ollama, native }

    /// What a handler gets.
    struct Call: Sendable {
        var body: [UInt8] = []
        /// A body that is read by the handler piece by piece, instead of ``body``.
        var upload: RequestBody?
        var contentType = ""
        /// Parts of the path.
        var parameters: [String: String]
        /// What follows the path.
        var query: [String: String] = [:]
        /// Whose request it is: what one key stores is not seen with another.
        var owner = ""
        var deadline: ContinuousClock.Instant
    }

    /// What a handler gives back.
    struct Reply: Sendable {
        var status: HTTPResponse.Status = .ok
        var type: String
        var headers: HTTPFields = [:]
        var body: ResponseBody

        init(bytes: [UInt8], type: String) {
            self.type = type
            body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        }

        init(text: String, type: String) {
            self.type = type
            body = ResponseBody(byteBuffer: ByteBuffer(string: text))
        }

        init(type: String, stream: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void) {
            self.type = type
            body = ResponseBody { writer in
                try await stream(&writer)
                try await writer.finish(nil)
            }
        }

        static func json(_ value: JSONValue) -> Reply {
            Reply(text: JSONWriter(style: .compact).write(value), type: "application/json")
        }
    }

    private func open(
        _ router: Router<BasicRequestContext>, _ method: HTTPRequest.Method, _ path: String,
        _ handler: @escaping @Sendable (Call) async throws -> Reply
    ) {
        route(router, method, path, .native, needsKey: false, handler)
    }

    /// Adds a route with everything that all routes share: who may ask, limits, errors, logs and counts.
    ///
    /// - Parameter generates: Whether a request may take long: it is given up when its client goes away. For that the
    ///   connection is watched, and closed after the response.
    /// - Parameter uploads: Whether the handler reads the body itself.
    func route(
        _ router: Router<BasicRequestContext>, _ method: HTTPRequest.Method, _ path: String, _ style: Style,
        needsKey: Bool = true, generates: Bool = false, uploads: Bool = false,
        _ handler: @escaping @Sendable (Call) async throws -> Reply
    ) {
        let scoped = { @Sendable (call: Call) async throws -> Reply in
            try await SchemaScope.$current.withValue(SchemaScope(store: schemaStore, owner: call.owner)) {
                try await handler(call)
            }
        }
        router.on(RouterPath(path), method: method) { request, context -> Response in
            let clock = ContinuousClock()
            let began = clock.now
            let headers = request.headers
            var response: Response
            do {
                try guardOrigin(request)
                var call = Call(
                    contentType: headers[.contentType] ?? "",
                    parameters: Dictionary(
                        context.parameters.map { (String($0.key), String($0.value)) }, uniquingKeysWith: { $1 }),
                    query: Dictionary(
                        request.uri.queryParameters.map { (String($0.key), String($0.value)) },
                        uniquingKeysWith: { $1 }),
                    deadline: began + .seconds(configuration.deadline))
                if needsKey { call.owner = try authenticate(headers) }
                // Looking costs nothing worth counting.
                let place = needsKey && method != .get ? try admit(call.owner, generates: generates) : nil
                var reply: Reply
                if method == .get {
                    reply = try await scoped(call)
                } else if uploads {
                    call.upload = request.body
                    reply = try await scoped(call)
                } else if !generates {
                    call.body = try await read(request.body)
                    reply = try await scoped(call)
                } else {
                    // Work for a client that went away ends at once.
                    let prepared = call
                    reply = try await request.body.consumeWithCancellationOnInboundClose { body in
                        var call = prepared
                        call.body = try await read(body)
                        return try await scoped(call)
                    }
                }
                if let place { reply.body = reply.body.holding(place) }
                response = Response(status: reply.status, headers: reply.headers, body: reply.body)
                response.headers[.contentType] = reply.type
                if reply.type.hasPrefix("text/event-stream") { response.headers[.cacheControl] = "no-cache" }
            } catch {
                let fault = ServiceFault(error)
                metrics.refused(fault)
                if fault.status.kind == .serverError, fault.code == "internal" {
                    logger.error("a request failed", metadata: ["route": "\(path)", "error": "\(error)"])
                }
                response = Self.response(fault, style)
            }
            if let id = headers[.requestID] ?? headers[.traceParent].map({ String($0.split(separator: "-").dropFirst().first ?? "") }) {
                if id.utf8.count <= 128 { response.headers[.requestID] = id }
            } else {
                response.headers[.requestID] = OpenAIAnswer.token()
            }
            if generates { response.headers[.connection] = "close" }
            if let parent = headers[.traceParent], parent.utf8.count <= 128 { response.headers[.traceParent] = parent }
            if let origin = headers[.origin], configuration.allowedOrigins.contains(origin) {
                response.headers[.accessControlAllowOrigin] = origin
                response.headers[.vary] = "Origin"
            }
            metrics.responded(route: path, status: response.status.code)
            logger.info(
                "request",
                metadata: [
                    "route": "\(path)", "status": "\(response.status.code)",
                    "ms": "\(Int((clock.now - began).seconds * 1000))", "id": "\(response.headers[.requestID] ?? "")",
                ])
            return response
        }
    }

    fileprivate static func response(_ fault: ServiceFault, _ style: Style) -> Response {
        let value = style == .ollama ? fault.ollamaValue : fault.value
        var response = Response(
            status: fault.status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: JSONWriter(style: .compact).write(value))))
        if let seconds = fault.retryAfter { response.headers[.retryAfter] = String(seconds) }
        if fault.status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }

    // MARK: Who may ask

    /// Counts a request against what its key may ask for.
    ///
    /// - Returns: The place of a request that generates, for as long as it does.
    private func admit(_ owner: String, generates: Bool) throws -> RequestLimits.Place? {
        if let seconds = limits.admit(owner) {
            throw ServiceFault(
                .tooManyRequests, "server.rate-limit",
                "more than \(configuration.requestsPerMinute ?? 0) requests a minute; try again later", kind: .rateLimit,
                retryAfter: Int(seconds.rounded(.up)))
        }
        guard generates else { return nil }
        guard let place = limits.begin(owner) else {
            throw ServiceFault(
                .tooManyRequests, "server.concurrency",
                "\(configuration.concurrentRequests ?? 0) requests are answered at a time; wait for one to end",
                kind: .rateLimit, retryAfter: 1)
        }
        return place
    }

    /// Checks the key of a request.
    ///
    /// - Returns: What stands for the key: ``ServiceKey/id``, or an empty text where no keys are asked for.
    private func authenticate(_ headers: HTTPFields) throws -> String {
        guard !configuration.keys.isEmpty else { return "" }
        var key = headers[.apiKey] ?? ""
        if let value = headers[.authorization], value.lowercased().hasPrefix("bearer ") { key = String(value.dropFirst(7)) }
        // All keys are compared, so that the time does not tell which of them it was.
        var owner: String?
        for known in configuration.keys where known.matches(key) { owner = known.id }
        guard let owner else {
            throw ServiceFault(
                .unauthorized, "invalid_api_key",
                key.isEmpty ? "an API key is needed: Authorization: Bearer KEY" : "the API key is not valid",
                kind: .authentication)
        }
        return owner
    }

    /// Keeps web pages of other sites away, which a browser on this machine may have open.
    private func guardOrigin(_ request: Request) throws {
        let host = request.head.authority ?? ""
        let name = Self.hostName(host)
        let loopback = ["127.0.0.1", "localhost", "::1"]
        if loopback.contains(configuration.host), !loopback.contains(name), !name.isEmpty {
            throw ServiceFault(
                .forbidden, "server.host", "the service does not answer for the host '\(name)'", kind: .authentication)
        }
        guard let origin = request.headers[.origin], !configuration.allowedOrigins.contains(origin) else { return }
        let stripped = origin.split(separator: "/", omittingEmptySubsequences: true).last.map(String.init) ?? ""
        guard stripped == host else {
            throw ServiceFault(
                .forbidden, "server.origin", "pages of '\(origin)' may not call this service", kind: .authentication)
        }
    }

    private static func hostName(_ authority: String) -> String {
        if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
        return String(authority.prefix { $0 != ":" })
    }

    /// The body of a request, within its limits of size and time.
    private func read(_ body: RequestBody) async throws -> [UInt8] {
        let (limit, seconds) = (configuration.maximumBody, min(configuration.deadline, 30))
        return try await withThrowingTaskGroup(of: [UInt8].self) { group in
            group.addTask {
                var bytes: [UInt8] = []
                for try await part in body {
                    guard bytes.count + part.readableBytes <= limit else {
                        throw ServiceFault(
                            .contentTooLarge, "server.body-too-large", "the body is longer than \(limit) bytes")
                    }
                    bytes.append(contentsOf: part.readableBytesView)
                }
                return bytes
            }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                throw ServiceFault(
                    .requestTimeout, "server.slow-body", "the body did not arrive within \(Int(seconds)) s")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
    }
}

/// A service that could not begin.
public struct ServiceStartError: Error, Sendable, CustomStringConvertible {
    /// What is in the way.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Tells of paths and methods that there are not in the shape of all other errors.
private struct UnknownPaths: RouterMiddleware {
    typealias Context = BasicRequestContext

    func handle(
        _ request: Request, context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            return FormworkService.response(
                ServiceFault(
                    .notFound, "unknown_url", "there is no '\(request.method) \(request.uri.path)'", kind: .notFound),
                .native)
        }
    }
}

extension HTTPField.Name {
    static let apiKey = known("X-API-Key")
    static let requestID = known("X-Request-ID")
    static let traceParent = known("Traceparent")

    /// A name that is written down here, and can be one.
    static func known(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .userAgent }
}
