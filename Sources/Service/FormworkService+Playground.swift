// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore

/// The files of the page at `/`, which are part of the program.
private enum PlaygroundFile: String, CaseIterable {
    case page = "index.html"
    case style = "style.css"
    case icon = "icon.svg"
    case app = "app.js"
    case document = "document.js"
    case editor = "editor.js"
    case samples = "samples.js"
    case snippets = "snippets.js"

    var bytes: [UInt8] {
        switch self {
        case .page: PackageResources.index_html
        case .style: PackageResources.style_css
        case .icon: PackageResources.icon_svg
        case .app: PackageResources.app_js
        case .document: PackageResources.document_js
        case .editor: PackageResources.editor_js
        case .samples: PackageResources.samples_js
        case .snippets: PackageResources.snippets_js
        }
    }

    var type: String {
        switch self {
        case .page: "text/html; charset=utf-8"
        case .style: "text/css; charset=utf-8"
        case .icon: "image/svg+xml"
        case .app, .document, .editor, .samples, .snippets: "text/javascript; charset=utf-8"
        }
    }
}

extension FormworkService {
    /// What a browser may do with the page: load its own files and call this service, and nothing else.
    private static let pagePolicy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
    ].joined(separator: "; ")

    /// The page to try the service with. It needs no key to be read; what it calls does.
    func playground(_ router: Router<BasicRequestContext>) {
        route(router, .get, "/", .native, needsKey: false) { _ in Self.reply(.page) }
        route(router, .get, "/playground/:file", .native, needsKey: false) { call in
            let name = call.parameters["file"] ?? ""
            guard let file = PlaygroundFile(rawValue: name), file != .page else {
                throw ServiceFault(.notFound, "unknown_url", "there is no '/playground/\(name)'", kind: .notFound)
            }
            return Self.reply(file)
        }
    }

    private static func reply(_ file: PlaygroundFile) -> Reply {
        var reply = Reply(bytes: file.bytes, type: file.type)
        reply.headers = [
            .contentSecurityPolicy: pagePolicy, .contentTypeOptions: "nosniff", .referrerPolicy: "no-referrer",
            .crossOriginOpenerPolicy: "same-origin", .crossOriginResourcePolicy: "same-origin",
            .cacheControl: "no-cache",
        ]
        return reply
    }
}

extension HTTPField.Name {
    static let contentTypeOptions = known("X-Content-Type-Options")
    static let referrerPolicy = known("Referrer-Policy")
    static let crossOriginOpenerPolicy = known("Cross-Origin-Opener-Policy")
}
